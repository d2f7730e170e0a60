"""training.learning.averaging: the average of the weights follows the network, more calmly."""

import pytest
import torch

from tests.training.test_train import AGE, small_config
from training.learning.averaging import WeightAverage
from training.networks.model import FusionNet


def network() -> FusionNet:
    torch.manual_seed(1)
    return FusionNet(small_config(1).model, [AGE])


def shift(net: FusionNet, by: float) -> None:
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(by)


def first(net: FusionNet) -> float:
    return next(net.parameters()).flatten()[0].item()


def test_without_decay_it_is_the_network_itself() -> None:
    net = network()
    average = WeightAverage(net, 0.0)
    average.update()
    assert average.net is net


def test_weights_that_stand_still_are_their_own_average() -> None:
    net = network()
    average = WeightAverage(net, 0.9)
    for _ in range(5):
        average.update()
    for name, value in average.net.state_dict().items():
        torch.testing.assert_close(value, net.state_dict()[name])


def test_the_average_lies_between_the_past_and_the_present() -> None:
    net = network()
    average = WeightAverage(net, 0.9)
    average.update()
    past = first(net)
    shift(net, 1.0)
    average.update()
    assert past < first(average.net) < first(net)


def test_the_first_weights_are_forgotten() -> None:
    net = network()
    average = WeightAverage(net, 0.99)
    average.update()
    shift(net, 1.0)
    for _ in range(
        60
    ):  # with a decay of 0.99 from the first step on, 0.99**60 = 55 % of the start would be left
        average.update()
    assert first(net) - first(average.net) < 0.01


def test_the_average_does_not_move_the_network() -> None:
    net = network()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    average = WeightAverage(net, 0.9)
    average.update()
    shift(average.net, 1.0)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


@pytest.mark.parametrize("decay", [-0.1, 1.0])
def test_a_decay_outside_its_range_is_refused(decay: float) -> None:
    with pytest.raises(ValueError, match="expected a number in"):
        WeightAverage(network(), decay)
