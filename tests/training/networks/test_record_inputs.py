from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.networks.support import FEATURES, category, number
from training.networks.config import EhrConfig
from training.networks.record_inputs import LIMIT, Standardise

QUIET = EhrConfig(feature_dropout=0, record_dropout=0)


def _fitted(config: EhrConfig = QUIET) -> Standardise:
    layer = Standardise(FEATURES, config).eval()
    values = torch.tensor([[40.0, 0, 5, 0], [60, 1, 7, 2], [80, 0, 9, 0]])
    layer.fit_statistics(values, torch.zeros_like(values))
    return layer


def test_numbers_become_z_scores_and_categories_rows() -> None:
    record = _fitted()(torch.tensor([[80.0, 1, 7, 2]]), torch.zeros(1, 4))
    torch.testing.assert_close(record.numbers, torch.tensor([[1.5**0.5, 0]]))
    assert record.known.tolist() == [[1, 1]]
    assert record.levels.tolist() == [[2, 3]]


def test_statistics_look_at_observed_values_only() -> None:
    layer = Standardise(FEATURES, QUIET)
    values = torch.tensor([[40.0, 0, 5, 0], [60, 1, 7, 1], [1e9, 0, float("nan"), 2]])
    missing = torch.tensor([[0.0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 1, 1]])
    layer.fit_statistics(values, missing)
    torch.testing.assert_close(layer.mean, torch.tensor([50.0, 6.0]))
    torch.testing.assert_close(layer.sd, torch.tensor([10.0, 1.0]))


def test_statistics_do_not_change_when_other_rows_are_served() -> None:
    layer = _fitted()
    before = {name: buffer.clone() for name, buffer in layer.named_buffers()}
    layer(torch.randn(50, 4).abs() * 100, torch.zeros(50, 4))
    layer.train()(torch.randn(50, 4).abs() * 100, torch.zeros(50, 4))
    assert all(torch.equal(before[name], buffer) for name, buffer in layer.named_buffers())


def test_a_value_far_out_is_clipped() -> None:
    assert _fitted()(torch.tensor([[1e9, 0, -1e9, 0]]), torch.zeros(1, 4)).numbers.tolist() == [
        [LIMIT, -LIMIT]
    ]


@pytest.mark.parametrize("log1p", [(), ("a",)])
def test_the_limits_are_where_a_number_begins_to_be_clipped(log1p: tuple[str, ...]) -> None:
    layer = Standardise([number("a")], EhrConfig(feature_dropout=0, record_dropout=0, log1p=log1p)).eval()
    layer.fit_statistics(torch.tensor([[2.0], [3.0], [5.0]]), torch.zeros(3, 1))
    low, high = layer.limits()[0]
    at, beyond, inside = layer(torch.tensor([[high], [10 * high], [0.99 * high]]), torch.zeros(3, 1)).numbers
    assert at.item() == pytest.approx(LIMIT, rel=1e-5)
    assert beyond.item() == LIMIT
    assert inside.item() < at.item()
    assert low < 2


def test_of_a_feature_that_enters_as_its_logarithm_nothing_below_0_is_told_apart() -> None:
    """Such as a base excess that should not have been named: the service says that it was taken as 0."""
    layer = Standardise([number("a")], replace(QUIET, log1p=("a",))).eval()
    layer.fit_statistics(torch.tensor([[0.0], [1.0], [6.0]]), torch.zeros(3, 1))
    low, _ = layer.limits()[0]
    assert low == 0
    at, below = layer(torch.tensor([[0.0], [-5.0]]), torch.zeros(2, 1)).numbers
    assert at == below


def test_a_feature_that_counts_as_missing_has_both_limits_at_one_place() -> None:
    """`app.model_package.training_summary` tells by it that every value is taken for missing."""
    layer = Standardise([number("a"), number("b")], QUIET)
    layer.fit_statistics(torch.tensor([[7.0, 1.0], [7.0, 2.0]]), torch.zeros(2, 2))
    (low, high), told_apart = (layer.limits()[column] for column in (0, 1))
    assert low == high
    assert told_apart[0] < told_apart[1]


@pytest.mark.parametrize("value", [0.0, 3.0, 250.3])
def test_a_feature_with_one_value_in_training_says_nothing_whatever_it_is_later(value: float) -> None:
    layer = Standardise([number("a")], QUIET).eval()
    layer.fit_statistics(torch.full((37, 1), value), torch.zeros(37, 1))
    record = layer(torch.tensor([[value], [value + 1]]), torch.zeros(2, 1))
    assert record.numbers.tolist() == [[0.0], [0.0]]
    assert record.known.tolist() == [[0.0], [0.0]], "as missing: its weights were never trained"


def test_what_training_never_saw_counts_as_missing() -> None:
    layer = Standardise(FEATURES, QUIET).eval()
    values = torch.tensor([[40.0, 0, 5, 0], [60, 1, 5, 2]])
    missing = torch.tensor([[0.0, 0, 1, 0], [0, 0, 1, 0]])
    layer.fit_statistics(values, missing)
    record = layer(torch.tensor([[50.0, 1, 9, 1]]), torch.zeros(1, 4))
    assert record.known.tolist() == [[1, 0]], "glucose was never observed"
    assert record.levels.tolist() == [[2, 0]], "the middle place was never seen"


@settings(deadline=None, max_examples=30)
@given(st.sampled_from([0.0, 1e30, -1e30, float("nan"), float("inf"), -7.0]))
def test_a_value_under_the_flag_has_no_effect(junk: float) -> None:
    layer, missing = _fitted(EhrConfig(log1p=("glucose",))), torch.ones(1, 4)
    plain, odd = layer(torch.zeros(1, 4), missing), layer(torch.full((1, 4), junk), missing)
    assert all(torch.equal(a, b) for a, b in zip(plain, odd, strict=True))
    assert odd.levels.tolist() == [[0, 0]]


def test_log1p_is_applied_to_the_named_feature_alone() -> None:
    layer = Standardise(FEATURES, EhrConfig(log1p=("glucose",))).eval()
    record = layer(torch.tensor([[2.0, 0, torch.e**2 - 1, 0]]), torch.zeros(1, 4))
    torch.testing.assert_close(record.numbers, torch.tensor([[2.0, 2.0]]))


def test_log1p_of_a_feature_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="sex"):
        Standardise(FEATURES, EhrConfig(log1p=("sex",)))


def test_an_empty_record_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Standardise([], QUIET)


@pytest.mark.parametrize("features", [[number("a")], [category("b", "x", "y")]])
def test_a_record_may_hold_numbers_only_or_categories_only(features: list[object]) -> None:
    layer = Standardise(features, QUIET).eval()  # type: ignore[arg-type]
    record = layer(torch.ones(2, 1), torch.zeros(2, 1))
    assert len(record.numbers) == len(record.levels) == 2


def test_training_hides_features_and_whole_records_at_their_rates_and_serving_none() -> None:
    layer = Standardise(
        [number(name) for name in "abcdefgh"], EhrConfig(feature_dropout=0.1, record_dropout=0.3)
    )
    values, missing = torch.ones(20_000, 8), torch.zeros(20_000, 8)
    known = layer.train()(values, missing).known
    assert (known.sum(1) == 0).float().mean().item() == pytest.approx(0.3, abs=0.02)
    assert known[known.sum(1) > 0].mean().item() == pytest.approx(0.9, abs=0.02)
    assert layer.eval()(values, missing).known.all()
