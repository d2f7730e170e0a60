import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from training.networks.heads import class_probabilities, favourable_probability
from training.networks.lattice import Lattice
from training.networks.losses import corn_loss, favourable_loss, guidance_loss, outcome_loss, pool_mask

VOXELS = Lattice.voxels(3)


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


def _cells(steps: int, shape: tuple[int, int, int]) -> tuple[Lattice, tuple[int, ...]]:
    """Cells after so many strided convolutions, the first of stride (1, 2, 2)."""
    lattice = Lattice.voxels(3).then((3, 5, 5), (1, 2, 2))
    for _ in range(1, steps):
        lattice = lattice.then(3, 2)
    return lattice, lattice.cells(shape)


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_a_pooled_mask_marks_the_cell_at_the_lesion_and_no_other(steps: int) -> None:
    lattice, cells = _cells(steps, (28, 112, 96))
    mask = torch.zeros(1, 1, 28, 112, 96)
    mask[0, 0, 16, 64, 48] = 1
    pooled = pool_mask(mask, lattice, cells)
    assert pooled.shape[2:] == cells
    d, h, w = lattice.stride
    assert pooled.nonzero()[:, 2:].tolist() == [[16 // d, 64 // h, 48 // w]]


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.sampled_from([(3, 2, 1), (2, 2, 0), (3, 1, 1), (5, 3, 2), (2, 1, 0)]), max_size=4),
    st.integers(24, 41),
    st.data(),
)
def test_a_lesion_reaches_just_the_cells_whose_centres_are_near(
    windows: list[tuple[int, int, int]], size: int, data: st.DataObject
) -> None:
    """Whatever the layers: a cell answers to a voxel within half a stride (or, where that falls between, one half more)."""
    lattice = Lattice.voxels(3)
    for kernel, stride, padding in windows:
        lattice = lattice.then((1, 1, kernel), (1, 1, stride), (0, 0, padding))
    cells = lattice.cells((1, 1, size))
    if cells[2] < 1:
        return
    voxel = data.draw(st.integers(0, size - 1))
    mask = torch.zeros(1, 1, 1, 1, size)
    mask[..., voxel] = 1
    step = lattice.stride[2]
    distance = (torch.arange(cells[2]) * step + lattice.offset[2] - voxel).abs()
    found = pool_mask(mask, lattice, cells)[0, 0, 0, 0] > 0
    assert found[distance <= (step - 1) / 2].all()
    assert not found[distance > step / 2].any()


def test_guidance_rewards_logits_on_the_lesion_and_not_beside_it() -> None:
    mask = torch.zeros(1, 1, 4, 16, 16)
    mask[..., 4:9, 4:9] = 1
    stages, known = [_cells(steps, (4, 16, 16)) for steps in (1, 2)], torch.tensor([True])
    lattices = [lattice for lattice, _ in stages]
    on = [4 * (2 * pool_mask(mask, lattice, cells) - 1) for lattice, cells in stages]
    beside = [logits.roll(2, -1) for logits in on]
    assert guidance_loss(on, lattices, mask, known, 10) < guidance_loss(beside, lattices, mask, known, 10)


def test_samples_without_a_mask_count_for_nothing() -> None:
    logits = torch.randn(3, 1, 4, 8, 8, requires_grad=True)
    mask = (torch.rand(3, 1, 4, 8, 8) > 0.8).float()
    some = guidance_loss([logits], [VOXELS], mask, torch.tensor([True, False, True]), 5)
    torch.autograd.backward(some)
    kept = torch.tensor([0, 2])
    alone = guidance_loss([logits[kept]], [VOXELS], mask[kept], torch.ones(2, dtype=torch.bool), 5)
    torch.testing.assert_close(some, alone)
    assert logits.grad is not None
    assert not logits.grad[1].any()
    none = guidance_loss([logits], [VOXELS], mask, torch.zeros(3, dtype=torch.bool), 5)
    assert none.item() == 0


def test_a_lesion_cell_weighs_what_it_is_told() -> None:
    logits, known = torch.zeros(1, 1, 2, 4, 4), torch.tensor([True])
    lesion, nothing = torch.ones(1, 1, 2, 4, 4), torch.zeros(1, 1, 2, 4, 4)
    one = guidance_loss([logits], [VOXELS], nothing, known, 7)
    torch.testing.assert_close(guidance_loss([logits], [VOXELS], lesion, known, 7), 7 * one)


def test_guidance_is_a_mean_over_cells_patients_and_stages() -> None:
    """Logits of zero say one half of every cell: log 2, of however many."""
    for patients, stages in ((1, 1), (3, 2)):
        logits = [torch.zeros(patients, 1, 2, 4, 4)] * stages
        known = torch.ones(patients, dtype=torch.bool)
        nothing = torch.zeros(patients, 1, 2, 4, 4)
        found = guidance_loss(logits, [VOXELS] * stages, nothing, known, 7)
        torch.testing.assert_close(found, torch.tensor(2.0).log())
