"""One convolution for slices and volumes."""

import pytest
import torch

from training.networks.convolution import padded_convolution

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("kernel", "size", "strided"), [((3, 7), (8, 9), (4, 5)), ((1, 3, 5), (4, 8, 9), (2, 4, 5))]
)
def test_it_keeps_the_size_in_either_dimension_and_halves_it_by_a_stride_of_two(
    kernel: tuple[int, ...], size: tuple[int, ...], strided: tuple[int, ...]
) -> None:
    maps = torch.randn(1, 2, *size)
    assert padded_convolution(2, 3, kernel)(maps).shape == (1, 3, *size)
    halving = padded_convolution(2, 3, kernel, [2] * len(kernel), bias=False)
    assert halving(maps).shape == (1, 3, *strided)
    assert halving.bias is None
