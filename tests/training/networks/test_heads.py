import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from training.networks.config import CLASSES, FAVOURABLE_FROM, GOS_CLASSES, HeadConfig, Outcome
from training.networks.heads import (
    Head,
    class_probabilities,
    favourable_probability,
    log_class_probabilities,
)

OUTCOMES: tuple[Outcome, ...] = ("ordinal5", "ordinal4", "binary")


@settings(deadline=None)
@given(st.lists(st.floats(-200, 200, width=32), min_size=4, max_size=4))
def test_class_probabilities_are_shares_and_agree_with_the_favourable_outcome(f: list[float]) -> None:
    """Method, test 4: p >= 0, sum 1, c_2 = p_4 + p_5."""
    logits = torch.tensor([f])
    p = class_probabilities(logits)
    assert (p >= 0).all()
    assert p.sum().item() == pytest.approx(1, abs=1e-6)
    assert p[0, 3:].sum().item() == pytest.approx(favourable_probability(logits, "ordinal5").item(), abs=1e-6)


@settings(deadline=None)
@given(st.lists(st.floats(-15, 15), min_size=1, max_size=4))
def test_logarithms_are_those_of_the_class_probabilities(f: list[float]) -> None:
    logits = torch.tensor([f], dtype=torch.float64)
    torch.testing.assert_close(log_class_probabilities(logits).exp(), class_probabilities(logits))


def test_a_probability_that_rounds_to_0_has_a_logarithm_and_a_gradient() -> None:
    logits = torch.tensor([[-800.0]], requires_grad=True)
    log_p = log_class_probabilities(logits)[0, 1]
    (gradient,) = torch.autograd.grad(log_p, logits)
    assert log_p.item() == pytest.approx(-800)
    assert gradient.item() == pytest.approx(1)


def test_probabilities_are_the_products_corn_defines() -> None:
    f = torch.randn(6, 4)
    s = f.sigmoid()
    c = [s[:, 0], s[:, 0] * s[:, 1], s[:, 0] * s[:, 1] * s[:, 2], s.prod(1)]
    expected = torch.stack([1 - c[0], c[0] - c[1], c[1] - c[2], c[2] - c[3], c[3]], dim=1)
    torch.testing.assert_close(class_probabilities(f), expected)


def test_one_logit_is_the_plain_logistic() -> None:
    logit = torch.randn(5, 1)
    torch.testing.assert_close(class_probabilities(logit)[:, 1], logit[:, 0].sigmoid())
    torch.testing.assert_close(favourable_probability(logit, "binary"), logit[:, 0].sigmoid())


def test_a_better_logit_never_lowers_the_chance_of_a_favourable_outcome() -> None:
    f = torch.randn(50, 4)
    for k in range(4):
        better = f.clone()
        better[:, k] += 1
        assert (favourable_probability(better, "ordinal5") >= favourable_probability(f, "ordinal5")).all()


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_head_has_a_logit_for_each_threshold(outcome: Outcome) -> None:
    head = Head(8, HeadConfig(outcome=outcome))
    assert class_probabilities(head(torch.randn(2, 8))).shape == (2, CLASSES[outcome])


@pytest.mark.parametrize(
    ("outcome", "classes"),
    [("ordinal5", [0, 1, 2, 3, 4]), ("ordinal4", [0, 1, 1, 2, 3]), ("binary", [0, 0, 0, 1, 1])],
)
def test_scores_become_classes_and_favourable_is_4_and_5_in_each(
    outcome: Outcome, classes: list[int]
) -> None:
    assert list(GOS_CLASSES[outcome]) == classes
    assert [one >= FAVOURABLE_FROM[outcome] for one in classes] == [False, False, False, True, True]
