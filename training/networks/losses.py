"""What is minimised: the outcome, and where masks exist and the run asks for it, the place of attention."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from training.networks.config import FAVOURABLE_FROM, Outcome
from training.networks.heads import log_exceedance
from training.networks.lattice import Lattice

FAVOURABLE_WEIGHT = 0.5
"""lambda: weight of the favourable-outcome term beside CORN."""
LARGEST_LOG_PROBABILITY = -1e-6
"""Keeps log(1 - c) finite in float32 when c rounds to 1."""


def outcome_loss(logits: Tensor, target: Tensor, outcome: Outcome) -> Tensor:
    """CORN plus lambda times the favourable outcome's cross-entropy, or plain cross-entropy for two classes, where both would be the same.

    Args:
        logits: [B, classes - 1].
        target: [B] class index, 0 = worst (`config.GOS_CLASSES`), or 0 / 1.
        outcome: Kind of head.
    """
    logits = logits.float()
    if outcome == "binary":
        return functional.binary_cross_entropy_with_logits(logits[:, 0], target.float())
    return corn_loss(logits, target) + FAVOURABLE_WEIGHT * favourable_loss(
        logits, target, FAVOURABLE_FROM[outcome]
    )


def corn_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Conditional ordinal regression (arXiv:2111.08851): logit k learns y > k from the samples with y >= k.

    The mean over thresholds of the mean over their samples; a threshold without samples in the batch is left out.
    """
    threshold = torch.arange(logits.shape[1], device=logits.device)
    asked = (target[:, None] >= threshold).float()
    better = (target[:, None] > threshold).float()
    each = functional.binary_cross_entropy_with_logits(logits, better, reduction="none")
    count = asked.sum(0)
    means = (each * asked).sum(0) / count.clamp(min=1)
    return means.sum() / (count > 0).sum().clamp(min=1)


def favourable_loss(logits: Tensor, target: Tensor, favourable_from: int) -> Tensor:
    """Cross-entropy of P(y >= favourable_from) = sigma(f_0) ... sigma(f_{favourable_from - 1})."""
    log_p = log_exceedance(logits)[:, favourable_from - 1].clamp(max=LARGEST_LOG_PROBABILITY)
    log_not = torch.log(-torch.expm1(log_p))
    return -torch.where(target >= favourable_from, log_p, log_not).mean()


def guidance_loss(
    stage_logits: Sequence[Tensor],
    lattices: Sequence[Lattice],
    mask: Tensor,
    has_mask: Tensor,
    positive_weight: float,
) -> Tensor:
    """Cross-entropy between spatial logits and the lesion, averaged over gated stages.

    Args:
        stage_logits: [B, 1, *S] per stage (`FusionOutput.stage_logits`).
        lattices: Where the cells of each stage lie (`FusionNet.stage_lattices`).
        mask: [B, 1, D, H, W] on the model grid, share of each voxel inside the lesion, 0..1.
        has_mask: [B] true where a mask exists; other samples count for nothing.
        positive_weight: Weight of a lesion cell against a background cell.
    """
    weight = mask.new_tensor(positive_weight)
    known = has_mask.to(mask.dtype)
    per_stage = []
    for logits, lattice in zip(stage_logits, lattices, strict=True):
        lesion = pool_mask(mask, lattice, logits.shape[2:])
        cells = functional.binary_cross_entropy_with_logits(
            logits.float(), lesion, pos_weight=weight, reduction="none"
        )
        per_stage.append((cells.flatten(1).mean(1) * known).sum() / known.sum().clamp(min=1))
    return torch.stack(per_stage).mean()


def pool_mask(mask: Tensor, lattice: Lattice, shape: Sequence[int]) -> Tensor:
    """Largest share of lesion in the voxels around each cell's centre.

    The window has as many voxels as the stride, or one more, whichever lies symmetrically about the voxel, or the half
    voxel, on which the lattice has the cell.

    Args:
        mask: [B, 1, D, H, W].
        lattice: Where the cells lie.
        shape: Cells of the stage, per axis.

    Returns:
        [B, 1, *shape] on the stage's cells.
    """
    window: list[int] = []
    padding: list[int] = []
    for step, offset, cells, voxels in zip(
        lattice.stride, lattice.offset, shape, mask.shape[2:], strict=True
    ):
        size = step if (step - 1) / 2 % 1 == offset % 1 else step + 1
        before = round((size - 1) / 2 - offset)
        window.append(size)
        # The last dimension comes first in `pad`; a negative number crops.
        padding = [before, (cells - 1) * step + size - before - voxels, *padding]
    return functional.max_pool3d(functional.pad(mask, padding), window, list(lattice.stride))
