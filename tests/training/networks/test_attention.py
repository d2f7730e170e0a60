from collections.abc import Sequence

import torch

from training.networks.attention import combine, relative_heatmap, smooth
from training.networks.lattice import Lattice


def _at(*strides: tuple[int, ...]) -> Sequence[Lattice]:
    """Cells at the multiples of these strides."""
    return [Lattice(stride, (0.0,) * len(stride)) for stride in strides]


def test_no_stage_outweighs_another_by_its_scale_or_offset() -> None:
    one, two = torch.randn(2, 1, 8, 8), torch.randn(2, 1, 4, 4)
    lattices = _at((2, 2), (4, 4))
    torch.testing.assert_close(combine([one, two], lattices), combine([one, 50 * two - 3], lattices))


def test_every_image_is_standardised_on_its_own() -> None:
    one = torch.randn(2, 1, 8, 8)
    alone = combine([one[:1]], _at((2, 2)))
    one[1] *= 100
    torch.testing.assert_close(combine([one], _at((2, 2)))[:1], alone)


def test_peaks_of_all_stages_at_one_place_add_up_there() -> None:
    """Cell o lies on voxel o * stride: index 8, 4 and 2 of these three stages are one place."""
    strides, maps = [(1, 2, 2), (2, 4, 4), (4, 8, 8)], []
    for (d, *_), size in zip(strides, (16, 8, 4), strict=True):
        stage = torch.zeros(1, 1, size, size, size)
        stage[0, 0, 8 // d, 8 // d, 8 // d] = 1
        maps.append(stage)
    attention = combine(maps, _at(*strides))
    assert attention.shape == (1, 16, 16, 16)
    assert attention[0].argmax().item() == (8 * 16 + 8) * 16 + 8
    torch.testing.assert_close(attention[0, 8, 8, 7], attention[0, 8, 8, 9])


def test_without_standardising_the_mean_is_in_logits() -> None:
    maps = [torch.full((1, 1, 4, 4), 2.0), torch.full((1, 1, 2, 2), 4.0)]
    torch.testing.assert_close(
        combine(maps, _at((1, 1), (2, 2)), standardise=False), torch.full((1, 4, 4), 3.0)
    )


def test_the_heatmap_is_0_at_the_average_and_1_at_the_peak() -> None:
    attention = torch.tensor([[[-4.0, 0, 4, 4, 4, 4]], [[0.0, 0, 0.2, 0, 0, 0]]])
    torch.testing.assert_close(
        relative_heatmap(attention), torch.tensor([[[0, 0, 0.75, 1, 1, 1]], [[0, 0.5, 1, 0.5, 0, 0]]])
    )


def test_smoothing_keeps_the_mean_inside_and_leaves_an_even_map_alone() -> None:
    spot = torch.zeros(1, 5, 6, 7)
    spot[0, 2, 3, 3] = 1
    smoothed = smooth(spot)
    torch.testing.assert_close(smoothed.sum(), spot.sum())
    torch.testing.assert_close(smoothed[0, 2, 3, 3], torch.tensor(1 / 8))
    torch.testing.assert_close(smooth(torch.full((2, 4, 4), 3.0)), torch.full((2, 4, 4), 3.0))


def test_the_peak_of_a_bright_rim_lies_inside_it() -> None:
    attention = torch.zeros(1, 9, 9)
    attention[0, 3:6, 3:6] = 1.0
    attention[0, 4, 4] = 0.6  # gates answer to the edge more than to the middle
    assert relative_heatmap(attention)[0].argmax().item() == 4 * 9 + 4


def test_even_attention_is_an_empty_heatmap() -> None:
    even = combine([torch.full((1, 1, 4, 4), 0.7)], _at((2, 2)))
    assert not relative_heatmap(even).any()
