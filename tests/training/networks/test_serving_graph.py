import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from torch import Tensor, nn

from app.inference.graph_contract import INPUTS, OUTPUTS
from tests.training.networks.support import FEATURES, LARGE, SHAPE, batch, on, small, wake
from training.names import Spatial
from training.networks.backbones import densenet, efficientnet
from training.networks.config import (
    BackboneConfig,
    BackboneName,
    EhrConfig,
    HeadConfig,
    Intensity,
    MmaConfig,
    ModelConfig,
)
from training.networks.heads import class_probabilities
from training.networks.model import FusionNet
from training.networks.rows import row
from training.networks.serving_graph import ServingGraph
from training.packaging.onnx_graph import write_onnx


def _net(config: ModelConfig | None = None) -> FusionNet:
    net = FusionNet(config or small(), FEATURES)
    wake(net)
    net.fit_statistics(*batch(30)[1:])
    return net.eval()


def _config(intensity: Intensity, spatial: Spatial, kind: str, head: HeadConfig) -> ModelConfig:
    base = small(
        mma=MmaConfig(stages=(1, 2, 3), kernel=(3, 5, 5), spatial=spatial),
        ehr=EhrConfig(width=16, kind="tokens" if kind == "tokens" else "mlp", log1p=("glucose",)),
    )
    return ModelConfig(
        intensity=intensity, backbone=base.backbone, ehr=base.ehr, mma=base.mma, gmu=base.gmu, head=head
    )


def _assert_onnx_runtime_agrees(graph: ServingGraph, shape: tuple[int, int, int], file: Path) -> None:
    write_onnx(graph, shape, len(FEATURES), file)
    assert [path.name for path in file.parent.iterdir()] == [file.name], "the weights must be inside"
    assert max(one.version for one in onnx.load(file).opset_import) >= 18
    assert b".py" not in file.read_bytes(), "where on this machine the sources lie is nobody's business"
    session = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_outputs()] == list(OUTPUTS)
    for count in (1, 3):
        inputs = batch(count, shape)
        with torch.no_grad():
            ours = graph(*inputs)
        feed = {name: tensor.numpy() for name, tensor in zip(INPUTS, inputs, strict=True)}
        for tensor, array in zip(ours, session.run(None, feed), strict=True):
            np.testing.assert_allclose(tensor.numpy(), array, atol=1e-4)


@pytest.fixture
def _shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks stand once or twice in a row: the exporter takes seconds for the dozens more, which bring no other operator."""
    monkeypatch.setattr(densenet, "LAYERS", (2, 2, 2, 2))
    short = tuple(re.sub("^r[34]", "r1", stack) for stack in efficientnet.STACKS)
    monkeypatch.setattr(efficientnet, "STACKS", short)


def _slices() -> ModelConfig:
    """A 2D network on slices."""
    config = on("resnet10", 2, _config("none", "softmax", "mlp", HeadConfig(outcome="ordinal4")))
    return replace(config, backbone=replace(config.backbone, slice_pooling="attention"))


@pytest.mark.usefixtures("_shallow")
@pytest.mark.parametrize(
    ("config", "slope", "intercept"),
    [
        (
            on("efficientnet-b0", 3, _config("mr-zscore", "prior", "tokens", HeadConfig("binary"))),
            1.3,
            -0.4,
        ),
        (_slices(), 1.0, 0.0),
        (row(on("densenet121", 3), "tabattention"), 1.0, 0.0),
    ],
    ids=["efficientnet-b0-prior", "resnet10-slices-softmax", "densenet121-tabattention"],
)
def test_onnx_runtime_answers_as_pytorch_does_for_any_batch(
    config: ModelConfig, slope: float, intercept: float, tmp_path: Path
) -> None:
    """A gate with a prior is a `dot` gate with one term more.

    The reference models are compared in tests/skew, but what starts at zero in their `dot` gates has hardly moved there.
    """
    graph = ServingGraph(_net(config), slope, intercept)
    _assert_onnx_runtime_agrees(graph, LARGE, tmp_path / "model.onnx")


def test_outputs_are_those_of_the_contract() -> None:
    graph = ServingGraph(_net())
    probabilities, heatmap, share, embedding = graph(*batch(3))
    shape = graph.heatmap_geometry(SHAPE).shape
    assert (probabilities.shape, heatmap.shape) == ((3, 5), (3, *shape))
    assert (share.shape, embedding.shape) == ((3, 4), (3, 16))
    torch.testing.assert_close(probabilities.sum(1), torch.ones(3))
    assert ((heatmap >= 0) & (heatmap <= 1)).all()
    torch.testing.assert_close(heatmap.flatten(1).amax(1), torch.ones(3))
    assert ((share >= 0) & (share <= 1)).all()


def test_temperature_divides_logits_and_platt_adds_an_intercept() -> None:
    net, inputs = _net(), batch()
    warm = ServingGraph(net, slope=0.5)(*inputs)[0]
    torch.testing.assert_close(warm, class_probabilities(net(*inputs).logits / 2))
    binary = _net(_config("ct-windows", "dot", "mlp", HeadConfig(outcome="binary")))
    platt = ServingGraph(binary, slope=2.0, intercept=-1.0)(*inputs)[0]
    torch.testing.assert_close(platt[:, 1], (2 * binary(*inputs).logits[:, 0] - 1).sigmoid())


def test_an_intercept_on_ordinal_logits_is_refused() -> None:
    with pytest.raises(ValueError, match="temperature"):
        ServingGraph(_net(), intercept=0.1)


def test_a_network_without_a_heatmap_is_refused() -> None:
    with pytest.raises(ValueError, match="heatmap"):
        ServingGraph(_net(small(mma=MmaConfig(spatial="none", kernel=(3, 3, 3)))))


def test_the_graph_stays_in_evaluation_mode() -> None:
    graph, inputs = ServingGraph(_net()).train(), batch()
    assert not any(module.training for module in graph.modules())
    assert torch.equal(graph(*inputs)[0], graph(*inputs)[0])


def test_the_tensors_own_axes_are_given_as_an_affine() -> None:
    geometry = ServingGraph(_net()).heatmap_geometry((28, 112, 97))
    assert geometry.shape == (28, 56, 49)
    assert geometry.to_model_grid == ((1, 0, 0, 0), (0, 2, 0, 0), (0, 0, 2, 0), (0, 0, 0, 1))


def test_the_affine_says_where_cells_between_voxels_lie() -> None:
    """DenseNet's second stage: pairs of cells 2, 4 and 4 voxels apart are averaged."""
    geometry = ServingGraph(_net(on("densenet121"))).heatmap_geometry((32, 88, 72))
    assert geometry.shape == (8, 11, 9)
    assert geometry.to_model_grid == ((4, 0, 0, 1), (0, 8, 0, 2), (0, 0, 8, 2), (0, 0, 0, 1))


def test_a_slice_network_has_a_heatmap_of_every_slice() -> None:
    geometry = ServingGraph(_net(on("resnet10", 2))).heatmap_geometry((3, 65, 48))
    assert geometry.shape == (3, 17, 12)
    assert geometry.to_model_grid == ((1, 0, 0, 0), (0, 4, 0, 0), (0, 0, 4, 0), (0, 0, 0, 1))


@pytest.mark.parametrize("stages", [(1,), (2,), (1, 2, 3), (2, 3)])
@pytest.mark.parametrize("voxel", [(12, 32, 40), (4, 24, 48), (16, 48, 16)])
def test_a_spot_in_the_image_peaks_at_its_own_voxel(
    stages: tuple[int, ...], voxel: tuple[int, int, int]
) -> None:
    """The attention of a network that looks for brightness must lie on the spot, not half a cell beside it."""
    graph = _brightness_seeker(BackboneConfig(widths=(8, 8, 8, 8)), stages)
    heatmap, affine = _heatmap_of_spot(graph, (25, 65, 65), voxel)
    assert _to_voxel(affine, _index(heatmap.argmax(), heatmap.shape)) == voxel
    assert (_centre(heatmap, affine) - torch.tensor(voxel)).abs().max() < 0.3


@pytest.mark.parametrize("name", ["densenet121", "efficientnet-b0"])
@pytest.mark.parametrize("dims", [2, 3])
def test_on_other_backbones_the_heatmap_is_centred_on_the_spot_too(
    name: BackboneName, dims: Literal[2, 3]
) -> None:
    """Half a cell of the finest gated stage would be two voxels and more."""
    config = on(name, dims).backbone
    graph = _brightness_seeker(config, (1, 2))
    for voxel in ((14, 46, 38), (14, 62, 54)):
        heatmap, affine = _heatmap_of_spot(graph, (29, 109, 93), voxel)
        assert (_centre(heatmap, affine) - torch.tensor(voxel)).abs().max() < 1


def _heatmap_of_spot(
    graph: ServingGraph, shape: tuple[int, int, int], voxel: tuple[int, int, int]
) -> tuple[Tensor, Tensor]:
    d, h, w = (torch.arange(size) for size in shape)
    distance = (
        ((d - voxel[0]) / 2).square()[:, None, None]
        + ((h - voxel[1]) / 4).square()[:, None]
        + ((w - voxel[2]) / 4).square()
    )
    image = torch.exp(-distance / 2)[None, None]
    with torch.no_grad():
        heatmap = graph(image, torch.zeros(1, 4), torch.ones(1, 4))[1][0]
    geometry = graph.heatmap_geometry(shape)
    assert heatmap.shape == geometry.shape
    return heatmap, torch.tensor(geometry.to_model_grid)


def _centre(heatmap: Tensor, affine: Tensor) -> Tensor:
    """The whole map must be centred on the spot, not only its largest cell."""
    weight = heatmap * (heatmap > 0.5)
    axes = torch.meshgrid(*[torch.arange(size).float() for size in heatmap.shape], indexing="ij")
    centre = [float((cells * weight).sum() / weight.sum()) for cells in axes]
    return torch.tensor(_to_voxel(affine, centre))


def _brightness_seeker(backbone: BackboneConfig, stages: tuple[int, ...]) -> ServingGraph:
    """A network whose convolutions pass brightness on evenly and whose attention is the mean over channels."""
    dims = backbone.spatial_dims
    config = ModelConfig(
        intensity="none",
        backbone=backbone,
        mma=MmaConfig(stages=stages, kernel=(3,) * dims, channel=False),
    )
    net = FusionNet(config, FEATURES)
    for module in net.backbone.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
    for stage in stages:
        image = net.mma[str(stage)].get_submodule("spatial.image")
        with torch.no_grad():
            image.get_parameter("weight")[0, 0][(1,) * dims] = 1
    return ServingGraph(net)


def _index(flat: Tensor, shape: torch.Size) -> list[float]:
    return [float(one) for one in torch.unravel_index(flat, shape)]


def _to_voxel(affine: Tensor, index: list[float]) -> tuple[float, ...]:
    return tuple((affine @ torch.tensor([*index, 1.0]))[:3].tolist())
