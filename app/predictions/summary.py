"""From an analysis to the parts of the answer; nothing is computed here, only said."""

from collections.abc import Mapping

import numpy as np

from app.ehr.encode import EncodedRecord
from app.imaging.series_choice import SeriesChoice, SeriesSummary
from app.imaging.volume import Grid, Volume
from app.inference.case import Analysis
from app.inference.predictor import Outputs
from app.model_package.package import Package
from app.model_package.training_summary import Taken
from app.predictions.answer import (
    Contribution,
    FeatureUsed,
    ImageFinding,
    ImageUsed,
    ModelUsed,
    Outcome,
    OutOfDistributionScore,
    RecordUsed,
    SeriesChosen,
    SeriesSeen,
    Timing,
)

SPACING_DECIMALS = 4
MILLISECONDS = 1000
TOWARDS = ("R", "A", "S")
AWAY_FROM = ("L", "P", "I")


def model_used(package: Package, provider: str) -> ModelUsed:
    """Name what answered."""
    manifest = package.manifest
    return ModelUsed(
        name=manifest.name,
        version=manifest.version,
        sha256=package.sha256,
        intended_use=manifest.intended_use,
        provider=provider,
    )


def outcome(outputs: Outputs) -> Outcome:
    """Say what the model expects."""
    unlike = outputs.out_of_distribution
    return Outcome(
        label=outputs.label,
        probabilities=outputs.probabilities,
        favourable=outputs.favourable,
        prediction_set=list(outputs.prediction_set),
        coverage=outputs.coverage,
        out_of_distribution=OutOfDistributionScore(
            score=unlike.score, threshold=unlike.threshold, flagged=unlike.flagged
        ),
        abstained=outputs.abstained,
    )


def record_used(
    record: EncodedRecord,
    outputs: Outputs,
    taken: Mapping[str, Taken],
    effects: Mapping[str, float] | None = None,
) -> RecordUsed:
    """Say how the record entered.

    Args:
        record: As encoded.
        outputs: The model's answer to it.
        taken: What the network took for other than it is, by feature.
        effects: By feature, where they were asked for.
    """
    features = [
        FeatureUsed(
            name=use.name, value=use.value, unit=use.unit, status=use.status, taken_as=taken.get(use.name)
        )
        for use in record.features
    ]
    contributions = (
        None
        if effects is None
        else [Contribution(name=name, effect=effect) for name, effect in effects.items()]
    )
    return RecordUsed(image_share=outputs.image_share, features=features, contributions=contributions)


def image_used(volume: Volume) -> ImageUsed:
    """Describe the image on the patient's grid."""
    i, j, k = (round(step, SPACING_DECIMALS) for step in volume.grid.spacing_mm)
    return ImageUsed(
        modality=volume.modality,
        shape=volume.grid.shape,
        spacing_mm=(i, j, k),
        orientation=orientation(volume.grid),
        series=None if volume.series is None else series_chosen(volume.series),
        findings=[ImageFinding(code=found.code, detail=found.detail) for found in volume.findings],
    )


def series_chosen(choice: SeriesChoice) -> SeriesChosen:
    """Say which series was read and why not the others."""
    return SeriesChosen(
        chosen=_seen(choice.chosen, choice.reason),
        others=[_seen(other.series, other.reason) for other in choice.others],
    )


def _seen(series: SeriesSummary, reason: str) -> SeriesSeen:
    return SeriesSeen(
        number=series.number,
        modality=series.modality,
        slices=series.slices,
        plane=series.plane,
        gap_mm=series.gap_mm,
        kernel=series.kernel,
        weighting=series.weighting,
        has_contrast_agent=series.has_contrast_agent,
        reason=reason,
    )


def orientation(grid: Grid) -> str:
    """Where the array's axes point, as in `LPS`: every letter names the side that a growing index moves to.

    For an oblique grid the anatomical axis is the closest one, each taken once, the clearest first.
    """
    cosines = grid.affine[:3, :3] / np.linalg.norm(grid.affine[:3, :3], axis=0)
    letters = ["", "", ""]
    remaining = np.abs(cosines)
    for _ in range(3):
        anatomical, axis = (int(index) for index in np.unravel_index(remaining.argmax(), (3, 3)))
        letters[axis] = (TOWARDS if cosines[anatomical, axis] > 0 else AWAY_FROM)[anatomical]
        remaining[anatomical, :] = remaining[:, axis] = -1
    return "".join(letters)


def spent(
    analysis: Analysis, waited_s: float, *, writing_s: float, explaining_s: float = 0.0
) -> dict[str, float]:
    """Milliseconds per stage, with what came around the analysis added where it belongs.

    Args:
        analysis: The case.
        waited_s: Waiting for a turn.
        writing_s: Writing the heatmap.
        explaining_s: Running the network for contributions.
    """
    more = {"queue": waited_s, "inference": explaining_s, "heatmap": writing_s}
    more["total"] = sum(more.values())
    stages = analysis.timing_ms
    return stages | {stage: stages[stage] + MILLISECONDS * seconds for stage, seconds in more.items()}


def timing(spent_ms: Mapping[str, float]) -> Timing:
    """Whole milliseconds, for the answer."""
    return Timing(**{stage: round(milliseconds) for stage, milliseconds in spent_ms.items()})
