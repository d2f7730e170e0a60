"""From finished jobs to models: each calibrated on its own validation patients, and the folds of one repeat joined.

A fold's test patients are few; slopes and areas of 20 patients, averaged, would be noise. Joined, every patient of the cohort is
answered once by a model that never saw them, and the numbers are those of the whole cohort.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from training.evaluation.answers import Answers, answers, fit_on_validation
from training.evaluation.comparison import ROW_METRICS
from training.jobs import Job
from training.predictions import load_predictions

LIVE_METRICS = ("auroc", "brier", "calibration_slope", "nll")
"""Shown while the table fills."""


@dataclass
class Finished:
    """Answers of the finished jobs on their test patients; a job's file is read once.

    Args:
        out: Folder of the ablation.
        folds: K; None for the cohort's own splits.
    """

    out: Path
    folds: int | None
    _answers: dict[Job, Answers] = field(default_factory=dict)

    def add(self, jobs: Iterable[Job]) -> None:
        """Read what is new."""
        for job in jobs:
            if job not in self._answers:
                predictions = load_predictions(self.out / job.folder)
                self._answers[job] = answers(predictions, fit_on_validation(predictions), "test")

    def models(self, row: str, size: int | None, *, whole: bool) -> list[Answers]:
        """A row's models, in order of repeat and seed.

        Args:
            row: Name.
            size: Training patients asked for.
            whole: Leave out those that lack a fold.
        """
        groups: dict[tuple[int, int], list[Answers]] = defaultdict(list)
        for job in sorted(self._answers, key=lambda job: (job.repeat, job.seed, job.fold or (1, 1))):
            if (job.row, job.size) == (row, size):
                groups[job.repeat, job.seed].append(self._answers[job])
        return [joined(group) for group in groups.values() if not whole or len(group) == (self.folds or 1)]

    def means(self, row: str, size: int | None) -> dict[str, float]:
        """Point values so far: the mean over the models, of such folds as are finished."""
        models = self.models(row, size, whole=False)
        values = {name: [point(model, name) for model in models] for name in LIVE_METRICS}
        return {name: float(np.nanmean(each)) for name, each in values.items() if np.isfinite(each).any()}


def joined(parts: list[Answers]) -> Answers:
    """The answers of several folds as one model's."""
    if len(parts) == 1:
        return parts[0]
    return Answers(
        patient_id=tuple(patient for part in parts for patient in part.patient_id),
        label=np.concatenate([part.label for part in parts]),
        probabilities=np.concatenate([part.probabilities for part in parts]),
        true_probability=np.concatenate([part.true_probability for part in parts]),
    )


def point(model: Answers, name: str) -> float:
    """One metric of one model; NaN where its patients do not allow it."""
    return float(ROW_METRICS[name](model)(np.ones((1, len(model))))[0])
