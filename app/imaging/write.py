"""Arrays on a grid to files: NIfTI for machines, one picture for people.

The same array gives the same bytes: gzip without a time, a header without a date.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
from isal import igzip
from jaxtyping import Float32, Real, UInt8
from nibabel.nifti1 import Nifti1Header

from app.imaging.content import AIR
from app.imaging.resample import heatmap_by_slices, sample_on_grid
from app.imaging.sampling.stack import keeps_pixels, stack_on_grid
from app.imaging.volume import Grid, Modality, Volume

SCANNER: Final = 1
"""NIFTI_XFORM_SCANNER_ANAT: coordinates are the scanner's."""
SAME_PLACE: Final = 1e-4
"""Greatest difference of an affine's entry, mm, that is rounding of the quaternion."""
LEVELS: Final = 255
"""Steps of a stored heatmap: it reads 0 to 1, right within 1/510."""
LEVEL_SLOPE: Final = float(np.nextafter(np.float32(1 / LEVELS), np.float32(0)))
"""`scl_slope` is float32; rounded down, so that the highest level never reads above 1."""
GZIP_LEVEL: Final = 1
INT16: Final = np.iinfo(np.int16)
NO_EXTENSION: Final = b"\0\0\0\0"


def write_nifti(array: Real[np.ndarray, "I J K"], grid: Grid, path: Path, *, description: str = "") -> None:
    """Writes values as they are (floats as float32) to one `.nii.gz`; sform and qform say where they lie.

    Args:
        array: Values on the grid, index order (i, j, k).
        grid: Where they lie, RAS mm.
        path: The file; its folder exists.
        description: The header's `descrip`, at most 80 bytes: never of a patient.
    """
    dtype = np.dtype(np.float32) if array.dtype.kind == "f" else array.dtype
    header = _header(dtype, 1.0, grid)
    header["descrip"] = description.encode()
    # A slice at a time: no second copy of a large array.
    _write(header, (array[:, :, k].astype(dtype, copy=False) for k in range(array.shape[2])), path)


def write_heatmap(
    heatmap: Float32[np.ndarray, "D H W"], heatmap_grid: Grid, path: Path, shown_on: Grid | None = None
) -> None:
    """Writes a heatmap in [0, 1] as bytes with `scl_slope` 1/255: a quarter of the size, and it compresses.

    Args:
        heatmap: On a grid of its own.
        heatmap_grid: Where it lies.
        path: The file; its folder exists.
        shown_on: The grid it is brought to, such as the patient's, in parts, so that it is never in memory as a whole; None leaves it where it lies.
    """
    grid = shown_on or heatmap_grid
    parts = [heatmap] if shown_on is None else heatmap_by_slices(heatmap, heatmap_grid, shown_on)
    _write(_header(np.dtype(np.uint8), LEVEL_SLOPE, grid), map(_levels, parts), path)


def write_image(volume: Volume, path: Path) -> None:
    """Writes an image on the patient's grid for viewing: int16 where its values are whole numbers that fit, else float32.

    Hounsfield units are whole numbers (DICOM PS3.3, C.8.2.1): where a tilted or uneven CT was resampled, they are
    rounded to them.
    """
    voxels = (
        voxels_on_grid(volume)
        if is_stored_lattice(volume) or not keeps_pixels(volume)
        else stack_on_grid(volume)
    )
    if volume.modality is Modality.CT and voxels.dtype.kind == "f":
        voxels = np.rint(voxels)
    fits = voxels.min() >= INT16.min and voxels.max() <= INT16.max
    if fits and (voxels.dtype.kind in "iu" or volume.modality is Modality.CT):
        write_nifti(voxels.astype(np.int16, copy=False), volume.grid, path)
    else:
        write_nifti(voxels.astype(np.float32, copy=False), volume.grid, path)


def voxels_on_grid(volume: Volume) -> Real[np.ndarray, "I J K"]:
    """The image on the patient's grid: as stored for a regular series, read there for a corrected one."""
    if is_stored_lattice(volume):
        return volume.voxels
    return sample_on_grid(volume, volume.grid, AIR[volume.modality])


def is_stored_lattice(volume: Volume) -> bool:
    """Whether the patient's grid is the lattice the voxels are stored on."""
    affine = volume.grid.affine
    lines = affine[:3, 3] + np.arange(volume.voxels.shape[2])[:, None] * affine[:3, 2]
    return bool(
        volume.grid.shape == volume.voxels.shape
        and np.allclose(lines, volume.slice_origins, rtol=0, atol=0.1)
    )


def _levels(heatmap: Float32[np.ndarray, "I J K"]) -> UInt8[np.ndarray, "I J K"]:
    scaled = heatmap * np.float32(LEVELS)
    scaled += np.float32(0.5)  # the cast truncates
    return np.clip(scaled, 0, LEVELS, out=scaled).astype(np.uint8)


def _write(header: Nifti1Header, parts: Iterable[Real[np.ndarray, "..."]], path: Path) -> None:
    """Writes the header, and after it the parts of the array in Fortran's order."""
    with path.open("wb") as file, igzip.IGzipFile("", "wb", GZIP_LEVEL, file, mtime=0) as stream:
        stream.write(header.binaryblock + NO_EXTENSION)
        for part in parts:
            stream.write(np.ascontiguousarray(part.transpose()))


def _header(dtype: np.dtype[Any], scl_slope: float, grid: Grid) -> Nifti1Header:
    header = Nifti1Header()
    header.set_data_dtype(dtype)
    header.set_data_shape(grid.shape)
    header.set_xyzt_units("mm")
    header.set_qform(grid.affine, SCANNER, strip_shears=True)
    header.set_sform(grid.affine, SCANNER)
    if not np.allclose(header.get_qform(), grid.affine, rtol=0, atol=SAME_PLACE):
        # A quaternion cannot hold the shear of a tilted stack; a reader that prefers it would be led astray.
        header["qform_code"] = 0
    header["scl_slope"], header["scl_inter"] = scl_slope, 0.0
    header["vox_offset"] = header.single_vox_offset
    header["magic"] = header.single_magic
    return header
