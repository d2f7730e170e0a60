"""The tensors that enter and leave every package's graph, and the checks that a graph keeps to them.

The axes of the inputs are fixed by the manifest, B is free. The shape that a graph declares for an output may be
symbolic (exporters cannot always infer it), so what is open at load is checked on every answer.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float32

from app.errors import PackageInvalidError
from app.model_package.manifest import Manifest

INPUTS = ("image", "ehr_values", "ehr_missing")
OUTPUTS = ("probabilities", "heatmap", "image_share", "embedding")

Shape = Sequence[int | str | None]
Signature = Mapping[str, tuple[str, Shape]]

_SHARES = ("probabilities", "heatmap", "image_share")
_ROUNDING = 1e-3
"""Slack for float32 arithmetic, far below anything that would show a wrong graph."""


def input_shapes(manifest: Manifest) -> dict[str, tuple[int, ...]]:
    """Shapes of the inputs without the batch axis."""
    features = len(manifest.ehr.features)
    shapes = ((manifest.image.channels, *manifest.image.shape), (features,), (features,))
    return dict(zip(INPUTS, shapes, strict=True))


def output_shapes(manifest: Manifest) -> dict[str, tuple[int, ...]]:
    """Shapes of the outputs without the batch axis."""
    outputs = manifest.outputs
    shapes = ((len(outputs.classes),), outputs.heatmap.shape, (outputs.heads,), (outputs.embedding_size,))
    return dict(zip(OUTPUTS, shapes, strict=True))


def blank_inputs(manifest: Manifest, size: int) -> tuple[Float32[np.ndarray, "B ..."], ...]:
    """Empty images with empty records: shapes decide how long a graph takes, values hardly do."""
    shapes = input_shapes(manifest)
    image, values, missing = (np.zeros((size, *shapes[name]), np.float32) for name in INPUTS)
    return image, values, missing + 1


def check_tensors(inputs: Signature, outputs: Signature, manifest: Manifest) -> None:
    """Compare a graph's declared tensors with the manifest.

    Args:
        inputs: Element type and declared shape by name, as ONNX Runtime gives them.
        outputs: The same of the outputs.
        manifest: What the package promises.

    Raises:
        PackageInvalidError: A tensor is missing, extra, of another type or of another shape.
    """
    for declared, promised in ((inputs, input_shapes(manifest)), (outputs, output_shapes(manifest))):
        if set(declared) != set(promised):
            raise PackageInvalidError(
                f"the graph should have tensors {sorted(promised)} and has {sorted(declared)}"
            )
        for name, shape in promised.items():
            _check_declared(name, declared[name], shape)


def _check_declared(name: str, declared: tuple[str, Shape], promised: tuple[int, ...]) -> None:
    kind, shape = declared
    batch, *axes = shape or (0,)
    fits = len(axes) == len(promised) and all(
        axis == wanted or not isinstance(axis, int) for axis, wanted in zip(axes, promised, strict=True)
    )
    if kind != "tensor(float)" or isinstance(batch, int) or not fits:
        raise PackageInvalidError(
            f"tensor {name} should be tensor(float) of shape [B, {', '.join(map(str, promised))}] with B free, "
            f"and is {kind} of shape {list(shape)}"
        )


def check_answer(answer: Mapping[str, np.ndarray], batch: int, manifest: Manifest) -> None:
    """Check the shapes of an answer, that it is finite, that shares lie in [0, 1] and probabilities add up to 1.

    Args:
        answer: Output tensors by name.
        batch: Number of cases that were asked.
        manifest: What the package promises.

    Raises:
        PackageInvalidError: It is not what was promised.
    """
    for name, shape in output_shapes(manifest).items():
        if answer[name].shape != (batch, *shape):
            raise PackageInvalidError(
                f"output {name} should be {(batch, *shape)} and is {answer[name].shape}"
            )
        if not np.isfinite(answer[name]).all():
            raise PackageInvalidError(f"output {name} is not finite")
        if name in _SHARES and (answer[name].min() < -_ROUNDING or answer[name].max() > 1 + _ROUNDING):
            raise PackageInvalidError(f"output {name} should lie in [0, 1]")
    if np.abs(answer["probabilities"].sum(axis=1) - 1).max() > _ROUNDING:
        raise PackageInvalidError("output probabilities should add up to 1 for every case")
