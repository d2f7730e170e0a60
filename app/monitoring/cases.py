"""Counts every answered case by what may be known of it: classes, flags, codes and millimetres, nothing of a patient."""

from app.inference.predictor import ModelArray
from app.metrics import CaseMetrics
from app.monitoring.drift import DriftWatch
from app.predictions.answer import Answer


class CaseWatch:
    """What the use case tells of each answer.

    Args:
        metrics: Where cases are counted.
        drift: Told how bright the image was.
    """

    def __init__(self, metrics: CaseMetrics, drift: DriftWatch) -> None:
        self._metrics = metrics
        self._drift = drift

    def see(self, answer: Answer, image: ModelArray) -> None:
        """Count a case.

        Args:
            answer: What was answered.
            image: On the model grid.
        """
        metrics, said = self._metrics, answer.prediction
        model = (answer.model.name, str(answer.model.version))
        metrics.answers.labels(*model, said.label).inc()
        metrics.out_of_distribution_score.labels(*model).observe(said.out_of_distribution.score)
        # By 0 too: a series that appears with its first case has no rate.
        metrics.out_of_distribution.labels(*model).inc(said.out_of_distribution.flagged)
        metrics.abstained.labels(*model).inc(said.abstained)
        metrics.images.labels(answer.image.modality).inc()
        metrics.slice_spacing.labels(answer.image.modality).observe(max(answer.image.spacing_mm))
        for finding in answer.image.findings:
            metrics.findings.labels(finding.code).inc()
        self._drift.see(answer, image)
