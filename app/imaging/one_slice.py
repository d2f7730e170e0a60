"""A single axial slice, alone in its file, and its place on a model grid: for cohorts that keep a few slices of each patient.

The service reads whole volumes only; a slice has no vertex to hang a grid from and no neighbours to be told from. So the grid
lies in the slice's own plane, centred on the tissue seen there, and nothing is read between slices.
"""

from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64
from scipy import ndimage

from app.errors import IrregularGeometryError, NoUsableSeriesError
from app.imaging.content import check_values, cleaned, finite, unmeasured
from app.imaging.dicom.read import read_dicom_slice
from app.imaging.files.file_kind import FileKind, kind_inside
from app.imaging.head.find import TAIL, tissue_threshold
from app.imaging.limits import DEFAULT_LIMITS, ReadLimits
from app.imaging.model_grid import ModelGrid
from app.imaging.nifti.read import read_nifti
from app.imaging.read import opened, read_mask
from app.imaging.resample import sample_on_grid
from app.imaging.volume import Grid, Modality, Volume

AXIAL: Final = float(np.cos(np.radians(45)))
"""Least cosine between the slice's normal and the patient's axis; a tilted gantry stays below 30 degrees."""


def read_slice(path: Path, *, modality: Modality, limits: ReadLimits = DEFAULT_LIMITS) -> Volume:
    """Reads one slice: a NIfTI with one voxel along an axis, or one DICOM file.

    Args:
        path: The file.
        modality: What the task needs.
        limits: Bounds on bytes and voxels.

    Returns:
        A volume of one slice, [I, J, 1].

    Raises:
        RequestError: As `app.imaging.read.read_image`; `NoUsableSeriesError` where there is more than one slice.
    """
    with opened([path], limits) as sources:
        if len(sources) != 1:
            raise NoUsableSeriesError(
                f"Expected one slice, found an archive of {len(sources)} files. Name one slice by each image column."
            )
        source = sources[0]
        if kind_inside(source) is FileKind.DICOM:
            volume = finite(read_dicom_slice(source, modality, limits))
        else:
            volume = _flat(cleaned(read_nifti(source, modality=modality, limits=limits)))
    check_values(volume.voxels.T, volume.modality, unmeasured(volume.voxels.T))
    return volume


def read_slice_mask(path: Path, *, limits: ReadLimits = DEFAULT_LIMITS) -> Volume:
    """Reads a label image of one slice (NIfTI), as `app.imaging.read.read_mask` reads one of a volume.

    Raises:
        RequestError: As `read_mask`; `NoUsableSeriesError` where there is more than one slice.
    """
    return _flat(read_mask(path, limits=limits))


def slice_on_model_grid(volume: Volume, spec: ModelGrid) -> Float32[np.ndarray, "H W"]:
    """Reads a slice on the model grid's rows and columns.

    Raises:
        IrregularGeometryError: The slice is not axial.
    """
    return np.asarray(sample_on_grid(volume, place_slice_grid(volume, spec), spec.fill)[0])


def place_slice_grid(volume: Volume, spec: ModelGrid) -> Grid:
    """Lays the model grid's rows and columns into a slice, to Anterior and to Right, centred on what it shows.

    Args:
        volume: One slice.
        spec: The model grid; its D counts slices and says nothing of where they lie.

    Returns:
        A grid [1, H, W] in the slice's plane.

    Raises:
        IrregularGeometryError: The slice is not axial.
    """
    normal = np.cross(volume.step_i, volume.step_j)
    normal *= np.sign(normal[2]) / np.linalg.norm(normal)
    if normal[2] < AXIAL:
        raise IrregularGeometryError(
            "Expected an axial slice, found a sagittal or coronal one. Export axial slices."
        )
    _, height, width = spec.shape
    step_a, step_r = (unit * mm for unit, mm in zip(_in_plane(volume), spec.spacing_mm[1:], strict=True))
    affine = np.eye(4)
    affine[:3, :3] = np.stack([normal * spec.spacing_mm[0], step_a, step_r], axis=1)
    affine[:3, 3] = _centre(volume) - (height - 1) / 2 * step_a - (width - 1) / 2 * step_r
    return Grid((1, height, width), affine)


def _flat(volume: Volume) -> Volume:
    """The same voxels with the axis of one voxel last, whichever it is in the file."""
    across = [axis for axis, size in enumerate(volume.voxels.shape) if size == 1]
    if len(across) != 1:
        raise NoUsableSeriesError(
            f"Expected one slice, found {volume.voxels.shape[int(np.argmin(volume.voxels.shape))]}. "
            "Write each slice into a file of its own, or name one image column and give it whole volumes."
        )
    order = [*(axis for axis in range(3) if axis != across[0]), across[0]]
    affine = volume.grid.affine[:, [*order, 3]]
    voxels = volume.voxels.transpose(order)
    i, j, k = voxels.shape
    return Volume(
        voxels, affine[:3, 0], affine[:3, 1], affine[None, :3, 3], Grid((i, j, k), affine), volume.modality
    )


def _in_plane(volume: Volume) -> tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]]:
    """Unit vectors along the slice's axes that run nearest to Anterior and to Right."""
    units = [step / np.linalg.norm(step) for step in (volume.step_i, volume.step_j)]
    rightward = int(abs(units[1][0]) > abs(units[0][0]))
    right, anterior = units[rightward], units[1 - rightward]
    return anterior * np.sign(anterior[1]), right * np.sign(right[0])


def _centre(volume: Volume) -> Float64[np.ndarray, "3"]:
    """RAS mm of the middle of the box around the largest body of tissue, less the tails; of the slice where there is none."""
    plane = volume.voxels[:, :, 0].astype(np.float32)
    labels, bodies = ndimage.label(
        ndimage.binary_opening(plane > tissue_threshold(plane[None], volume.modality))
    )
    if bodies:
        places = np.nonzero(labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:])))
        middle = [float(np.quantile(place, [TAIL, 1 - TAIL]).mean()) for place in places]
    else:
        middle = [(size - 1) / 2 for size in plane.shape]
    return np.asarray(volume.slice_origins[0] + middle[0] * volume.step_i + middle[1] * volume.step_j)
