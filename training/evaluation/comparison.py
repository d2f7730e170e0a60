"""Rows of the model table held against each other: the same patients, paired, and no more claims than were planned.

Patients are resampled, and both rows are measured on each resample, so what a hard or easy patient
does to both cancels. A row may hold several models, seeds or folds: its number is then the mean over them inside each
resample. The interval therefore tells how far these models would differ on other patients of the same kind; how far
another training seed would have led is seen in the spread between seeds, which belongs beside it in a table.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from app.model_package.manifest import Metric
from training.cohort import CohortError
from training.evaluation import statistics
from training.evaluation.answers import Answers, answers, fit_on_validation
from training.evaluation.bootstrap import (
    Bounded,
    Resamples,
    Statistic,
    Values,
    Weights,
    ends_of,
    unseen_of,
)
from training.evaluation.document import Comparison
from training.predictions import Predictions

ROW_METRICS: dict[str, Callable[[Answers], Statistic]] = {
    "auroc": lambda a: statistics.auroc(a.event_probability, a.event),
    "auprc": lambda a: statistics.average_precision(a.event_probability, a.event),
    "brier": lambda a: statistics.brier(a.event_probability, a.event),
    "nll": lambda a: statistics.negative_log_likelihood(a.probabilities, a.label),
    "calibration_slope": lambda a: statistics.calibration_slope(a.event_probability, a.event),
    "quadratic_weighted_kappa": lambda a: statistics.quadratic_weighted_kappa(
        a.most_likely, a.label, a.classes
    ),
}
"""Numbers that rows can be compared by."""


@dataclass(frozen=True)
class Planned:
    """A comparison decided on before the numbers were seen.

    Attributes:
        row: Name of the model.
        against: Name of the other.
        metric: One of `ROW_METRICS`.
    """

    row: str
    against: str
    metric: str = "auroc"


class Rows:
    """Models to be compared, calibrated each on its own validation patients and measured on the test split.

    Args:
        models: By row: its seeds and folds, as `Predictions`, or as `Answers` that are calibrated and chosen already, such as
            the joined folds of a cross-validation. Every row must answer for the same patients.

    Raises:
        CohortError: Two rows answer for different patients, or a patient has two outcomes.
    """

    def __init__(self, models: Mapping[str, Sequence[Predictions | Answers]]) -> None:
        self._rows = {
            name: [
                each if isinstance(each, Answers) else answers(each, fit_on_validation(each), "test")
                for each in group
            ]
            for name, group in models.items()
        }
        self._place = _common_patients(self._rows)
        self._resamples = Resamples(len(self._place), event=_common_events(self._rows, self._place))

    def metric(self, row: str, name: str) -> Metric:
        """One number of a row, averaged over its models, with its interval."""
        return self._resamples.estimate(self._statistic(row, name)).metric(name)

    def metrics(self, row: str) -> tuple[Metric, ...]:
        """All numbers of a row that its patients allow."""
        return self._resamples.metrics({name: self._statistic(row, name) for name in ROW_METRICS})

    def compare(self, planned: Sequence[Planned]) -> tuple[Comparison, ...]:
        """Paired differences with Holm's correction over all of `planned`; those not defined are left out."""
        estimates = [
            self._resamples.estimate(
                statistics.difference(
                    self._statistic(plan.row, plan.metric), self._statistic(plan.against, plan.metric)
                )
            )
            for plan in planned
        ]
        known = [(plan, each) for plan, each in zip(planned, estimates, strict=True) if each.defined]
        adjusted = holm([each.p for _, each in known])
        return tuple(
            Comparison(
                row=plan.row,
                against=plan.against,
                metric=plan.metric,
                difference=each.metric(plan.metric),
                p=each.p,
                p_holm=p_holm,
            )
            for (plan, each), p_holm in zip(known, adjusted, strict=True)
        )

    def _statistic(self, row: str, name: str) -> Statistic:
        return statistics.averaged([self._on_all(model, name) for model in self._rows[row]])

    def _on_all(self, model: Answers, name: str) -> Statistic:
        """A model's number from the weights of all patients, of whom it may know only its fold's."""
        place = np.array([self._place[patient] for patient in model.patient_id], dtype=np.int64)
        own = ROW_METRICS[name](model)

        def statistic(weights: Weights) -> Values:
            return own(weights[:, place])

        return Bounded(statistic, unseen_of(own), ends_of(own))


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p values that hold the chance of any false claim (Holm 1979), in the order given."""
    order = np.argsort(p)
    steps = (len(p) - np.arange(len(p))) * np.asarray(p, np.float64)[order]
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(steps)) if len(p) else steps
    values: list[float] = adjusted.tolist()
    return values


def _common_patients(rows: Mapping[str, Sequence[Answers]]) -> dict[str, int]:
    """Place of every patient among all, in the first row's order."""
    known = {
        name: dict.fromkeys(patient for model in group for patient in model.patient_id)
        for name, group in rows.items()
    }
    first, *others = known
    for name in others:
        if len(known[name].keys() ^ known[first].keys()):
            shared = len(known[name].keys() & known[first].keys())
            raise CohortError(
                f"rows are compared on the same patients: {first} answers for {len(known[first])} and {name} for "
                f"{len(known[name])}, of whom {shared} are the same; use runs of one cohort and one split"
            )
    return {patient: place for place, patient in enumerate(known[first])}


def _common_events(rows: Mapping[str, Sequence[Answers]], place: Mapping[str, int]) -> Bool[np.ndarray, " N"]:
    """Who had the event, of which all models must tell the same."""
    events = np.full(len(place), -1, dtype=np.int64)
    for model in (model for group in rows.values() for model in group):
        index = np.array([place[patient] for patient in model.patient_id], dtype=np.int64)
        if ((events[index] >= 0) & (events[index] != model.event)).any():
            raise CohortError("one patient has two outcomes in the rows compared; use runs of one cohort")
        events[index] = model.event
    happened: np.ndarray = events == 1
    return happened
