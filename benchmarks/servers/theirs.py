"""What a user of such a server writes: pydicom for the series, MONAI for the grid, ONNX Runtime for the graph.

No check of the series, of its geometry or of its values, no search for the head, no smoothing, no calibration: the
probabilities are not those of our reading.
"""

import json
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from jaxtyping import Float32, Float64
from monai.data.meta_tensor import MetaTensor
from monai.transforms.compose import Compose
from monai.transforms.croppad.array import ResizeWithPadOrCrop
from monai.transforms.spatial.array import Orientation, Spacing
from pydicom import Dataset, dcmread

Prepared = tuple[Float32[np.ndarray, "1 D H W"], Float32[np.ndarray, " F"], Float32[np.ndarray, " F"]]


class Reader:
    """Reads and answers by libraries that everybody has.

    Args:
        package: Folder of the package.
        threads: Of one run of the graph, and of torch.
    """

    def __init__(self, package: Path, threads: int) -> None:
        self._manifest = json.loads((package / "manifest.json").read_text(encoding="utf-8"))
        image = self._manifest["image"]
        torch.set_num_threads(threads)
        self._to_grid = Compose(
            [
                Orientation("RAS"),
                Spacing(image["spacing_mm"][::-1], mode="bilinear"),
                ResizeWithPadOrCrop(image["shape"][::-1], value=image["fill"]),
            ]
        )
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = ort.InferenceSession(str(package / "model.onnx"), options)

    def prepare(self, image: bytes, ehr: str) -> Prepared:
        """The image on the model grid, the values of the record and which are missing."""
        array = np.asarray(self._to_grid(series_in(image)))
        given = json.loads(ehr)
        features = self._manifest["ehr"]["features"]
        values = [_number(feature, given.get(feature["name"])) for feature in features]
        missing = [feature["name"] not in given for feature in features]
        return array.transpose(0, 3, 2, 1), np.array(values, np.float32), np.array(missing, np.float32)

    def infer(self, cases: Sequence[Prepared]) -> list[dict[str, float]]:
        """Probabilities by class."""
        names = ("image", "ehr_values", "ehr_missing")
        feed = {name: np.stack(arrays) for name, arrays in zip(names, zip(*cases, strict=True), strict=True)}
        labels = [each["label"] for each in self._manifest["outputs"]["classes"]]
        (rows,) = self._session.run(["probabilities"], feed)
        return [dict(zip(labels, row.tolist(), strict=True)) for row in rows]


def series_in(image: bytes) -> MetaTensor:
    """The series in a zip as [1, X, Y, Z] in HU, with its affine to RAS millimetres."""
    with zipfile.ZipFile(BytesIO(image)) as archive:
        slices = [dcmread(BytesIO(archive.read(name))) for name in archive.namelist()]
    normal = np.cross(*np.reshape(slices[0].ImageOrientationPatient, (2, 3)).astype(float))
    slices.sort(key=lambda one: float(np.dot(normal, one.ImagePositionPatient)))
    voxels = np.stack([one.pixel_array for one in slices], axis=-1).astype(np.float32).swapaxes(0, 1)
    hounsfield = voxels * float(slices[0].RescaleSlope) + float(slices[0].RescaleIntercept)
    return MetaTensor(torch.from_numpy(hounsfield[None]), affine=torch.from_numpy(_affine(slices)))


def _affine(slices: Sequence[Dataset]) -> Float64[np.ndarray, "4 4"]:
    """DICOM's LPS is NIfTI's RAS with x and y turned about (PS3.3 C.7.6.2.1.1)."""
    first, last = (np.array(one.ImagePositionPatient, float) for one in (slices[0], slices[-1]))
    along_row, along_column = np.reshape(slices[0].ImageOrientationPatient, (2, 3)).astype(float)
    row_mm, column_mm = map(float, slices[0].PixelSpacing)
    affine = np.eye(4)
    affine[:3, :3] = np.column_stack(
        [along_row * column_mm, along_column * row_mm, (last - first) / max(1, len(slices) - 1)]
    )
    affine[:3, 3] = first
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def _number(feature: dict[str, object], value: object) -> float:
    if value is None:
        return 0.0
    categories = feature["categories"]
    return float(categories.index(value) if isinstance(categories, list) and categories else value)  # type: ignore[arg-type]
