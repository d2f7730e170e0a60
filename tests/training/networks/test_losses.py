import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from training.networks.heads import class_probabilities, favourable_probability
from training.networks.losses import corn_loss, favourable_loss, guidance_loss, outcome_loss, pool_mask


def test_corn_asks_each_threshold_only_of_those_who_reached_it() -> None:
    logits, target = torch.randn(5, 4), torch.tensor([0, 1, 2, 4, 4])
    expected = []
    for k in range(4):
        reached = target >= k
        answers = (target[reached] > k).float()
        expected.append(functional.binary_cross_entropy_with_logits(logits[reached, k], answers))
    torch.testing.assert_close(corn_loss(logits, target), torch.stack(expected).mean())


def test_a_threshold_nobody_reached_gets_no_gradient_and_does_not_count() -> None:
    logits = torch.randn(3, 4, requires_grad=True)
    target = torch.tensor([0, 1, 0])
    torch.autograd.backward(corn_loss(logits, target))
    assert logits.grad is not None
    assert not logits.grad[:, 2:].any()
    torch.testing.assert_close(corn_loss(logits, target), corn_loss(logits[:, :2], target))


def test_the_favourable_term_is_the_cross_entropy_of_the_product() -> None:
    logits, target = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 4, 3])
    expected = functional.binary_cross_entropy(
        favourable_probability(logits, "ordinal5"), (target >= 3).float()
    )
    torch.testing.assert_close(favourable_loss(logits, target, 3), expected)


@settings(deadline=None)
@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=4, max_size=4), st.integers(0, 4))
def test_the_loss_and_its_gradient_stay_finite_for_any_logits(f: list[float], y: int) -> None:
    logits = torch.tensor([f], requires_grad=True)
    loss = outcome_loss(logits, torch.tensor([y]), "ordinal5")
    torch.autograd.backward(loss)
    assert loss.isfinite()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_minimising_the_ordinal_loss_finds_the_class_frequencies() -> None:
    """Four cases of five classes and no input: the best constant answer is the frequencies."""
    target = torch.tensor([0, 0, 0, 1, 2, 2, 3, 3, 3, 4])
    logits = torch.zeros(1, 4, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        torch.autograd.backward(outcome_loss(logits.expand(10, -1), target, "ordinal5"))
        optimizer.step()
    torch.testing.assert_close(
        class_probabilities(logits.detach())[0], target.bincount() / 10, atol=0.01, rtol=0
    )


def test_two_classes_take_plain_cross_entropy() -> None:
    logits, target = torch.randn(4, 1), torch.tensor([0, 1, 1, 0])
    expected = functional.binary_cross_entropy_with_logits(logits[:, 0], target.float())
    torch.testing.assert_close(outcome_loss(logits, target, "binary"), expected)


@pytest.mark.parametrize("stride", [(1, 2, 2), (2, 4, 4), (4, 8, 8), (8, 16, 16)])
def test_a_pooled_mask_has_the_stages_cells_and_marks_the_one_at_the_lesion(
    stride: tuple[int, int, int],
) -> None:
    mask = torch.zeros(1, 1, 28, 112, 96)
    mask[0, 0, 16, 64, 48] = 1
    pooled = pool_mask(mask, stride)
    assert pooled.shape[2:] == tuple((n - 1) // s + 1 for n, s in zip(mask.shape[2:], stride, strict=True))
    assert pooled.nonzero()[:, 2:].tolist() == [[16 // stride[0], 64 // stride[1], 48 // stride[2]]]


def test_guidance_rewards_logits_on_the_lesion_and_not_beside_it() -> None:
    mask = torch.zeros(1, 1, 4, 16, 16)
    mask[..., 4:9, 4:9] = 1
    strides, known = [(1, 2, 2), (2, 4, 4)], torch.tensor([True])
    on = [4 * (2 * pool_mask(mask, stride) - 1) for stride in strides]
    beside = [logits.roll(2, -1) for logits in on]
    assert guidance_loss(on, strides, mask, known, 10) < guidance_loss(beside, strides, mask, known, 10)


def test_samples_without_a_mask_count_for_nothing() -> None:
    logits = torch.randn(3, 1, 4, 8, 8, requires_grad=True)
    mask = (torch.rand(3, 1, 4, 8, 8) > 0.8).float()
    some = guidance_loss([logits], [(1, 1, 1)], mask, torch.tensor([True, False, True]), 5)
    torch.autograd.backward(some)
    kept = torch.tensor([0, 2])
    alone = guidance_loss([logits[kept]], [(1, 1, 1)], mask[kept], torch.ones(2, dtype=torch.bool), 5)
    torch.testing.assert_close(some, alone)
    assert logits.grad is not None
    assert not logits.grad[1].any()
    none = guidance_loss([logits], [(1, 1, 1)], mask, torch.zeros(3, dtype=torch.bool), 5)
    assert none.item() == 0


def test_a_lesion_cell_weighs_what_it_is_told() -> None:
    logits, known = torch.zeros(1, 1, 4, 4), torch.tensor([True])
    lesion, nothing = torch.ones(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    one = guidance_loss([logits], [(1, 1)], nothing, known, 7)
    torch.testing.assert_close(guidance_loss([logits], [(1, 1)], lesion, known, 7), 7 * one)
