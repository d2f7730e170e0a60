"""training.evaluation.judge: the whole document from logits, for grades and for two classes, with and without rivals."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tests.training.evaluation.support import cohort_of, ordinal_predictions
from training.cohort import CohortError
from training.evaluation import statistics
from training.evaluation.answers import answers
from training.evaluation.bootstrap import Resamples
from training.evaluation.document import Evaluation
from training.evaluation.fitted import fit_after_training
from training.evaluation.judge import Rival, judge
from training.predictions import Predictions


def with_train(predictions: Predictions) -> Predictions:
    """A quarter of the patients becomes the training split."""
    split = tuple("train" if i % 4 == 0 else each for i, each in enumerate(predictions.split))
    return replace(predictions, split=split)


def judged(classes: int, n: int = 480, rivals: tuple[float, ...] = (), **changes: object) -> Evaluation:
    model = with_train(ordinal_predictions(n, 1, noise=0.5, classes=classes))
    model = replace(model, **changes)  # type: ignore[arg-type]
    others = [
        Rival(f"noise-{noise}", (with_train(ordinal_predictions(n, 1, noise=noise, classes=classes)),), 5)
        for noise in rivals
    ]
    return judge("full", model, fit_after_training(model), cohort_of(model), others, 10)


@cache
def judged_beside_a_rival(classes: int) -> Evaluation:
    """For tests that look at it from several sides."""
    return judged(classes, rivals=(2.0,))


def test_a_rival_that_is_called_full_keeps_its_own_epochs() -> None:
    """The row `mma` held against the full model: whose epochs `full` would be, nobody could tell."""
    model = with_train(ordinal_predictions(480, 1, noise=0.5))
    full = Rival("full", (with_train(ordinal_predictions(480, 1, noise=2.0)),), 40)
    found = judge("mma", model, fit_after_training(model), cohort_of(model), [full], 10)
    assert found.epochs == {"full": 40, "model": 10}


@pytest.mark.parametrize("classes", [2, 4, 5])
def test_the_document_is_whole_and_survives_its_own_json(classes: int) -> None:
    found = judged_beside_a_rival(classes)
    assert Evaluation.model_validate_json(found.model_dump_json()) == found
    names = {metric.name for metric in found.metrics}
    assert {
        "auroc",
        "brier",
        "calibration_slope",
        "calibration_in_the_large",
        "nll",
        "set_coverage",
        "set_size",
    } <= names
    assert {"auroc_noise-2.0", "auroc_gain_over_noise-2.0", "auroc_share_of_attainable"} <= names
    assert ("quadratic_weighted_kappa" in names) == (classes > 2)
    assert len(found.classes) == classes
    assert found.counts["test"] == 120
    assert found.epochs == {"noise-2.0": 5, "model": 10}
    assert found.distance is not None
    assert found.decision is not None
    assert found.sets is not None
    assert found.sets.resplits is not None
    assert (found.sets.resplits.calibration, found.sets.resplits.judged) == (120, 120)
    assert found.sets.resplits.groups[0].n == 240
    assert "noise-2.0" in found.decision.strategies
    assert all(
        each is not None for each in (found.discrimination, found.calibration, found.sets, found.selective)
    )


def test_every_interval_holds_its_number() -> None:
    found = judged_beside_a_rival(5)
    for metric in found.metrics:
        assert metric.low - 1e-9 <= metric.value <= metric.high + 1e-9, metric.name


def test_how_many_events_there_are_is_left_to_chance_too() -> None:
    """The log odds of a share of n patients have a standard error of at least 2 / sqrt(n), however good the model is."""
    metrics = judged_beside_a_rival(2).metrics
    shift = next(metric for metric in metrics if metric.name == "calibration_in_the_large")
    assert shift.high - shift.low > 0.9 * 2 * 1.96 * 2 / shift.n**0.5


def test_intervals_allow_for_how_few_had_the_event() -> None:
    model = with_train(ordinal_predictions(480, 1, noise=0.5, classes=2))
    label = np.where(np.random.default_rng(0).random(480) < 0.3, model.label, 0)
    rare = replace(model, label=label)
    fitted = fit_after_training(rare)
    found = judge("row", rare, fitted, cohort_of(rare))
    given = answers(rare, fitted.scaling, "test")
    assert 5 < given.event.sum() < 30
    area = Resamples(len(given), event=given.event).estimate(
        statistics.auroc(given.event_probability, given.event)
    )
    assert found.metrics[0] == area.metric("auroc")


def test_a_model_without_embeddings_has_no_distance() -> None:
    assert judged(5, embedding=np.zeros((480, 0), dtype=np.float32)).distance is None


def test_patients_have_no_true_probability() -> None:
    names = {metric.name for metric in judged(2, true_probability=np.full(480, np.nan)).metrics}
    assert not any(name.startswith("auroc_") for name in names)


def test_a_test_split_of_a_few_patients_gives_what_can_be_said() -> None:
    found = judged(5, n=24)
    assert found.counts["test"] == 6
    assert "set_coverage" in {metric.name for metric in found.metrics}


def test_the_cohort_must_know_every_patient() -> None:
    model = with_train(ordinal_predictions(120, 1))
    strangers = cohort_of(ordinal_predictions(120, 1, ids="q"))
    with pytest.raises(CohortError, match="not in the cohort"):
        judge("full", model, fit_after_training(model), strangers)


@pytest.mark.parametrize("lost", ["validation", "calibration", "test"])
def test_a_split_that_is_missing_is_named(lost: str) -> None:
    whole = with_train(ordinal_predictions(120, 1))
    model = whole.take(np.array([split != lost for split in whole.split]))
    with pytest.raises(CohortError, match=lost):
        judge("full", model, fit_after_training(model), cohort_of(model))
