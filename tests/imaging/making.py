"""Images whose truth is known: smooth fields of the patient's millimetres, written as DICOM or NIfTI."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations, product
from pathlib import Path
from typing import Any, Self

import nibabel as nib
import numpy as np
from jaxtyping import Float64, Real
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

from app.imaging.model_grid import ModelGrid
from app.imaging.volume import Grid, Modality, Volume

Field = Callable[[Float64[np.ndarray, "*n 3"]], Float64[np.ndarray, "*n"]]
Vector = Float64[np.ndarray, "3"]
Axes = Sequence[Sequence[float]]
"""RAS directions along a row, along a column, and from slice to slice."""
AXIAL: Axes = ((-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 1.0))
ORIENTATIONS: tuple[Axes, ...] = tuple(
    tuple(
        tuple(float(sign * (axis == of)) for axis in range(3)) for of, sign in zip(order, signs, strict=True)
    )
    for order in permutations(range(3))
    for signs in product((1, -1), repeat=3)
)
"""The 48 ways to lay a stack along the patient's axes. In half of them the slices are counted against their normal."""

CT_GRID = ModelGrid(
    modality=Modality.CT,
    shape=(16, 48, 48),
    spacing_mm=(8.0, 4.0, 4.0),
    orientation="RAS",
    crop="head-top",
    channels=1,
    intensity_unit="HU",
    fill=-1024.0,
)
MR_GRID = CT_GRID.model_copy(
    update={
        "modality": Modality.MR,
        "intensity_unit": "raw",
        "fill": 0.0,
        "shape": (40, 44, 40),
        "spacing_mm": (4.0,) * 3,
    }
)


def places(grid: Grid) -> Float64[np.ndarray, "i j k 3"]:
    """RAS mm of every voxel of a grid."""
    index = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij"), axis=-1)
    return np.asarray(index @ grid.affine[:3, :3].T + grid.affine[:3, 3])


def stored_places(volume: Volume) -> Float64[np.ndarray, "i j k 3"]:
    """RAS mm of every stored voxel of a volume, by the words of `Volume`."""
    i, j, k = volume.voxels.shape
    in_plane = np.arange(i)[:, None, None] * volume.step_i + np.arange(j)[None, :, None] * volume.step_j
    assert len(volume.slice_origins) == k
    return np.asarray(in_plane[:, :, None] + volume.slice_origins)


def ramp(points: Float64[np.ndarray, "*n 3"]) -> Float64[np.ndarray, "*n"]:
    """A linear field: linear interpolation must give it back exactly."""
    return np.asarray(points @ np.array([1.5, -2.0, 1.0]) + 40.0)


def ball(centre: Sequence[float], sigma_mm: float = 8.0) -> Field:
    """A Gaussian landmark of height 1."""

    def field_at(points: Float64[np.ndarray, "*n 3"]) -> Float64[np.ndarray, "*n"]:
        return np.asarray(np.exp(-np.square(points - np.array(centre)).sum(axis=-1) / (2 * sigma_mm**2)))

    return field_at


def head_ct(points: Float64[np.ndarray, "*n 3"]) -> Float64[np.ndarray, "*n"]:
    """An ellipsoid head of 35 HU in a 6 mm skull, centred on (10, -20, 30), 75 x 95 x 85 mm; vertex at z = 115."""
    relative = points - np.array([10.0, -20.0, 30.0])
    outer = np.square(relative / np.array([75.0, 95.0, 85.0])).sum(axis=-1)
    inner = np.square(relative / np.array([69.0, 89.0, 79.0])).sum(axis=-1)
    return np.asarray(np.select([inner < 1, outer < 1], [35.0, 900.0], -1000.0))


def write_nifti_file(path: Path, voxels: Real[np.ndarray, "..."], affine: Float64[np.ndarray, "4 4"]) -> Path:
    """Writes with nibabel, not with our own writer."""
    image = nib.Nifti1Image(voxels, affine)
    image.set_sform(affine, 1)
    image.set_qform(affine, 1, strip_shears=True)
    nib.save(image, path)
    return path


@dataclass
class Series:
    """A series sampled from a field, as DICOM slices or as one NIfTI.

    Attributes:
        field_at: Value at RAS mm.
        depths_mm: Depth of each slice along the normal, towards the stacking direction; increasing.
        tilt_degrees: Turns the slices about their rows, and not the stack (for axial slices a gantry tilt).
        rows: Pixels.
        columns: Pixels.
        pixel_mm: Pixel spacing.
        first: RAS mm of the first pixel of the slice at depth 0.
        modality: CT is stored with intercept -1024, MR plain.
        extra: Elements to set on every slice.
        series_uid: Series Instance UID.
        axes: Directions before the tilt; rows perpendicular to columns, the third anything that leaves their plane.
    """

    field_at: Field = head_ct
    depths_mm: Sequence[float] = tuple(range(0, 160, 8))
    tilt_degrees: float = 0.0
    rows: int = 64
    columns: int = 56
    pixel_mm: float = 4.0
    first: tuple[float, float, float] = (120.0, 106.0, -40.0)
    modality: Modality = Modality.CT
    extra: dict[str, Any] = field(default_factory=dict)
    series_uid: str = field(default_factory=generate_uid)
    axes: Axes = AXIAL

    def centred(self, centre: Sequence[float]) -> Self:
        """The same series, moved so that its middle lies at a place (RAS mm)."""
        pixels = (np.array([self.columns, self.rows]) - 1) / 2 * self.pixel_mm
        middle = pixels @ self.directions()[:2] + self.origins()[[0, -1]].mean(axis=0)
        x, y, z = (np.array(self.first) + np.array(centre) - middle).tolist()
        return replace(self, first=(x, y, z))

    def datasets(self) -> list[Dataset]:
        """One dataset per slice, in order of depth."""
        axes = self.directions()[:2]
        return [
            _slice(self, number, (origin, *axes), values)
            for number, (origin, values) in enumerate(zip(self.origins(), self.values(), strict=True))
        ]

    def write(self, folder: Path) -> list[Path]:
        """One file per slice, in order of depth."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for n, dataset in enumerate(self.datasets()):
            paths.append(folder / f"{n:04d}")
            save(dataset, paths[-1])
        return paths

    def write_nifti(self, path: Path) -> Path:
        """The same samples as one NIfTI; depths must be even. A tilt becomes a shear of the affine."""
        origins = self.origins()
        affine = np.eye(4)
        affine[:3, :2] = self.directions()[:2].T * self.pixel_mm
        affine[:3, 2], affine[:3, 3] = origins[1] - origins[0], origins[0]
        return write_nifti_file(path, np.round(np.stack(self.values()).T).astype(np.int16), affine)

    def directions(self) -> Float64[np.ndarray, "3 3"]:
        """RAS unit vectors along a row, along a column, and from slice to slice."""
        row, column, stacking = np.array(self.axes)
        angle = np.radians(self.tilt_degrees)
        upright = np.cross(row, column) * np.sign(np.cross(row, column) @ stacking)
        return np.array([row, np.cos(angle) * column - np.sin(angle) * upright, stacking])

    def origins(self) -> Float64[np.ndarray, "K 3"]:
        """RAS mm of the first pixel of each slice."""
        row, column, stacking = self.directions()
        per_mm = stacking / abs(float(stacking @ np.cross(row, column)))
        return np.asarray(self.first + np.array(self.depths_mm)[:, None] * per_mm)

    def values(self) -> list[Float64[np.ndarray, "r c"]]:
        """The field at the pixels of each slice."""
        row, column, _ = self.directions() * self.pixel_mm
        j, i = np.meshgrid(np.arange(self.rows), np.arange(self.columns), indexing="ij")
        in_plane = i[..., None] * row + j[..., None] * column
        return [np.asarray(self.field_at(origin + in_plane)) for origin in self.origins()]


def save(dataset: Dataset, path: Path) -> Path:
    """Writes one Part 10 file."""
    dataset.save_as(path, enforce_file_format=True)
    return path


def _slice(
    series: Series,
    number: int,
    placed: tuple[Vector, Vector, Vector],
    values: Float64[np.ndarray, "r c"],
) -> Dataset:
    origin, *axes = (vector * np.array([-1.0, -1.0, 1.0]) for vector in placed)  # RAS to LPS
    is_ct = series.modality is Modality.CT
    dataset = Dataset()
    dataset.SOPClassUID = CTImageStorage if is_ct else MRImageStorage
    dataset.SOPInstanceUID = generate_uid()
    dataset.SeriesInstanceUID = series.series_uid
    dataset.Modality = str(series.modality)
    dataset.PatientName = "Secret^Name"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.InstanceNumber = 1000 - number  # misleading on purpose
    dataset.ImagePositionPatient = [f"{value:.6f}" for value in origin]
    dataset.ImageOrientationPatient = [f"{value:.8f}" for axis in axes for value in axis]
    dataset.PixelSpacing = [series.pixel_mm, series.pixel_mm]
    dataset.Rows, dataset.Columns = values.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.PixelRepresentation = 0
    if is_ct:
        dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
    stored = np.round(values + (1024 if is_ct else 0)).astype("<u2")
    dataset.PixelData = stored.tobytes()
    for keyword, value in series.extra.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset
