"""What limits the use of an answer, said with the answer."""

from collections.abc import Sequence

from app.ehr.unit_words import unit_words
from app.imaging.limiting import LIMITING
from app.imaging.volume import Volume
from app.inference.case import Analysis
from app.model_package.manifest import Manifest
from app.predictions.answer import Caution, FeatureUsed, RecordUsed


def cautions(analysis: Analysis, record: RecordUsed) -> list[Caution]:
    """Everything a reader must know before using the answer, the most general first.

    `training-data` comes with every answer: a model knows only what it was trained on.

    Args:
        analysis: The case, answered.
        record: What became of its record.
    """
    found = [Caution(code="training-data", detail=analysis.package.manifest.training_data)]
    unlike = analysis.outputs.out_of_distribution
    if unlike.flagged:
        found.append(
            Caution(
                code="out-of-distribution",
                detail=f"The case is unlike those the model was calibrated on: score {unlike.score:.3f}, "
                f"threshold {unlike.threshold:.3f}. The probabilities cannot be trusted.",
            )
        )
    if analysis.outputs.abstained:
        found.append(
            Caution(
                code="abstained", detail="The model does not commit itself: do not use `label` on its own."
            )
        )
    found += image_cautions(analysis.volume)
    if all(use.status == "missing" for use in analysis.record.features):
        found.append(
            Caution(code="empty-record", detail="No feature of the record is known; the image answers alone.")
        )
    if beyond := [use for use in record.features if use.taken_as is not None]:
        found.append(_beyond_training(beyond, analysis.package.manifest))
    return found


def _beyond_training(features: Sequence[FeatureUsed], manifest: Manifest) -> Caution:
    """Values that the network does not tell from others: it answers as if they were what is said here."""
    titles = {each.name: each.title for each in manifest.ehr.features}
    taken = "; ".join(f"{titles[use.name]} as {_taken(use)}" for use in features)
    return Caution(
        code="beyond-training",
        detail=f"The record goes beyond what the model tells apart, so it took {taken}. The true effect may be larger.",
    )


def _taken(use: FeatureUsed) -> str:
    if isinstance(use.taken_as, str):
        return "not known"
    return f"{use.taken_as:.3g} {unit_words(use.unit or '')}".rstrip()


def image_cautions(volume: Volume) -> list[Caution]:
    """What about the image limits an answer, whatever the model says."""
    return [
        Caution(code=finding.code, detail=finding.detail)
        for finding in volume.findings
        if finding.code in LIMITING
    ]
