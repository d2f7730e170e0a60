"""A reader's first image is no patient's: a small phantom head CT, as a scanner sends it.

The first image that a process reads takes up to three times as long as the next ones: every function on the road is new to the interpreter, and its memory
is still with the kernel (`app.heap.have_at_hand`).
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from zipfile import ZipFile

import numpy as np
from jaxtyping import Int16

from app.imaging.dicom.write import SeriesIdentity, write_series
from app.imaging.load import load_case
from app.imaging.model_grid import ModelGrid
from app.imaging.pictures.heatmap_files import Shown, draw
from app.imaging.volume import Grid, Modality, Volume

COLUMNS: Final = 256
SLICES: Final = 8
PIXEL_SPACING_MM: Final = 0.9
SLICE_SPACING_MM: Final = 20.0
TILT_RAD: Final = 0.3
HEAD_RADII_MM: Final = (70.0, 90.0, 80.0)
SKULL_MM: Final = 7.0
HU: Final = {"air": -1000, "bone": 1000, "brain": 30}
BLOCK: Final = 16
"""Pixels along the edge of what is drawn at once."""
MODEL_GRID: Final = ModelGrid(
    modality=Modality.CT,
    shape=(32, 88, 72),
    spacing_mm=(5.0, 2.5, 2.5),
    orientation="RAS",
    crop="head-top",
    channels=1,
    intensity_unit="HU",
    fill=-1024.0,
)
_UID_ROOT: Final = "2.25.1"
"""Below no one's root: the series is read once and gone."""


def rehearse(root: Path) -> None:
    """Read a phantom as a case would be read, draw a heatmap of it as of a lone case, and keep nothing of both.

    Args:
        root: Folder for its files while that takes.

    Raises:
        NeuroFuseError: As `load_case`; a head that is whole is not refused.
    """
    with TemporaryDirectory(dir=root) as folder:
        case = load_case([archive(Path(folder))], MODEL_GRID)
        heatmap, grid = np.ones_like(case.image.array), case.image.grid
        shown = Shown(
            heatmap,
            grid,
            case.volume.grid,
            Path(folder, "h.nii.gz"),
            Path(folder, "h.png"),
            side_by_side=True,
        )
        draw(case.volume, shown)


def archive(folder: Path) -> Path:
    """A tilted head CT as a zip of DICOM files.

    Args:
        folder: Where it and its files are written.
    """
    files = write_series(
        _head(),
        SeriesIdentity(
            patient_id="PHANTOM",
            study_instance_uid=f"{_UID_ROOT}.1",
            series_instance_uid=f"{_UID_ROOT}.2",
            frame_of_reference_uid=f"{_UID_ROOT}.3",
            sop_instance_uids=[f"{_UID_ROOT}.4.{number}" for number in range(SLICES)],
        ),
        folder / "series",
    )
    packed = folder / "series.zip"
    with ZipFile(packed, "w") as opened:
        for file in files:
            opened.write(file, file.name)
    return packed


def _head() -> Volume:
    """An ellipsoid of brain in a shell of bone."""
    affine = np.diag([-PIXEL_SPACING_MM, -PIXEL_SPACING_MM, SLICE_SPACING_MM, 1.0])
    affine[:3, 1] = -PIXEL_SPACING_MM * np.array([0.0, np.cos(TILT_RAD), np.sin(TILT_RAD)])
    return Volume(
        voxels=_drawn(),
        step_i=affine[:3, 0],
        step_j=affine[:3, 1],
        slice_origins=np.arange(SLICES)[:, np.newaxis] * affine[:3, 2],
        grid=Grid((COLUMNS, COLUMNS, SLICES), affine),
        modality=Modality.CT,
    )


def _drawn() -> Int16[np.ndarray, "I J K"]:
    in_plane_mm = (np.arange(COLUMNS // BLOCK) - COLUMNS / BLOCK / 2) * PIXEL_SPACING_MM * BLOCK
    height_mm = (np.arange(SLICES) - SLICES / 2) * SLICE_SPACING_MM
    place_mm = np.meshgrid(in_plane_mm, in_plane_mm, height_mm, indexing="ij", sparse=True)
    drawn = np.full((in_plane_mm.size, in_plane_mm.size, SLICES), HU["air"], np.int16)
    for inset_mm, tissue in ((0.0, "bone"), (SKULL_MM, "brain")):
        radii_mm = (radius - inset_mm for radius in HEAD_RADII_MM)
        drawn[sum((axis / radius) ** 2 for axis, radius in zip(place_mm, radii_mm, strict=True)) < 1] = HU[
            tissue
        ]
    return drawn.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)
