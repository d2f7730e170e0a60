import gzip
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import (
    ArchiveTooLargeError,
    CorruptImageError,
    IrregularGeometryError,
    NeuroFuseError,
    NoUsableSeriesError,
    UnsupportedFileError,
)
from app.imaging.limits import ReadLimits
from app.imaging.read import read_image, read_mask
from app.imaging.volume import Modality, Volume
from tests.imaging.making import stored_places, write_nifti_file
from tests.imaging.nifti_bytes import parts
from tests.imaging.test_read import outcome

AFFINE = np.array([[-1.5, 0.2, 0, 40], [0.1, 1.4, 0.3, -50], [0, -0.2, 2.5, -20], [0, 0, 0, 1.0]])
RNG = np.random.default_rng(5)
VOXELS = RNG.integers(0, 900, (9, 8, 7)).astype(np.int16)


def read(path: Path, modality: Modality = Modality.MR) -> np.ndarray:
    return read_image([path], modality=modality).voxels


def test_voxels_and_places_are_those_of_nibabel(tmp_path: Path) -> None:
    volume = read_image([write_nifti_file(tmp_path / "a.nii.gz", VOXELS, AFFINE)], modality=Modality.MR)
    assert np.array_equal(volume.voxels, VOXELS)
    assert volume.voxels.dtype == np.int16
    index = np.stack(np.meshgrid(*map(np.arange, VOXELS.shape), indexing="ij"), axis=-1)
    assert np.allclose(stored_places(volume), nib.affines.apply_affine(AFFINE, index), atol=1e-4)


@pytest.mark.parametrize("dtype", ["u1", "i2", ">i2", "u2", "i4", "f4", ">f4", "f8", "i8", "u4"])
@pytest.mark.parametrize("version", [nib.Nifti1Image, nib.Nifti2Image])
def test_types_byte_orders_and_versions_read_alike(tmp_path: Path, dtype: str, version: type) -> None:
    header = version.header_class(endianness=">" if dtype[0] == ">" else "<")  # type: ignore[attr-defined]
    header.set_data_dtype(np.dtype(dtype))
    image = version((VOXELS % 200).astype(dtype), AFFINE, header)
    image.set_sform(AFFINE, 1)
    nib.save(image, tmp_path / "a.nii")
    voxels = read(tmp_path / "a.nii")
    assert np.array_equal(voxels, VOXELS % 200)
    assert voxels.dtype.isnative


def test_gzip_or_not_is_the_same_image(tmp_path: Path) -> None:
    plain = write_nifti_file(tmp_path / "a.nii", VOXELS, AFFINE)
    packed = tmp_path / "no suffix"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert np.array_equal(read(plain), read(packed))


def test_scaling_is_applied(tmp_path: Path) -> None:
    image = nib.Nifti1Image(VOXELS, AFFINE)
    image.header.set_slope_inter(2.0, -1024.0)
    image.header.set_sform(AFFINE, 1)
    data = image.header.binaryblock + b"\0" * 4 + VOXELS.tobytes(order="F")
    written = bytearray(data)
    written[108:112] = np.float32(352).tobytes()  # vox_offset
    written[344:348] = b"n+1\0"
    (tmp_path / "a.nii").write_bytes(bytes(written))
    assert np.allclose(read_mask(tmp_path / "a.nii").voxels, VOXELS * 2.0 - 1024)


def test_sform_goes_before_qform_and_a_disagreement_is_said(tmp_path: Path) -> None:
    image = nib.Nifti1Image(VOXELS, AFFINE)
    shifted = AFFINE.copy()
    shifted[0, 3] += 12
    image.set_sform(AFFINE, 1)
    image.set_qform(shifted, 1, strip_shears=True)
    nib.save(image, tmp_path / "a.nii")
    volume = read_image([tmp_path / "a.nii"], modality=Modality.MR)
    assert np.allclose(volume.grid.affine, AFFINE, atol=1e-5)
    assert [finding.code for finding in volume.findings] == ["nifti-orientations-disagree"]


def test_qform_is_used_where_there_is_no_sform(tmp_path: Path) -> None:
    affine = np.diag([-2.0, 2.0, 3.0, 1.0])
    image = nib.Nifti1Image(VOXELS, affine)
    image.set_sform(None, 0)
    image.set_qform(affine, 1)
    nib.save(image, tmp_path / "a.nii")
    assert np.allclose(read_image([tmp_path / "a.nii"], modality=Modality.MR).grid.affine, affine)


def test_metres_become_millimetres(tmp_path: Path) -> None:
    image = nib.Nifti1Image(VOXELS, AFFINE / 1000)
    image.set_sform(np.vstack([AFFINE[:3] / 1000, [0, 0, 0, 1]]), 1)
    image.set_qform(None, 0)
    image.header.set_xyzt_units("meter")
    nib.save(image, tmp_path / "a.nii")
    assert np.allclose(read_image([tmp_path / "a.nii"], modality=Modality.MR).grid.affine, AFFINE, atol=1e-4)


def no_orientation(path: Path) -> None:
    image = nib.Nifti1Image(VOXELS, None)
    nib.save(image, path)


def singular(path: Path) -> None:
    image = nib.Nifti1Image(VOXELS, AFFINE)
    image.header["sform_code"] = 1
    image.header["srow_x"] = image.header["srow_y"] = 1
    image.set_qform(None, 0)
    nib.save(image, path)


def series_in_time(path: Path) -> None:
    write_nifti_file(path, np.zeros((6, 6, 6, 3), np.int16), AFFINE)


def complex_numbers(path: Path) -> None:
    write_nifti_file(path, np.zeros((6, 6, 6), np.complex64), AFFINE)


def one_slice(path: Path) -> None:
    write_nifti_file(path, np.zeros((60, 60), np.int16), AFFINE)


def thin(path: Path) -> None:
    write_nifti_file(path, np.zeros((60, 60, 3), np.int16), AFFINE)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (no_orientation, IrregularGeometryError),
        (singular, IrregularGeometryError),
        (series_in_time, NoUsableSeriesError),
        (one_slice, NoUsableSeriesError),
        (thin, NoUsableSeriesError),
        (complex_numbers, UnsupportedFileError),
    ],
)
def test_what_is_no_image_is_refused_by_name(
    tmp_path: Path, make: object, error: type[NeuroFuseError]
) -> None:
    assert callable(make)
    make(tmp_path / "a.nii")
    with pytest.raises(error):
        read(tmp_path / "a.nii")


def test_one_frame_of_time_is_dropped(tmp_path: Path) -> None:
    path = write_nifti_file(tmp_path / "a.nii", VOXELS[..., None], AFFINE)
    assert np.array_equal(read(path), VOXELS)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kept", [0, 1, 100, 347, 348, 352, 353, 700, -1])
def test_a_truncated_file_is_an_error_by_name(tmp_path: Path, kept: int, packed: bool) -> None:
    whole = write_nifti_file(tmp_path / "whole.nii", VOXELS, AFFINE).read_bytes()
    whole = gzip.compress(whole) if packed else whole
    (tmp_path / "a").write_bytes(whole[:kept])
    with pytest.raises((CorruptImageError, UnsupportedFileError)):
        read(tmp_path / "a")


def test_a_damaged_checksum_is_noticed(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(write_nifti_file(tmp_path / "w.nii", VOXELS, AFFINE).read_bytes()))
    packed[-8] ^= 0xFF
    (tmp_path / "a").write_bytes(bytes(packed))
    with pytest.raises(CorruptImageError):
        read(tmp_path / "a")


def test_a_header_that_announces_too_much_is_refused_before_anything_unfolds(tmp_path: Path) -> None:
    path = write_nifti_file(tmp_path / "a.nii.gz", VOXELS, AFFINE)
    with pytest.raises(ArchiveTooLargeError, match="at most 500 voxels, found 504"):
        read_image([path], modality=Modality.MR, limits=ReadLimits(max_voxels=500))


def test_bytes_behind_the_image_are_never_unfolded(tmp_path: Path) -> None:
    whole = write_nifti_file(tmp_path / "w.nii", VOXELS, AFFINE).read_bytes()
    (tmp_path / "a").write_bytes(gzip.compress(whole + b"\0" * (1 << 24)))
    assert np.array_equal(read(tmp_path / "a"), VOXELS)


def test_a_gzip_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(gzip.compress(b"\0" * (1 << 20)))
    with pytest.raises(UnsupportedFileError):
        read(tmp_path / "a")


def test_a_mask_is_read_without_any_check_of_its_values(tmp_path: Path) -> None:
    labels = np.zeros((4, 5, 3), np.uint8)
    labels[1, 2, 1] = 1
    mask = read_mask(write_nifti_file(tmp_path / "m.nii.gz", labels, AFFINE))
    assert np.array_equal(mask.voxels, labels)


FLOATS = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0, np.nan, np.inf, -np.inf]), st.floats(width=32, allow_nan=True)
)
CODES = st.one_of(st.integers(0, 5), st.integers(-(1 << 15), (1 << 15) - 1))
FIELDS: dict[str, st.SearchStrategy[object]] = {
    "dim": st.lists(st.one_of(st.integers(1, 9), CODES), min_size=8, max_size=8),
    "datatype": st.one_of(st.sampled_from([2, 4, 8, 16, 64, 256, 512, 768, 1024, 1280]), CODES),
    "intent_code": CODES,
    "vox_offset": st.one_of(st.integers(0, 700), st.integers(-(1 << 31), (1 << 31) - 1)),
    "scl_slope": FLOATS,
    "scl_inter": FLOATS,
    "xyzt_units": st.integers(0, 255),
    "qform_code": CODES,
    "sform_code": CODES,
    "pixdim": st.lists(FLOATS, min_size=8, max_size=8),
    "glmin": CODES,
    **{f"quatern_{axis}": FLOATS for axis in "bcd"},
    **{f"qoffset_{axis}": FLOATS for axis in "xyz"},
    **{f"srow_{axis}": st.lists(FLOATS, min_size=4, max_size=4) for axis in "xyz"},
}


A_FEW_FIELDS = st.lists(st.sampled_from(sorted(FIELDS)), max_size=5, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: FIELDS[name] for name in names})
)


LEAVES = {
    "archive-too-large",
    "corrupt-image",
    "irregular-geometry",
    "no-usable-series",
    "unsupported-file",
    "wrong-modality",
}


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fields=A_FEW_FIELDS,
    version=st.sampled_from([1, 2]),
    order=st.sampled_from("<>"),
    pair=st.booleans(),
    modality=st.sampled_from(Modality),
)
def test_any_header_ends_in_a_sound_volume_or_a_named_refusal(
    tmp_path: Path, fields: dict[str, Any], version: int, order: str, pair: bool, modality: Modality
) -> None:
    if version == 2:
        fields.pop("glmin", None)
    header, image = parts(version=version, order=order, pair=pair, fields=fields)
    (tmp_path / "head").write_bytes(header if pair else header + image)
    (tmp_path / "image").write_bytes(image)
    paths = [tmp_path / "head", tmp_path / "image"] if pair else [tmp_path / "head"]
    volume = outcome(paths, modality)
    if not isinstance(volume, Volume):
        assert volume in LEAVES
        return
    assert volume.grid.shape == volume.voxels.shape
    assert np.isfinite(volume.voxels).all()
    assert 0.01 <= min(volume.grid.spacing_mm) <= max(volume.grid.spacing_mm) <= 50
    assert abs(np.linalg.det(volume.grid.affine[:3, :3])) > 0
    index = np.array([*map(len, (volume.voxels, volume.voxels[0], volume.voxels[0, 0]))]) - 1
    last = volume.slice_origins[-1] + index[0] * volume.step_i + index[1] * volume.step_j
    assert np.allclose(last, volume.grid.affine[:3] @ [*index, 1.0])
