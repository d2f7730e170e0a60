"""What a NIfTI header must say to be an image of ours."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import (
    ArchiveTooLargeError,
    CorruptImageError,
    NeuroFuseError,
    NoUsableSeriesError,
    UnsupportedFileError,
)
from app.imaging.limits import ReadLimits
from app.imaging.read import read_image, read_mask
from app.imaging.volume import Modality
from tests.imaging.nifti_bytes import VOXELS, write_parts

STATISTIC, LABELS, VECTOR = 3, 1002, 1007


def read(path: Path) -> np.ndarray:
    return read_image([path], modality=Modality.MR).voxels


@pytest.mark.parametrize("shape", [(9, 8, 7, 1), (9, 8, 7, 1, 1), (9, 8, 7, 1, 1, 1, 1)])
def test_axes_of_length_one_are_dropped(tmp_path: Path, shape: tuple[int, ...]) -> None:
    assert np.array_equal(read(write_parts(tmp_path / "a", VOXELS.reshape(shape))), VOXELS)


@pytest.mark.parametrize("shape", [(9, 8, 7, 2), (9, 8, 7, 1, 3), (9, 8, 1, 7), (9, 56), (504,)])
def test_what_is_not_one_volume_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(NoUsableSeriesError):
        read(write_parts(tmp_path / "a", np.zeros(shape, np.int16)))


@pytest.mark.parametrize(
    "dim",
    [
        [3, 0, 8, 7, 1, 1, 1, 1],
        [3, -9, 8, 7, 1, 1, 1, 1],
        [3, -1, 1, 1, 1, 1, 1, 1],
        [0, 9, 8, 7, 1, 1, 1, 1],
        [8, 9, 8, 7, 1, 1, 1, 1],
        [-3, 9, 8, 7, 1, 1, 1, 1],
        [768, 9, 8, 7, 1, 1, 1, 1],
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_axes_that_cannot_be_are_damage(tmp_path: Path, dim: list[int], order: str) -> None:
    with pytest.raises(CorruptImageError):
        read(write_parts(tmp_path / "a", order=order, fields={"dim": dim}))


def test_the_largest_axes_a_header_can_say_are_refused_before_memory_is_asked_for(tmp_path: Path) -> None:
    path = write_parts(tmp_path / "a", version=2, fields={"dim": [3, 1 << 40, 1 << 40, 1 << 40, 1, 1, 1, 1]})
    with pytest.raises(ArchiveTooLargeError):
        read_image([path], modality=Modality.MR, limits=ReadLimits())


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0, "none"),
        (1, "binary"),
        (32, "complex64"),
        (128, "RGB"),
        (1536, "float128"),
        (1792, "complex128"),
        (2048, "complex256"),
        (2304, "RGBA"),
        (77, "unknown code 77"),
        (-4, "unknown code -4"),
    ],
)
def test_voxels_that_are_no_real_numbers_are_refused_by_their_name(
    tmp_path: Path, code: int, name: str
) -> None:
    with pytest.raises(UnsupportedFileError, match=name):
        read(write_parts(tmp_path / "a", np.zeros((9, 8, 7 * 16), np.int16), fields={"datatype": code}))


@pytest.mark.parametrize("code", [2, STATISTIC, 24, LABELS, 1003, 1005, VECTOR, 1010])
def test_what_is_computed_from_images_is_no_image(tmp_path: Path, code: int) -> None:
    with pytest.raises(UnsupportedFileError, match=rf"\(intent_code {code}\)"):
        read(write_parts(tmp_path / "a", fields={"intent_code": code}))


@pytest.mark.parametrize("code", [0, 1001, 1011, 2016])
def test_other_intents_are_images(tmp_path: Path, code: int) -> None:
    assert np.array_equal(read(write_parts(tmp_path / "a", fields={"intent_code": code})), VOXELS)


def test_labels_are_read_where_labels_are_asked_for(tmp_path: Path) -> None:
    path = write_parts(tmp_path / "a", fields={"intent_code": LABELS})
    assert np.array_equal(read_mask(path).voxels, VOXELS)
    with pytest.raises(UnsupportedFileError):
        read_mask(write_parts(tmp_path / "b", fields={"intent_code": STATISTIC}))


@pytest.mark.parametrize(
    ("version", "offset"),
    [
        *((1, offset) for offset in (0, 1, 347, -352, 1e9, 3e38, np.nan, np.inf)),
        *((2, offset) for offset in (0, 539, -544, 1 << 62)),
    ],
)
def test_voxels_inside_the_header_or_far_behind_it_are_damage(
    tmp_path: Path, version: int, offset: float
) -> None:
    with pytest.raises(CorruptImageError, match="vox_offset"):
        read(write_parts(tmp_path / "a", version=version, fields={"vox_offset": offset}))


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
def test_extensions_before_the_voxels_are_passed_over(tmp_path: Path, version: int, order: str) -> None:
    path = write_parts(tmp_path / "a", version=version, order=order)
    whole, start = path.read_bytes(), 352 if version == 1 else 544
    extension = b"\1\0\0\0" + b"\x20\0\0\0\x06\0\0\0" + b"a comment, as text......"  # 32 bytes, code 6
    moved = write_parts(
        tmp_path / "b", version=version, order=order, fields={"vox_offset": start + 32}
    ).read_bytes()
    path.write_bytes(moved[: start - 4] + extension + whole[start:])
    assert np.array_equal(read(path), VOXELS)


@pytest.mark.parametrize("keep", [4, 40, 348, 540])
def test_a_header_cut_short_has_a_name(tmp_path: Path, keep: int) -> None:
    path = write_parts(tmp_path / "a", version=2)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises((UnsupportedFileError, CorruptImageError)):
        read(path)


def test_fields_that_change_nothing_change_nothing(tmp_path: Path) -> None:
    fields: dict[str, Any] = {
        "descrip": b"\xff" * 80,
        "intent_name": b"\xff" * 16,
        "cal_max": np.nan,
        "slice_code": 99,
        "bitpix": 7,
        "toffset": np.inf,
        "aux_file": b"/etc/passwd",
    }
    assert np.array_equal(read(write_parts(tmp_path / "a", fields=fields)), VOXELS)


def test_refusals_quote_no_text_of_the_header(tmp_path: Path) -> None:
    texts = {"descrip": b"SECRET", "intent_name": b"SECRET", "aux_file": b"SECRET"}
    for fields in ({"datatype": 32}, {"sform_code": 0}, {"intent_code": 3}, {"vox_offset": 0}):
        with pytest.raises(NeuroFuseError) as refused:
            read(write_parts(tmp_path / "a", fields={**texts, **fields}))
        assert "SECRET" not in str(refused.value)
