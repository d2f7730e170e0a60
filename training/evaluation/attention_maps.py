"""A network's attention over some cases, and how alike two such sets of maps are.

Two measures of likeness, as Adebayo et al. 2018 (arXiv:1810.03292) use: SSIM sees structure but is high wherever both maps are
empty; rank correlation sees every cell.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int64
from monai.metrics.regression import compute_ssim_and_cs
from scipy.stats import rankdata
from torch import Tensor

from training.calibrate import Scaling
from training.evaluation.network_maps import batches
from training.networks.attention import relative_heatmap
from training.networks.heads import favourable_probability
from training.networks.model import FusionNet
from training.prepare import PreparedSet

BATCH = 16
LARGEST_WINDOW = 7
SIGMA = 1.5
"""Of the SSIM window, in cells (Wang et al. 2004, doi:10.1109/TIP.2003.819861)."""


@dataclass(frozen=True)
class AttentionMaps:
    """What a network attends to.

    Attributes:
        served: [N, *cells] in [0, 1], as the service returns it.
        attention: [N, *cells] in standard deviations, before it is cut at the average.
        event: [N] probability of the reported event.
        cell_mm: Size of a cell, per axis.
    """

    served: Tensor
    attention: Tensor
    event: Float64[np.ndarray, " N"]
    cell_mm: tuple[float, ...]


@dataclass(frozen=True)
class Subjects:
    """Cases to look at, and how the answer is calibrated.

    Attributes:
        prepared: The split.
        index: [N] cases of it.
        spacing_mm: Of the model grid.
        scaling: Of the logits.
    """

    prepared: PreparedSet
    index: Int64[np.ndarray, " N"]
    spacing_mm: tuple[float, ...]
    scaling: Scaling


@torch.no_grad()
def attention_maps(
    net: FusionNet, subjects: Subjects, records: Int64[np.ndarray, " N"] | None = None
) -> AttentionMaps:
    """Attention over cases.

    Args:
        net: With a spatial gate, in evaluation mode.
        subjects: The cases.
        records: [N] whose record each case is given; None gives each its own.
    """
    device, prepared = next(net.parameters()).device, subjects.prepared
    whose = dict(zip(subjects.index.tolist(), subjects.index if records is None else records, strict=True))
    served, attention, event = [], [], []
    for cases in batches(prepared, subjects.index, BATCH, device):
        donors = np.array([whose[int(i)] for i in cases.index])
        values, missing = (torch.from_numpy(table[donors]) for table in (prepared.values, prepared.missing))
        output = net(cases.image, values.to(device), missing.to(device))
        logits = output.logits * subjects.scaling.slope + subjects.scaling.intercept
        served.append(relative_heatmap(output.attention).cpu())
        attention.append(output.attention.cpu())
        event.append(favourable_probability(logits, net.config.head.outcome).cpu())
    stride = net.stage_lattices[0].stride
    return AttentionMaps(
        torch.cat(served),
        torch.cat(attention),
        torch.cat(event).double().numpy(),
        tuple(step * mm for step, mm in zip(stride, subjects.spacing_mm, strict=True)),
    )


def likeness(first: AttentionMaps, second: AttentionMaps) -> dict[str, Float64[np.ndarray, " N"]]:
    """How alike two sets of maps of the same N cases are.

    Returns:
        `map_ssim` of the served maps, `map_correlation` (Spearman, before the cut at the average; NaN where a map is
        even), `peak_shift_mm` between their highest cells.
    """
    return {
        "map_ssim": ssim(first.served, second.served),
        "map_correlation": rank_correlation(first.attention, second.attention),
        "peak_shift_mm": peak_shift_mm(first, second),
    }


def ssim(first: Tensor, second: Tensor) -> Float64[np.ndarray, " N"]:
    """Structural similarity of maps [N, *cells] in [0, 1], by MONAI; axes shorter than the window narrow it."""
    shape = first.shape[1:]
    window = [min(LARGEST_WINDOW, size - 1 + size % 2) for size in shape]
    full, _ = compute_ssim_and_cs(first[:, None], second[:, None], len(shape), window, [SIGMA] * len(shape))
    each: np.ndarray = full.flatten(1).mean(1).double().numpy()
    return each


def rank_correlation(first: Tensor, second: Tensor) -> Float64[np.ndarray, " N"]:
    """Spearman's correlation over cells of maps [N, *cells]; NaN where one of them is even."""
    ranks = [rankdata(maps.flatten(1).numpy(), axis=1) for maps in (first, second)]
    a, b = (each - each.mean(axis=1, keepdims=True) for each in ranks)
    spread = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    found = np.full(len(a), np.nan)
    np.divide((a * b).sum(axis=1), spread, out=found, where=spread > 0)
    return found


def peak_shift_mm(first: AttentionMaps, second: AttentionMaps) -> Float64[np.ndarray, " N"]:
    """Distance between the centres of the highest cells."""
    places = [
        np.stack(np.unravel_index(maps.served.flatten(1).argmax(1).numpy(), maps.served.shape[1:]), axis=1)
        for maps in (first, second)
    ]
    shift: np.ndarray = np.linalg.norm((places[0] - places[1]) * np.array(first.cell_mm), axis=1)
    return shift
