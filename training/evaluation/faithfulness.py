"""Does the answer depend on where the map points? Deletion and insertion (Petsiuk et al. 2018, arXiv:1806.07421).

Deletion removes the head's voxels from the most to the least attended and follows the probability of the class that was
predicted; a low area means that the map names what the answer rests on. Insertion begins with everything removed and
puts voxels back; a high area is good. Removed tissue is replaced

    by blur            of the head's own soft tissue (deletion and insertion)
    by the other side  of the head (deletion only): the more attended of two mirror voxels takes the other's tissue

Both are images a scanner would not make, so each area is read beside that of a random order of patches as large as the map's.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Float64
from rich.progress import track
from torch import Tensor

from app.imaging.volume import Modality
from app.model_package.manifest import Metric
from training.calibrate import Scaling
from training.evaluation.attention_maps import Subjects
from training.evaluation.fills import Order, blurred, mirrored, order_of, preferred_sides
from training.evaluation.intervals import mean_metrics
from training.evaluation.network_maps import (
    ATTENTION,
    GRAD_CAM_LAST,
    Cases,
    StageMap,
    batches,
    finest_lattice,
    network_maps,
)
from training.evaluation.reference_maps import head_mask
from training.networks.heads import class_probabilities
from training.networks.lattice import Lattice
from training.networks.model import FusionNet

RANDOM = "Random order"
FOLLOWED = (ATTENTION, GRAD_CAM_LAST)
"""Maps that are followed: each costs about twenty answers a case."""
SHARES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Of the voxels, at which the probability is read: close together at first, where a lesion goes."""
BATCH = 16


@dataclass(frozen=True)
class Areas:
    """Areas under the curves of one case, in [0, 1]."""

    deletion: float
    insertion: float
    deletion_contralateral: float


def judge_faithfulness(
    net: FusionNet, subjects: Subjects, modality: Modality, seed: int = 0
) -> dict[str, tuple[Metric, ...]]:
    """Deletion and insertion of the network's maps, and of a random order.

    Args:
        net: In evaluation mode.
        subjects: The cases.
        modality: Of the images.
        seed: Decides the random order.

    Returns:
        Name of the map to `deletion`, `insertion`, `deletion_contralateral` and, but for the random order,
        `deletion_gain`: how much smaller its deletion area is than that of the random order on the same cases.
    """
    areas: dict[str, list[Areas]] = defaultdict(list)
    generator = torch.Generator().manual_seed(seed)
    one_by_one = batches(subjects.prepared, subjects.index, 1, next(net.parameters()).device)
    for case in track(one_by_one, "Deletion and insertion", total=len(subjects.index)):
        shape = case.image.shape[2:]
        _, stage_maps = network_maps(net, case)
        chance = _random_map(shape, finest_lattice(net), generator)
        maps = {
            name: stage_maps[name].on_model_grid(shape)[0].cpu().numpy()
            for name in FOLLOWED
            if name in stage_maps
        }
        follow = Follow(net, case, subjects, modality)
        for name, saliency in {**maps, RANDOM: chance}.items():
            areas[name].append(follow.areas(saliency, chance))
    return {name: _metrics(each, areas[RANDOM], itself=name == RANDOM) for name, each in areas.items()}


class Follow:
    """The probability of one case's predicted class while its image is taken apart."""

    def __init__(self, net: FusionNet, case: Cases, subjects: Subjects, modality: Modality) -> None:
        self._net, self._case, self._scaling = net, case, subjects.scaling
        self._image = case.image[0, 0].cpu().numpy()
        self._head = head_mask(self._image, modality)
        self._blurred = blurred(self._image, self._head, modality, subjects.spacing_mm)
        both = self._probabilities(np.stack([self._image, self._blurred]))
        self._predicted = int(both[0].argmax())
        self._whole, self._nothing = both[:, self._predicted].tolist()

    def areas(self, saliency: Float32[np.ndarray, "*S"], tie_breaker: Float32[np.ndarray, "*S"]) -> Areas:
        """Areas when voxels leave in falling `saliency`; where it is even, in falling `tie_breaker`."""
        order = order_of(saliency, self._head, tie_breaker)
        other_side = order_of(saliency, preferred_sides(saliency, self._head, tie_breaker), tie_breaker)
        inner = SHARES[1:-1]
        paths = [
            compositions(self._image, self._blurred, order, inner),
            compositions(self._blurred, self._image, order, inner),
            compositions(self._image, mirrored(self._image), other_side, SHARES[1:]),
        ]
        p = self._probabilities(np.concatenate(paths))[:, self._predicted]
        deleted, inserted, exchanged = p[: len(inner)], p[len(inner) : 2 * len(inner)], p[2 * len(inner) :]
        return Areas(
            deletion=area([self._whole, *deleted, self._nothing]),
            insertion=area([self._nothing, *inserted, self._whole]),
            deletion_contralateral=area([self._whole, *exchanged]),
        )

    @torch.no_grad()
    def _probabilities(self, images: Float32[np.ndarray, "K ..."]) -> Float64[np.ndarray, "K classes"]:
        return answer(self._net, torch.from_numpy(images)[:, None], self._case, self._scaling)


def compositions(
    image: Float32[np.ndarray, "*S"],
    fill: Float32[np.ndarray, "*S"],
    order: Order,
    shares: Sequence[float],
) -> Float32[np.ndarray, "K ..."]:
    """The image with ever more of it replaced by `fill`."""
    return np.stack([np.where(order.removed(share), fill, image) for share in shares])


def answer(net: FusionNet, images: Tensor, case: Cases, scaling: Scaling) -> Float64[np.ndarray, "K classes"]:
    """Calibrated class probabilities of several images [K, 1, *S] of the one patient in `case`."""
    found = []
    for some in torch.split(images.to(case.image.device), BATCH):
        values, missing = (table.expand(len(some), -1) for table in (case.values, case.missing))
        logits = net(some, values, missing).logits
        found.append(class_probabilities(logits * scaling.slope + scaling.intercept).cpu())
    probabilities: np.ndarray = torch.cat(found).double().numpy()
    return probabilities


def area(p: Sequence[float]) -> float:
    """Under the probability at `SHARES`, by trapezoids."""
    return float(np.trapezoid(p, SHARES))


def _random_map(
    shape: Sequence[int], lattice: Lattice, generator: torch.Generator
) -> Float32[np.ndarray, "*S"]:
    """Noise on cells as large as those of the served map."""
    noise = StageMap(torch.randn(1, *lattice.cells(shape), generator=generator), lattice)
    chance: np.ndarray = noise.on_model_grid(shape)[0].numpy()
    return chance


def _metrics(each: Sequence[Areas], chance: Sequence[Areas], *, itself: bool) -> tuple[Metric, ...]:
    numbers = {
        name: np.array([getattr(one, name) for one in each])
        for name in ("deletion", "insertion", "deletion_contralateral")
    }
    if not itself:
        numbers["deletion_gain"] = np.array([one.deletion for one in chance]) - numbers["deletion"]
    return mean_metrics(numbers)
