"""NIfTI bytes with any field set to anything: nibabel packs the fields and checks nothing."""

from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from jaxtyping import Float64, Real
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header

AFFINE: Final = np.array([[-1.5, 0.2, 0, 40], [0.1, 1.4, 0.3, -50], [0, -0.2, 2.5, -20], [0, 0, 0, 1.0]])
VOXELS: Final = np.random.default_rng(5).integers(0, 900, (9, 8, 7)).astype(np.int16)
"""Positive, so that they may be MR."""


class Parts(NamedTuple):
    """The bytes of a header, and those of its image."""

    header: bytes
    image: bytes


def parts(
    voxels: Real[np.ndarray, "..."] = VOXELS,
    *,
    version: int = 1,
    order: str = "<",
    pair: bool = False,
    affine: Float64[np.ndarray, "4 4"] = AFFINE,
    fields: dict[str, Any] | None = None,
) -> Parts:
    """A header with an sform, and voxels in the same byte order.

    Args:
        voxels: Written as they are.
        version: NIfTI-1 or 2.
        order: `<` or `>`.
        pair: Whether the header is of a pair.
        affine: Of the sform.
        fields: Set last, as they are.
    """
    header: Any = (Nifti1Header if version == 1 else Nifti2Header)(endianness=order)  # type: ignore[no-untyped-call]  # nibabel has no types
    header.set_data_dtype(voxels.dtype.newbyteorder("="))
    header.set_data_shape(voxels.shape)
    header.set_sform(affine, 1)
    header["magic"] = header.pair_magic if pair else header.single_magic
    header["vox_offset"] = 0 if pair else header.single_vox_offset
    header["scl_slope"] = 1
    for name, value in (fields or {}).items():
        header[name] = value
    gap = b"" if pair else b"\0" * (header.single_vox_offset - header.sizeof_hdr)
    stored = voxels.astype(voxels.dtype.newbyteorder("<" if order == "<" else ">"))
    return Parts(header.binaryblock + gap, stored.tobytes(order="F"))


def write_parts(path: Path, *args: Any, **keywords: Any) -> Path:
    """One file of both parts."""
    path.write_bytes(b"".join(parts(*args, **keywords)))
    return path
