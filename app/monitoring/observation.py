"""What is counted of one answered case: bins, never values."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from app.model_package.manifest import Manifest
from app.model_package.training_summary import Distribution, Kind, Share, TrainingSummary
from app.predictions.answer import Answer

Measure = tuple[Kind, str]
EMBEDDING: Final[Measure] = ("embedding", "distance")
_TENTHS: Final = 10


@dataclass(frozen=True)
class Reference:
    """What cases of one package are held against.

    Attributes:
        distributions: By kind and name.
        shares: By kind and name.
    """

    distributions: dict[tuple[str, str], Distribution]
    shares: dict[tuple[str, str], Share]


@dataclass(frozen=True)
class Observation:
    """One case.

    Attributes:
        bins: Of every measure that has a reference and was known.
        shares: What may be the case, and whether it was.
    """

    bins: dict[tuple[str, str], int]
    shares: dict[tuple[str, str], bool]


def reference_of(manifest: Manifest, summary: TrainingSummary | None) -> Reference:
    """What a package says of its cases; the distance of embeddings needs no summary, its score is uniform by how it is made.

    Args:
        manifest: Of the package.
        summary: Where it has one; without one only that score, and the share that is flagged, have a reference.
    """
    n, flagged = manifest.calibration.n, 1 - manifest.out_of_distribution.threshold
    uniform = Distribution(
        kind="embedding",
        name="distance",
        n=n,
        edges=tuple(np.round(np.arange(1, _TENTHS) / _TENTHS, 1).tolist()),
        shares=(1 / _TENTHS,) * _TENTHS,
    )
    known = [uniform, *(summary.distributions if summary else ())]
    rates = [
        Share(kind="answer", name="out_of_distribution", n=n, share=flagged),
        *(summary.shares if summary else ()),
    ]
    return Reference(
        {(each.kind, each.name): each for each in known}, {(each.kind, each.name): each for each in rates}
    )


def observe(answer: Answer, reference: Reference) -> Observation:
    """Count one answer."""
    bins: dict[tuple[str, str], int] = {}
    for measure, value in _measures(answer):
        distribution = reference.distributions.get(measure)
        found = None if distribution is None else distribution.bin_of(value)
        if found is not None:
            bins[measure] = found
    missing = {("missing", each.name): each.status == "missing" for each in answer.ehr.features}
    said = answer.prediction
    answers = {
        ("answer", "out_of_distribution"): said.out_of_distribution.flagged,
        ("answer", "abstained"): said.abstained,
    }
    return Observation(bins, {**missing, **answers})


def _measures(answer: Answer) -> Iterator[tuple[Measure, float | str]]:
    for feature in answer.ehr.features:
        if feature.value is not None:
            yield ("record", feature.name), feature.value
    yield ("spacing", "in_plane_mm"), min(answer.image.spacing_mm)
    yield ("spacing", "slice_mm"), max(answer.image.spacing_mm)
    said = answer.prediction
    yield EMBEDDING, said.out_of_distribution.score
    yield ("score", "event"), event_probability(answer)
    yield ("score", "label"), said.label
    yield ("score", "image_share"), answer.ehr.image_share


def event_probability(answer: Answer) -> float:
    """Of what the task asks for: the favourable outcome, or else the last class."""
    said = answer.prediction
    return [*said.probabilities.values()][-1] if said.favourable is None else said.favourable
