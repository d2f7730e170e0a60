"""Numbers as journals write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.model_package.manifest import Metric
from training.report.words import (
    clipped,
    decimal,
    estimate,
    glossary,
    listed,
    metric_words,
    p_value,
    percent,
    sentence,
)


@given(st.floats(-100, 100), st.integers(0, 4))
def test_a_decimal_reads_back_as_the_rounded_number(value: float, digits: int) -> None:
    text = decimal(value, digits)
    assert float(text.replace("\N{MINUS SIGN}", "-")) == pytest.approx(round(value, digits), abs=1e-9)
    assert "-" not in text
    assert text.strip("\N{MINUS SIGN}0.") or "\N{MINUS SIGN}" not in text


def test_an_interval_does_not_break_and_uses_words_for_its_dash() -> None:
    metric = Metric(name="auroc", value=0.8571, low=-0.01, high=0.9, n=10)
    assert estimate(metric, 2) == "0.86 (\N{MINUS SIGN}0.01\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}0.90)"


@pytest.mark.parametrize(
    ("p", "words"),
    [(0.0, "<0.001"), (0.0009, "<0.001"), (0.004, "0.004"), (0.034, "0.03"), (0.41, "0.41"), (1.0, "1.00")],
)
def test_p_values_have_the_digits_that_matter(p: float, words: str) -> None:
    assert p_value(p) == words


def test_a_metric_nobody_named_is_still_shown() -> None:
    assert metric_words("brand_new_measure").short == "Brand new measure"
    assert metric_words("auroc_gain_over_image").long == "paired gain in AUROC over image alone"
    assert metric_words("auroc_daft").long == "AUROC on the same cases of the rival daft"
    assert metric_words("auroc_attainable").short == "Attainable AUROC"
    assert metric_words("net_benefit_gain_at_30").short == "Gain at 30 %"


def test_words_are_joined() -> None:
    assert [listed([]), listed(["a"]), listed(["a", "b", "c"])] == ["", "a", "a, b and c"]
    assert sentence("area below") == "Area below"
    assert percent(0.0505) == "5.0\N{NO-BREAK SPACE}%" or percent(0.0505) == "5.1\N{NO-BREAK SPACE}%"


def test_a_glossary_leaves_out_what_says_itself() -> None:
    assert glossary(["brier", "nll"]) == "NLL: negative log-likelihood of the classes."


def test_a_label_that_would_not_fit_is_cut_and_says_so() -> None:
    assert clipped("short", 5) == "short"
    assert clipped("a long label", 8) == "a long\N{HORIZONTAL ELLIPSIS}"
