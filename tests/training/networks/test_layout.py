import torch
from torch import nn

from training.networks.layout import channels_last, store_channels_last


def test_values_stay_and_channels_become_neighbours() -> None:
    x = torch.randn(2, 3, 4, 5, 6)
    y = channels_last(x)
    assert torch.equal(x, y)
    assert y.stride(1) == 1


def test_convolution_weights_are_laid_out_and_others_left() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(4, 2))
    before = [parameter.clone() for parameter in net.parameters()]
    store_channels_last(net)
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
    assert net.get_parameter("0.weight").stride(1) == 1
