"""Large images that nobody could ship, made once from the phantoms: thin-slice CT, JPEG Lossless CT, a 256^3 T1.

A folder that exists is complete: everything is written beside it first and renamed at the end.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import imagecodecs
import numpy as np
from jaxtyping import Int16
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGLosslessSV1

from app.imaging.volume import Grid, Volume
from app.imaging.write import write_nifti
from training.phantoms.brain_anatomy import Atrophy
from training.phantoms.brain_mr import brain_mr
from training.phantoms.head_ct import head_ct
from training.phantoms.mr_scanner import MrAcquisition, draw_mr_acquisition
from training.phantoms.scanner import Acquisition
from training.phantoms.write import write_dicom

SEED: Final = 2112
AXES: Final = 3
BELOW_MM: Final = 112.0
"""The lowest slice under the head frame's origin: from the neck to above the vertex in 200 mm."""
FIELD_OF_VIEW_MM: Final = 230.0
MR_FIELD_OF_VIEW_MM: Final = (200.0, 258.0, 250.0)
"""Holds a phantom head of any size with its margin, right to left, back to front, bottom to top."""
BITS_STORED: Final = 12
FIRST_ORDER: Final = 1
"""The predictor of JPEG Lossless SV1: the pixel to the left (ISO 10918-1 table H.1)."""


@dataclass(frozen=True)
class CtSize:
    """How large a CT is: pixels along an edge, slices, millimetres between them."""

    matrix: int
    slices: int
    gap_mm: float


def kept(folder: Path, make: Callable[[Path], None]) -> Path:
    """The folder, made now if this is the first time.

    Args:
        folder: Where it shall be.
        make: Fills an empty folder.
    """
    if not folder.is_dir():
        unfinished = folder.with_name(f"{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        make(unfinished)
        unfinished.rename(folder)
    return folder


def make_ct(size: CtSize, folder: Path) -> None:
    """Write an upright head CT as uncompressed DICOM."""
    volume = head_ct(None, 60.0, _thin(size), np.random.default_rng(SEED)).volume
    write_dicom(volume, folder, np.random.default_rng(SEED))


def make_jpeg_ct(size: CtSize, folder: Path) -> None:
    """Write an upright head CT as DICOM in JPEG Lossless, first-order prediction."""
    make_ct(size, folder)
    for path in folder.iterdir():
        compress(path)


def compress(path: Path) -> None:
    """Encode the pixels of a DICOM file in place as JPEG Lossless SV1 (PS3.5 A.4.1)."""
    dataset = dcmread(path)
    frame = imagecodecs.jpeg8_encode(
        dataset.pixel_array, lossless=True, predictor=FIRST_ORDER, bitspersample=BITS_STORED
    )
    dataset.PixelData = encapsulate([bytes(frame)])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    dataset.save_as(path, enforce_file_format=True)


def make_mr(edge: int, folder: Path) -> None:
    """Write a T1 of `edge`^3 int16 voxels, axes LAS as converters leave them, as one `.nii.gz`."""
    rng = np.random.default_rng(SEED)
    volume = brain_mr(Atrophy(0.0, 1.0, 0.0), _cubic(edge, rng), rng).volume
    voxels, grid = _padded(volume, edge, rng)
    write_nifti(voxels, grid, folder / "t1.nii.gz")


def _thin(size: CtSize) -> Acquisition:
    heights = np.arange(size.slices) * size.gap_mm - BELOW_MM
    return Acquisition(
        matrix=size.matrix,
        pixel_spacing_mm=round(FIELD_OF_VIEW_MM / size.matrix, 6),
        slice_thickness_mm=size.gap_mm,
        slice_centres_mm=tuple(float(height) for height in heights),
        gantry_tilt_degrees=0.0,
        head_rotation_degrees=(4.0, -2.0, 3.0),
        head_offset_mm=(2.0, 14.0, 0.0),
        noise_hu=5.0,
        blur_mm=0.8,
        holder=True,
    )


def _cubic(edge: int, rng: np.random.Generator) -> MrAcquisition:
    drawn = vars(draw_mr_acquisition(rng))
    fixed = {
        "spacing_mm": tuple(mm / edge for mm in MR_FIELD_OF_VIEW_MM),
        "axis_codes": "LAS",
        "tilt": np.zeros(AXES),
        "offset_mm": np.zeros(AXES),
        "lowest_mm": -130.0,
        "snr": 20.0,
        "scale": 1.0,
        "defaced": False,
        "stripped": False,
    }
    return MrAcquisition(**{**drawn, **fixed})


def _padded(volume: Volume, edge: int, rng: np.random.Generator) -> tuple[Int16[np.ndarray, "n n n"], Grid]:
    """The image in the middle of a cube of its own background noise."""
    before = (edge - np.array(volume.voxels.shape)) // 2
    inside = tuple(slice(low, low + size) for low, size in zip(before, volume.voxels.shape, strict=True))
    cube = rng.choice(volume.voxels[:2, :2].ravel(), (edge, edge, edge))
    cube[inside] = volume.voxels
    affine = volume.grid.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ before
    return cube, Grid((edge, edge, edge), affine)
