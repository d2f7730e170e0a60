"""All statistics of one model on its held-out patients, from its logits alone: the numbers of `evaluation.json`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from app.model_package.manifest import Metric
from training.cohort import SPLITS, Cohort, CohortError
from training.evaluation.answers import Answers, answers, fit_on_validation
from training.evaluation.bootstrap import Resamples
from training.evaluation.calibration import calibration_metrics, judge_calibration
from training.evaluation.cohort_table import cohort_table
from training.evaluation.comparison import Planned, Rows
from training.evaluation.decision import judge_decision
from training.evaluation.discrimination import discrimination_statistics, judge_discrimination
from training.evaluation.distance import judge_distance
from training.evaluation.document import Comparison, Evaluation
from training.evaluation.fitted import Fitted
from training.evaluation.resplits import resplits_of
from training.evaluation.selective import judge_selective, selective_statistics
from training.evaluation.sets import judge_sets, set_statistics
from training.evaluation.subgroups import find_subgroups, judge_subgroups
from training.outcomes import outcome_classes
from training.predictions import Predictions

MODEL = "model"
"""Name of the judged row in its own comparisons; what it is stands in the document's `row`."""


@dataclass(frozen=True)
class Rival:
    """Another model of the same patients.

    Attributes:
        name: Its row, in words that may stand in a metric's name.
        models: Its seeds, or one model.
        epochs: Given to it; None where it had none.
    """

    name: str
    models: tuple[Predictions, ...]
    epochs: int | None = None


def judge(
    row: str,
    predictions: Predictions,
    fitted: Fitted,
    cohort: Cohort,
    rivals: Sequence[Rival] = (),
    epochs: int | None = None,
) -> Evaluation:
    """Measure everything once on the test split.

    Args:
        row: Row in the model table.
        predictions: Of the model.
        fitted: Its scaling, sets and distance.
        cohort: The patients, in any order and split.
        rivals: Compared on the same patients.
        epochs: Given to the model; None where it had none.

    Raises:
        CohortError: The test split is empty, a patient is not in the cohort, or a rival answers for other patients.
    """
    patients = with_splits(cohort, predictions)
    given = answers(predictions, fitted.scaling, "test")
    if not len(given):
        raise CohortError("evaluation needs a test split, found none; split the cohort")
    compared, of_rivals = _against(rivals, predictions)
    shown = {rival.name: _answers_of(rival.models[0]) for rival in rivals}
    judged = judge_answers(row, given, fitted, patients, shown)
    return judged.model_copy(
        update={
            "counts": {split: len(predictions.part(split)) for split in SPLITS},
            "events": {
                split: int(answers(predictions, fitted.scaling, split).event.sum()) for split in SPLITS
            },
            "epochs": {r.name: r.epochs for r in rivals if r.epochs} | ({MODEL: epochs} if epochs else {}),
            "metrics": judged.metrics + of_rivals,
            "cohort_table": cohort_table(patients, predictions.label, judged.classes),
            "sets": judged.sets
            and judged.sets.model_copy(
                update={"resplits": resplits_of(predictions, fitted.scaling, judged.classes)}
            ),
            "comparisons": compared,
            "distance": judge_distance(fitted.distances, predictions.part("test").embedding)
            if fitted.distances
            else None,
        }
    )


def judge_answers(
    row: str,
    given: Answers,
    fitted: Fitted,
    cohort: Cohort,
    shown: Mapping[str, Answers] = MappingProxyType({}),
) -> Evaluation:
    """Measure everything that calibrated answers alone tell, on patients of the test split.

    Args:
        row: Whose answers they are.
        given: The answers.
        fitted: Its sets and operating point, fixed before these patients were seen.
        cohort: With them as its test split, in the order of the answers.
        shown: Answers of others for the same patients, for the decision curve.
    """
    titles = tuple(each.title for each in outcome_classes(cohort.description.task, given.classes))
    resamples = Resamples(len(given), event=given.event)
    subgroups = find_subgroups(cohort.part("test"), cohort.description.features)
    return Evaluation(
        intervals="expanded",
        row=row,
        task=cohort.description.task,
        event=cohort.description.positive,
        source=cohort.description.source,
        classes=titles,
        counts={"test": len(given)},
        events={"test": int(given.event.sum())},
        epochs={},
        metrics=_headline(given, fitted, resamples),
        discrimination=judge_discrimination(given, fitted.operating_point, resamples),
        calibration=judge_calibration(given, resamples),
        decision=judge_decision(given, shown, resamples),
        sets=judge_sets(given, fitted.sets, resamples, titles, subgroups),
        subgroups=judge_subgroups(given, subgroups),
        selective=judge_selective(given, resamples),
    )


def with_splits(cohort: Cohort, predictions: Predictions) -> Cohort:
    """The cohort's patients that the model answered for, in the model's order and splits.

    Raises:
        CohortError: A patient is not in the cohort.
    """
    known = {case.patient_id: case for case in cohort.cases}
    absent = [patient for patient in predictions.patient_id if patient not in known]
    if absent:
        raise CohortError(
            f"{len(absent)} of {len(predictions)} patients of the run are not in the cohort; "
            "give the cohort that the run was trained on, with its patient_id unchanged"
        )
    placed = zip(predictions.patient_id, predictions.split, strict=True)
    return replace(cohort, cases=tuple(replace(known[patient], split=split) for patient, split in placed))


def _headline(given: Answers, fitted: Fitted, resamples: Resamples) -> tuple[Metric, ...]:
    return (
        *resamples.metrics(discrimination_statistics(given, fitted.operating_point)),
        *calibration_metrics(given, resamples),
        *resamples.metrics(set_statistics(given, fitted.sets) | selective_statistics(given)),
    )


def _against(
    rivals: Sequence[Rival], predictions: Predictions
) -> tuple[tuple[Comparison, ...], tuple[Metric, ...]]:
    """Planned comparisons with every rival, and the same as headline numbers."""
    if not rivals:
        return (), ()
    rows = Rows({MODEL: [predictions], **{rival.name: rival.models for rival in rivals}})
    compared = rows.compare([Planned(MODEL, rival.name) for rival in rivals])
    numbers: list[Metric] = []
    for each in compared:
        theirs = rows.metric(each.against, each.metric)
        numbers.append(theirs.model_copy(update={"name": f"auroc_{each.against}"}))
        numbers.append(each.difference.model_copy(update={"name": f"auroc_gain_over_{each.against}"}))
    return compared, tuple(numbers)


def _answers_of(model: Predictions) -> Answers:
    return answers(model, fit_on_validation(model), "test")
