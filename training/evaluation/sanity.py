"""Is the map this network's and this patient's? Another patient's record, another run, another patient's map.

Nothing here needs a mask. None of it shows that a map is right, only that it depends on what it should depend on.
"""

import numpy as np
from jaxtyping import Int64

from app.model_package.manifest import Metric
from training.evaluation.attention_maps import AttentionMaps, Subjects, attention_maps, likeness
from training.evaluation.intervals import mean_metrics
from training.networks.model import FusionNet


def record_swap(net: FusionNet, subjects: Subjects, own: AttentionMaps, seed: int = 0) -> tuple[Metric, ...]:
    """Each image with another patient's record: how far map and answer move.

    Args:
        net: With a spatial gate, in evaluation mode.
        subjects: At least two cases.
        own: Their maps with their own records.
        seed: Decides who gets whose record.

    Returns:
        `map_correlation`, `map_ssim` and `peak_shift_mm` between the map with the own and with the other record,
        `probability_change` (mean absolute change of the event's probability); and `map_correlation_between_patients` and
        `map_ssim_between_patients`, the likeness of the maps of two different patients: what a likeness must exceed
        before it means that a map is this patient's.
    """
    donor = derangement(len(subjects.index), seed)
    swapped = attention_maps(net, subjects, subjects.index[donor])
    moved = likeness(own, swapped)
    others = likeness(own, taken(own, donor))
    return mean_metrics(
        {
            **moved,
            "probability_change": np.abs(own.event - swapped.event),
            **{f"{name}_between_patients": others[name] for name in ("map_correlation", "map_ssim")},
        }
    )


def repeatability(own: AttentionMaps, second: AttentionMaps) -> tuple[Metric, ...]:
    """Likeness of the maps of two runs that differ in their seed, and `probability_change` between their answers."""
    return mean_metrics({**likeness(own, second), "probability_change": np.abs(own.event - second.event)})


def derangement(count: int, seed: int) -> Int64[np.ndarray, " N"]:
    """A random order in which nobody keeps the own place, for two or more: one cycle through a random order."""
    order = np.random.default_rng(seed).permutation(count)
    result = np.empty(count, dtype=np.int64)
    result[order] = np.roll(order, 1)
    return result


def taken(maps: AttentionMaps, index: Int64[np.ndarray, " M"]) -> AttentionMaps:
    """The maps of some cases."""
    return AttentionMaps(maps.served[index], maps.attention[index], maps.event[index], maps.cell_mm)
