from torch import nn

from tests.training.networks.support import FEATURES, SHAPE, small
from training.networks.cost import cost
from training.networks.model import FusionNet
from training.networks.rows import row


def test_parameters_and_work_are_those_of_the_network() -> None:
    """The convolutions of the image row, by hand: kernel x channels in x channels out x cells."""
    config = row(small(), "image")
    net = FusionNet(config, FEATURES)
    found = cost(config, FEATURES, SHAPE)
    heard = [net.backbone, net.head]  # no record
    assert found.parameters == sum(each.numel() for part in heard for each in part.parameters())
    work = 0
    for stage in range(4):
        cells = 1
        for count in net.backbone.stages[stage].lattice.cells(SHAPE):
            cells *= count
        layers = [
            net.backbone.net.get_submodule(f"layer{stage + 1}"),
            *([net.backbone.net.get_submodule("conv1")] if stage == 0 else []),
        ]
        weights = [m.weight.numel() for layer in layers for m in layer.modules() if isinstance(m, nn.Conv3d)]
        work += cells * sum(weights)
    assert work <= found.macs < 1.01 * work


def test_attention_costs_little_beside_the_convolutions() -> None:
    plain, full = (cost(row(small(), name), FEATURES, SHAPE) for name in ("image", "mma+mhgmu"))
    assert plain.macs < full.macs < 1.5 * plain.macs
    assert cost(row(small(), "record"), FEATURES, SHAPE).macs < 0.01 * plain.macs
