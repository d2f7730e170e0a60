"""Do the maps point at the masks? Every map of the network, and baselines that know nothing of it, on the test cases.

Cases stream through in small batches: a map is scored as soon as it is made, and only its numbers are kept.
"""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64, Int64
from rich.progress import track
from torch import Tensor

from app.imaging.volume import Modality
from training.evaluation.document import HeatmapMethod
from training.evaluation.intervals import mean_metrics
from training.evaluation.map_overlap import THRESHOLDS, Overlap, Region, overlap
from training.evaluation.network_maps import batches, finest_lattice, network_maps
from training.evaluation.pointing import region_of
from training.evaluation.reference_maps import baselines, head_mask
from training.networks.model import FusionNet
from training.prepare import PreparedSet

BATCH = 8
METRICS = ("pointing", "pointing_strict", "relevance_mass", "relevance_rank", "auprc")


@dataclass
class Scores:
    """What the maps were worth, case by case.

    Attributes:
        by_method: Name of the map to one `Overlap` per case.
        share_of_head: Of every case, the part of the head that the mask fills.
    """

    by_method: dict[str, list[Overlap]] = field(default_factory=lambda: defaultdict(list))
    share_of_head: list[float] = field(default_factory=list)


def masked_cases(prepared: PreparedSet, index: Int64[np.ndarray, " N"]) -> Int64[np.ndarray, " M"]:
    """Those of the cases with a region to point at."""
    return np.array([i for i in index if region_of(prepared, int(i)) is not None], dtype=np.int64)


def score_maps(
    net: FusionNet,
    prepared: PreparedSet,
    index: Int64[np.ndarray, " N"],
    modality: Modality,
    references: tuple[Tensor, Tensor] | None,
) -> Scores:
    """Score every map on cases with masks.

    Args:
        net: In evaluation mode.
        prepared: The split.
        index: Cases of it; those without a region are left out.
        modality: Of the images.
        references: Training records for the record effect.
    """
    scores = Scores()
    total = -(-len(index) // BATCH)
    device = next(net.parameters()).device
    for cases in track(batches(prepared, index, BATCH, device), "Maps against masks", total=total):
        _, stage_maps = network_maps(net, cases, references)
        shape = cases.image.shape[2:]
        full = {name: each.on_model_grid(shape).cpu().numpy() for name, each in stage_maps.items()}
        for place, i in enumerate(cases.index):
            inside = region_of(prepared, int(i))
            if inside is None:
                continue
            image = cases.image[place, 0].cpu().numpy()
            head = head_mask(image, modality)
            region = Region.of(inside, finest_lattice(net).stride)
            scores.share_of_head.append(float(inside.sum() / (head | inside).sum()))
            maps = {name: each[place] for name, each in full.items()} | baselines(image, head, modality)
            for name, saliency in maps.items():
                scores.by_method[name].append(overlap(saliency, region))
    return scores


def best_threshold(validation: list[Overlap]) -> int | None:
    """Place in `THRESHOLDS` of the highest mean Dice; None without cases."""
    return int(np.mean([each.dice for each in validation], axis=0).argmax()) if validation else None


def method_scores(name: str, test: list[Overlap], threshold: int | None) -> HeatmapMethod:
    """Means over the test cases with their intervals."""
    each: dict[str, Float64[np.ndarray, " N"]] = {
        metric: np.array([getattr(one, metric) for one in test]) for metric in METRICS
    }
    if threshold is not None:
        each["dice"] = np.array([one.dice[threshold] for one in test])
    chosen = None if threshold is None else float(THRESHOLDS[threshold])
    return HeatmapMethod(name=name, metrics=mean_metrics(each), dice_threshold=chosen)
