import torch

from training.networks.slices import SliceAttention, SliceMean, fold, repeat, unfold


def test_folding_and_unfolding_are_each_others_inverse() -> None:
    volumes = torch.randn(2, 3, 4, 5, 6)
    slices = fold(volumes)
    assert slices.shape == (8, 3, 5, 6)
    assert torch.equal(slices[5], volumes[1, :, 1])
    assert torch.equal(unfold(slices, 4), volumes)


def test_every_slice_of_a_patient_gets_the_patients_row() -> None:
    assert torch.equal(repeat(torch.tensor([[1.0, 2], [3, 4]]), 3)[:, 0], torch.tensor([1.0, 1, 1, 3, 3, 3]))


def test_attention_over_slices_starts_as_their_mean_and_learns_to_choose() -> None:
    pooling, v = SliceAttention(8), torch.randn(16, 5, 8)
    torch.testing.assert_close(pooling(v), SliceMean()(v))
    v[..., 0] = 0
    wanted = torch.randint(0, 5, (16,))
    v[torch.arange(16), wanted, 0] = 3  # one slice of each patient is marked
    optimizer = torch.optim.Adam(pooling.parameters(), lr=0.05)
    target = v[torch.arange(16), wanted]
    first = (pooling(v) - target).square().mean().item()
    for _ in range(60):
        optimizer.zero_grad()
        loss = (pooling(v) - target).square().mean()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2 * first


def test_one_slice_is_its_own_pool() -> None:
    v = torch.randn(3, 1, 8)
    torch.testing.assert_close(SliceAttention(8)(v), v[:, 0])
