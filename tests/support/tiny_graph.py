"""A real, tiny ONNX graph with the tensors of the contract, in ONNX's own text form: no training, no torch.

It windows the image and averages it into the heatmap; probabilities are a softmax over logits in which both the mean
of the image and the standardised record act, so that a test can see either.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from app.ehr.schema import EhrSchema, Feature
from app.imaging.model_grid import ModelGrid

POOL = 4
"""Model voxels per heatmap voxel along each axis."""
HEADS = 4
EMBEDDING = 3
IMAGE_WEIGHT = 2.0
"""How strongly a bright image moves the answer towards the first class."""
_WINDOWS = {"HU": (0.0, 80.0, 120.0), "raw": (0.0, 1000.0, 1e6)}
"""Black, white, and where bone begins, which is black again."""
_DRIVERS = {"age": -1.0, "gcs": 1.5, "apoe4_alleles": 1.0}
"""How strongly a feature, one standard unit up, moves the answer towards the last class."""

_TEXT = """
<ir_version: 9, opset_import: ["" : 17]>
tiny (float[B, 1, {D}, {H}, {W}] image, float[B, {F}] ehr_values, float[B, {F}] ehr_missing)
  => (float[B, {K}] probabilities, float[B, {d}, {h}, {w}] heatmap, float[B, {heads}] image_share, float[B, {e}] embedding)
{{
  clipped = Clip(image, low, high)
  shifted = Sub(clipped, low)
  tissue = Div(shifted, width)
  above = Sub(image, bone)
  above_share = Div(above, width)
  dense = Clip(above_share, zero, one)
  windowed = Sub(tissue, dense)
  pooled = AveragePool<kernel_shape = [{p}, {p}, {p}], strides = [{p}, {p}, {p}]>(windowed)
  known = Sub(one, ehr_missing)
  centred = Sub(ehr_values, centre)
  standard = Div(centred, scale)
  record = Mul(standard, known)
  record_drive = MatMul(record, record_weights)
  guide = Sigmoid(record_drive)
  guide_5d = Reshape(guide, shape_5d)
  guided = Mul(pooled, guide_5d)
  channel = Constant<value_ints = [1]>()
  heatmap = Squeeze(guided, channel)
  brightness_5d = ReduceMean<axes = [2, 3, 4], keepdims = 1>(windowed)
  flat = Constant<value_ints = [-1, 1]>()
  brightness = Reshape(brightness_5d, flat)
  image_drive = Mul(brightness, image_weight)
  drive = Sub(record_drive, image_drive)
  spread = MatMul(drive, class_weights)
  logits = Add(spread, class_bias)
  probabilities = Softmax<axis = -1>(logits)
  share_drive = MatMul(brightness, share_weights)
  share_logits = Add(share_drive, share_bias)
  image_share = Sigmoid(share_logits)
  record_part = MatMul(record, embedding_weights)
  embedding = Concat<axis = 1>(brightness, record_part)
}}
"""


def heatmap_shape(grid: ModelGrid) -> tuple[int, int, int]:
    """(D', H', W') after pooling."""
    d, h, w = (size // POOL for size in grid.shape)
    return d, h, w


def write_tiny_graph(
    path: Path, grid: ModelGrid, ehr: EhrSchema, classes: int, image_weight: float = IMAGE_WEIGHT
) -> None:
    """Write the graph for a grid, a record and a number of classes; the image's weight makes two graphs differ."""
    graph = onnx.parser.parse_model(_text(grid, len(ehr.features), classes))
    graph.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value, np.int64 if name == "shape_5d" else np.float32), name)
        for name, value in (_constants(grid, ehr.features, classes) | {"image_weight": image_weight}).items()
    )
    onnx.checker.check_model(graph, full_check=True)
    onnx.save_model(graph, path)


def _text(grid: ModelGrid, features: int, classes: int) -> str:
    (D, H, W), (d, h, w) = grid.shape, heatmap_shape(grid)
    sizes = {"D": D, "H": H, "W": W, "d": d, "h": h, "w": w, "F": features, "K": classes}
    return _TEXT.format(**sizes, heads=HEADS, e=EMBEDDING, p=POOL)


def _constants(grid: ModelGrid, features: Sequence[Feature], classes: int) -> dict[str, object]:
    low, high, bone = _WINDOWS[grid.intensity_unit]
    drivers = np.array([[_DRIVERS.get(feature.name, 0.0)] for feature in features])
    first_two = np.zeros((len(features), EMBEDDING - 1))
    for column, row in enumerate(np.flatnonzero(drivers)[: EMBEDDING - 1]):
        first_two[row, column] = 1.0
    return {
        "low": low,
        "high": high,
        "width": high - low,
        "bone": bone,
        "zero": 0.0,
        "one": 1.0,
        "centre": [_centre(feature) for feature in features],
        "scale": [_scale(feature) for feature in features],
        "record_weights": drivers,
        "shape_5d": [-1, 1, 1, 1, 1],
        "class_weights": np.linspace(-1, 1, classes)[np.newaxis],
        "class_bias": np.zeros(classes),
        "share_weights": np.ones((1, HEADS)),
        "share_bias": np.linspace(-1, 1, HEADS),
        "embedding_weights": first_two,
    }


def _centre(feature: Feature) -> float:
    return sum(feature.plausible_range) / 2 if feature.plausible_range else 0.5


def _scale(feature: Feature) -> float:
    """A quarter of the plausible range, so that plausible values lie within two units of the centre."""
    low, high = feature.plausible_range or (0, 4)
    return (high - low) / 4
