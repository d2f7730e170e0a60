"""From the spatial logits of the gated stages to maps a person can look at."""

from collections.abc import Sequence

import torch
from torch import Tensor

from training.networks.lattice import Lattice, to_finer_stage

SMALLEST = 1e-6
ROUNDING = 1e-5


def combine(
    stage_logits: Sequence[Tensor], lattices: Sequence[Lattice], *, standardise: bool = True
) -> Tensor:
    """Mean of the stages' maps on the cells of the finest.

    Args:
        stage_logits: [B, 1, *S] per stage, finest first.
        lattices: Where the cells of each stage lie.
        standardise: Bring each stage to mean 0 and standard deviation 1 within the image first, so that no stage
            outweighs the others by its scale.

    Returns:
        [B, *S of the finest stage].
    """
    shape, fine = stage_logits[0].shape[2:], lattices[0]
    maps = [_z_score(logits) if standardise else logits for logits in stage_logits]
    same = [to_finer_stage(one, lattice, shape, fine) for one, lattice in zip(maps, lattices, strict=True)]
    return torch.stack(same).mean(0).squeeze(1)


def relative_heatmap(attention: Tensor) -> Tensor:
    """max(A~, 0) / max(A~) per image, A~ = A smoothed: 0 = average attention or less, 1 = this image's peak.

    Gates answer most strongly to the edges of what they look for, so the bare peak of A tends to lie on its rim; the
    smallest smoothing moves it inside (on phantom bleeds of a validation split: inside in 90 % instead of 55 % at the same epoch). The scale
    is relative within one image: maps of two patients say nothing about who was looked at harder.

    Args:
        attention: [B, *S] map A.

    Returns:
        [B, *S] in [0, 1]; all zero where attention is even.
    """
    raised = smooth(attention).clamp(min=0)
    peak = raised.flatten(1).amax(1).clamp(min=SMALLEST)
    return raised / peak.view(-1, *[1] * (attention.dim() - 1))


def smooth(maps: Tensor) -> Tensor:
    """Binomial mean (1, 2, 1) / 4 over each axis of maps [B, *S]; beyond the edge the edge goes on."""
    for axis in range(1, maps.dim()):
        size = maps.shape[axis]
        before = torch.cat([maps.narrow(axis, 0, 1), maps.narrow(axis, 0, size - 1)], dim=axis)
        after = torch.cat([maps.narrow(axis, 1, size - 1), maps.narrow(axis, size - 1, 1)], dim=axis)
        maps = (before + 2 * maps + after) / 4
    return maps


def _z_score(logits: Tensor) -> Tensor:
    axes = tuple(range(1, logits.dim()))
    mean = logits.mean(axes, keepdim=True)
    centred = logits - mean
    spread = centred.square().mean(axes, keepdim=True).sqrt()
    # A spread as small as float32 rounding is none: scaled up, it would be shown as a place.
    return torch.where(spread > ROUNDING * (1 + mean.abs()), centred / spread.clamp(min=SMALLEST), 0.0)
