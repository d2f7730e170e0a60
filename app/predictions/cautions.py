"""What limits the use of an answer, said with the answer."""

from app.imaging import dicom_series, quality
from app.imaging.volume import Volume
from app.inference.case import Analysis
from app.predictions.answer import Caution


def cautions(analysis: Analysis) -> list[Caution]:
    """Everything a reader must know before using the answer, the most general first.

    `training-data` comes with every answer: a model knows only what it was trained on.
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
    return found


def image_cautions(volume: Volume) -> list[Caution]:
    """What about the image limits an answer, whatever the model says."""
    return [
        Caution(code=finding.code, detail=finding.detail)
        for finding in volume.findings
        if finding.code in quality.LIMITING | dicom_series.LIMITING
    ]
