"""training.evaluation.comparison: paired differences agree with DeLong, pool seeds and folds, and pay for every question."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.evaluation.support import delong, ordinal_predictions
from training.cohort import CohortError
from training.evaluation import statistics
from training.evaluation.answers import Answers, answers, fit_on_validation
from training.evaluation.bootstrap import Resamples
from training.evaluation.comparison import Planned, Rows, holm
from training.predictions import Predictions

GOOD, POOR = (ordinal_predictions(900, seed=1, noise=noise) for noise in (0.2, 1.5))


def test_the_paired_interval_agrees_with_delong() -> None:
    for seed, noise in ((1, 0.8), (2, 1.2), (3, 1.6)):
        first, second = ordinal_predictions(900, seed, noise=0.5), ordinal_predictions(900, seed, noise=noise)
        (found,) = Rows({"a": [first], "b": [second]}).compare([Planned("a", "b")])
        one, other = (answers(each, fit_on_validation(each), "test") for each in (first, second))
        error, p = delong(one.event_probability, other.event_probability, one.event)
        width = found.difference.high - found.difference.low
        assert width == pytest.approx(2 * 1.96 * error, rel=0.15)
        assert found.p == pytest.approx(p, abs=0.03)


def test_of_a_rare_event_differences_and_p_allow_for_how_few_had_it() -> None:
    rng, event = np.random.default_rng(2), np.arange(80) < 5
    score = rng.normal(event)
    models = {
        name: Answers(
            patient_id=tuple(str(number) for number in range(80)),
            label=event.astype(np.int64),
            probabilities=np.stack([1 - p, p], axis=1),
            true_probability=np.full(80, np.nan),
        )
        for name, noise in (("near", 0.1), ("far", 3.0))
        for p in [1 / (1 + np.exp(-(score + noise * rng.normal(size=80))))]
    }
    (found,) = Rows({name: [each] for name, each in models.items()}).compare([Planned("near", "far")])
    near, far = (statistics.auroc(each.event_probability, event) for each in models.values())
    gain = statistics.difference(near, far)
    allowing, plain = (Resamples(80, event=each).estimate(gain) for each in (event, None))
    assert found.difference == allowing.metric("auroc")
    assert found.p == allowing.p > plain.p
    low, high = plain.interval
    assert found.difference.high - found.difference.low > 1.2 * (high - low)


def test_a_better_model_is_found_better_and_equal_ones_equal() -> None:
    rows = Rows({"good": [GOOD], "poor": [POOR], "twin": [GOOD]})
    better, equal = rows.compare([Planned("good", "poor"), Planned("good", "twin")])
    assert better.difference.low > 0
    assert better.p_holm < 0.05
    assert (equal.difference.value, equal.p, equal.p_holm) == (0, 1, 1)


def test_the_difference_turns_its_sign_with_its_rows() -> None:
    rows = Rows({"good": [GOOD], "poor": [POOR]})
    there, back = rows.compare([Planned("good", "poor", "nll"), Planned("poor", "good", "nll")])
    assert there.difference.value == -back.difference.value
    assert (there.difference.low, there.difference.high) == pytest.approx(
        (-back.difference.high, -back.difference.low)
    )
    assert there.difference.value < 0  # the better model has the lower likelihood loss


def test_several_seeds_count_as_their_mean() -> None:
    seeds = [ordinal_predictions(600, seed=5, noise=noise) for noise in (0.3, 0.6, 0.9)]
    each = [Rows({"row": [one]}).metric("row", "auroc").value for one in seeds]
    assert Rows({"row": seeds}).metric("row", "auroc").value == pytest.approx(np.mean(each))


def test_a_perfect_row_is_not_certain_in_a_table_either() -> None:
    whole = ordinal_predictions(24, seed=5)
    exact = np.where(whole.label[:, None] > np.arange(4), 9.0, -9.0).astype(np.float32)
    found = Rows({"row": [replace(whole, logits=exact), replace(whole, logits=2 * exact)]}).metric(
        "row", "auroc"
    )
    assert found.value == 1
    assert found.low < 0.7


def test_folds_that_test_other_patients_each_are_pooled() -> None:
    whole = [ordinal_predictions(900, seed=6, noise=noise) for noise in (0.3, 1.5)]
    good, poor = ([_fold(model, 3, fold) for fold in range(3)] for model in whole)
    (found,) = Rows({"good": good, "poor": poor}).compare([Planned("good", "poor")])
    (at_once,) = Rows({"good": [whole[0]], "poor": [whole[1]]}).compare([Planned("good", "poor")])
    assert found.difference.n == 300
    assert found.difference.value == pytest.approx(at_once.difference.value, abs=0.02)
    width, expected = (each.difference.high - each.difference.low for each in (found, at_once))
    assert width == pytest.approx(expected, rel=0.2)


def test_rows_of_other_patients_are_refused() -> None:
    with pytest.raises(CohortError, match="the same patients"):
        Rows({"a": [GOOD], "b": [ordinal_predictions(900, seed=1, ids="q")]})


def test_a_row_without_discrimination_gives_no_claim_about_it() -> None:
    constant = Predictions(**(vars(GOOD) | {"logits": np.zeros_like(GOOD.logits)}))
    rows = Rows({"good": [GOOD], "prevalence": [constant]})
    found = rows.compare([Planned("good", "prevalence"), Planned("good", "prevalence", "calibration_slope")])
    assert [each.metric for each in found] == ["auroc"]
    assert found[0].difference.value == pytest.approx(rows.metric("good", "auroc").value - 0.5)


def test_holm_of_a_known_family() -> None:
    """Holm's own steps on (0.01, 0.04, 0.03): 3 x 0.01, then 2 x 0.03, then 0.04 raised to its forerunner."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_never_lowers_a_p_keeps_their_order_and_lies_below_bonferroni(p: list[float]) -> None:
    adjusted = np.array(holm(p))
    assert (adjusted >= np.array(p) - 1e-12).all()
    assert (adjusted <= np.minimum(1, len(p) * np.array(p)) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()


def _fold(model: Predictions, folds: int, fold: int) -> Predictions:
    """The model with a third of its test patients only, as one fold of a cross-validation leaves it."""
    tested = np.flatnonzero(model.rows("test"))
    return model.take(np.sort(np.r_[np.flatnonzero(model.rows("validation")), tested[fold::folds]]))
