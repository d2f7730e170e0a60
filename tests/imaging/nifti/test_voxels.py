"""Stored bytes to numbers: every type, either byte order, scaled or not."""

import gzip
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import CorruptImageError
from app.imaging.files.source import DiskFile
from app.imaging.limits import DEFAULT_LIMITS
from app.imaging.nifti.read import read_nifti
from app.imaging.volume import Modality
from tests.imaging.nifti_bytes import VOXELS, write_parts

TYPES = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]
KEPT = {"i1", "u1", "i2", "u2", "i4"}


def read(path: Path) -> np.ndarray:
    return read_nifti(DiskFile(path), modality=Modality.MR, limits=DEFAULT_LIMITS).voxels


def extremes(dtype: str) -> np.ndarray:
    kind = np.dtype(dtype)
    limits: Any = np.iinfo(kind) if kind.kind in "iu" else np.finfo(np.float32)
    values = np.resize(np.array([limits.min, limits.max, 0, 1, 100], kind), 9 * 8 * 7)
    return np.asarray(values.reshape(9, 8, 7))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", [1, 2])
def test_every_type_reads_as_numpy_converts_it(tmp_path: Path, dtype: str, order: str, version: int) -> None:
    stored = extremes(dtype)
    voxels = read(write_parts(tmp_path / "a", stored, order=order, version=version))
    assert voxels.dtype == np.dtype(dtype if dtype in KEPT else "f4")
    assert voxels.dtype.isnative
    assert np.array_equal(voxels, stored.astype(voxels.dtype))
    assert voxels.flags.writeable
    assert voxels.flags.f_contiguous


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("order", ["<", ">"])
def test_scaling_is_one_multiplication_and_one_addition_in_float32(
    tmp_path: Path, dtype: str, order: str
) -> None:
    stored = extremes(dtype)
    fields = {"scl_slope": 0.37, "scl_inter": -11.25}
    with np.errstate(over="ignore"):
        expected = stored.astype(np.float32) * np.float32(0.37) + np.float32(-11.25)
    assert np.array_equal(read(write_parts(tmp_path / "a", stored, order=order, fields=fields)), expected)


@pytest.mark.parametrize(
    ("slope", "inter"), [(0, 0), (0, 5), (np.nan, np.nan), (np.nan, 3), (np.inf, 0), (-np.inf, 2), (1, 0)]
)
def test_a_slope_that_scales_nothing_leaves_the_voxels_as_stored(
    tmp_path: Path, slope: float, inter: float
) -> None:
    voxels = read(write_parts(tmp_path / "a", fields={"scl_slope": slope, "scl_inter": inter}))
    assert voxels.dtype == np.int16
    assert np.array_equal(voxels, VOXELS)


@pytest.mark.parametrize(("slope", "inter"), [(1, 3), (-1, 0), (2, 0)])
def test_a_slope_or_an_intercept_alone_is_scaling(tmp_path: Path, slope: float, inter: float) -> None:
    voxels = read(write_parts(tmp_path / "a", fields={"scl_slope": slope, "scl_inter": inter}))
    assert np.array_equal(voxels, VOXELS * np.float32(slope) + np.float32(inter))


@pytest.mark.parametrize("inter", [np.nan, np.inf])
def test_an_intercept_that_is_no_number_is_damage(tmp_path: Path, inter: float) -> None:
    with pytest.raises(CorruptImageError):
        read(write_parts(tmp_path / "a", fields={"scl_slope": 2, "scl_inter": inter}))


def test_what_float32_cannot_hold_becomes_infinite(tmp_path: Path) -> None:
    stored = np.full((5, 5, 5), 1e200)
    stored[0, 0, 0] = 3.0
    voxels = read(write_parts(tmp_path / "a", stored))
    assert np.isinf(voxels).sum() == 124
    slopes = {"scl_slope": 1e300, "scl_inter": 0.0}
    assert np.isinf(read(write_parts(tmp_path / "b", stored, version=2, fields=slopes))).all()


@pytest.mark.parametrize("edge", [0, 1])
def test_an_image_larger_than_one_block_is_put_together_whole(tmp_path: Path, edge: int) -> None:
    stored = np.arange(128 * 128 * (64 + edge), dtype=">i4").reshape((128, 128, -1))
    path = write_parts(tmp_path / "a", stored, order=">")
    assert np.array_equal(read(path), stored)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(
        CorruptImageError, match=f"Expected {stored.nbytes} bytes of voxels, found {stored.nbytes - 1}"
    ):
        read(path)


@pytest.mark.parametrize(
    ("dtype", "slope", "packed"), [("i2", 1, True), ("f4", 1, False), ("f8", 1, True), ("i2", 0.5, True)]
)
def test_reading_holds_the_voxels_once(tmp_path: Path, dtype: str, slope: float, packed: bool) -> None:
    path = write_parts(tmp_path / "a", np.zeros((256, 256, 64), dtype), fields={"scl_slope": slope})
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes(), 1))
    tracemalloc.start()
    voxels = read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.5 * voxels.nbytes


def test_a_bit_that_turned_on_the_way_is_noticed_by_the_checksum_of_a_gzip(tmp_path: Path) -> None:
    """What was packed without compression unfolds all the same, into another voxel."""
    packed = bytearray(gzip.compress(write_parts(tmp_path / "a", VOXELS).read_bytes(), 0))
    packed[-100] ^= 1
    (tmp_path / "b").write_bytes(packed)
    with pytest.raises(CorruptImageError):
        read(tmp_path / "b")
