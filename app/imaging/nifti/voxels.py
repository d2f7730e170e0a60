"""A NIfTI's voxels: read block by block straight into the array that is kept, so that memory holds them once.

Small integers that nothing scales stay as stored; everything else becomes float32.
"""

from collections.abc import Iterator
from typing import IO, Any, Final

import numpy as np
from jaxtyping import Real

from app.errors import CorruptImageError
from app.imaging.nifti.header import NiftiHeader

BLOCK_BYTES: Final = 1 << 20
"""A block lies in the processor's cache while it is swapped, converted and scaled."""
SMALL_INTEGERS: Final = tuple(np.dtype(name) for name in ("int8", "uint8", "int16", "uint16", "int32"))
"""Kept as stored; other integers become float32."""


def read_voxels(stream: IO[bytes], header: NiftiHeader) -> Real[np.ndarray, "I J K"]:
    """Reads exactly the bytes the header announces; a compressed bomb behind them is never unfolded.

    Args:
        stream: The file that holds the voxels.
        header: Of the same image.

    Returns:
        [I, J, K], first axis fastest in memory, native byte order, scaled.

    Raises:
        CorruptImageError: Truncated.
    """
    flat = np.empty(header.voxel_bytes // header.stored.itemsize, _kept_type(header))
    first = 0
    for block in voxel_blocks(stream, header):
        stored = np.frombuffer(block, header.stored)
        _convert(stored, flat[first : first + stored.size], header)
        first += stored.size
    return flat.reshape(header.shape, order="F")


def voxel_blocks(stream: IO[bytes], header: NiftiHeader) -> Iterator[bytes]:
    """The bytes of the voxels as they are stored, whole voxels at a time.

    Args:
        stream: The file that holds the voxels.
        header: Of the same image.

    Raises:
        CorruptImageError: Truncated.
    """
    stream.seek(header.vox_offset)
    for start in range(0, header.voxel_bytes, BLOCK_BYTES):
        wanted = min(BLOCK_BYTES, header.voxel_bytes - start)
        data = stream.read(wanted)
        if len(data) < wanted:
            raise CorruptImageError(
                f"Expected {header.voxel_bytes} bytes of voxels, found {start + len(data)}: the file is truncated. "
                "Send the complete file."
            )
        yield data
    stream.read(1)  # at the end of a gzip file this checks its CRC


def _is_scaled(header: NiftiHeader) -> bool:
    return header.slope not in {None, 1.0} or header.inter not in {None, 0.0}


def _kept_type(header: NiftiHeader) -> np.dtype[Any]:
    native = header.stored.newbyteorder("=")
    return native if native in SMALL_INTEGERS and not _is_scaled(header) else np.dtype(np.float32)


def _convert(stored: Real[np.ndarray, " n"], kept: Real[np.ndarray, " n"], header: NiftiHeader) -> None:
    """Casts, swaps and scales one block."""
    # Beyond float32 becomes infinite, which the caller replaces and reports.
    with np.errstate(over="ignore", invalid="ignore"):
        kept[:] = stored
        if _is_scaled(header):
            kept *= np.float32(header.slope if header.slope is not None else 1.0)
            kept += np.float32(header.inter or 0.0)
