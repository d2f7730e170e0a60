"""Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391), the outside reference for heatmaps.

Written against two seams that every row of the model table with an image has, so it does not know the backbone: the
output of `net.backbone` (features of the last stage) and of each `net.mma` module (gated features of a stage).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from training.networks.heads import class_probabilities
from training.networks.mma import Gated
from training.networks.slices import unfold

SMALLEST = 1e-12


def grad_cam(features: Tensor, score: Tensor, depth: int | None = None) -> Tensor:
    """ReLU(sum over channels of a_c * F_c), a_c = mean over positions of d score / d F_c.

    Args:
        features: [B, C, *S] inside the graph of `score`; or [B * depth, C, h, w], the slices of a patient next to each other.
        score: [B] what is explained; it must depend on the same patient's features alone.
        depth: Slices of a patient, for a network that sees them one by one.

    Returns:
        [B, *S], or [B, depth, h, w]; not negative.
    """
    (gradient,) = torch.autograd.grad(score.sum(), features, retain_graph=True)
    features = features.detach()
    if depth is not None:
        gradient, features = unfold(gradient, depth), unfold(features, depth)
    weight = gradient.flatten(2).mean(2)
    weighted = torch.einsum("bc,bc...->b...", weight, features)
    return weighted.clamp(min=0)


def predicted_class_log_odds(logits: Tensor) -> Tensor:
    """Log-odds [B] of the most likely class; for a binary outcome the network's own logit, up to sign."""
    p = class_probabilities(logits.double()).amax(1).clamp(SMALLEST, 1 - SMALLEST)
    return p.log() - torch.log1p(-p)


@contextmanager
def watched(module: nn.Module) -> Iterator[list[Tensor]]:
    """Collect the feature maps that a module puts out while the context lasts."""
    seen: list[Tensor] = []

    def keep(_: nn.Module, __: Any, output: Any) -> None:  # noqa: ANN401 - torch's hook signature
        seen.append(output.features if isinstance(output, Gated) else output)

    handle = module.register_forward_hook(keep)
    try:
        yield seen
    finally:
        handle.remove()
