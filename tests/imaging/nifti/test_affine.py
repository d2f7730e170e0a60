"""Which of a NIfTI's statements about its place counts, and which are refused."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header

from app.errors import IrregularGeometryError
from app.imaging.nifti.affine import index_to_ras_mm
from app.imaging.read import read_image
from app.imaging.volume import Finding, Modality, Volume
from tests.imaging.nifti_bytes import AFFINE, write_parts

SHAPE = (9, 8, 7)
ROTATION = {
    "qform_code": 1,
    "pixdim": [1, 1.5, 1.4, 2.5, 0, 0, 0, 0],
    "quatern_b": 0.0,
    "quatern_c": 0.6,
    "quatern_d": 0.8,
    "qoffset_x": 40,
    "qoffset_y": -50,
    "qoffset_z": -20,
}
"""Half a turn about (0, 0.6, 0.8)."""
HALF_TURN = np.array([[-1, 0, 0], [0, -0.28, 0.96], [0, 0.96, 0.28]])
NO_SFORM = {"sform_code": 0}


def read(tmp_path: Path, **fields: Any) -> Volume:
    return read_image([write_parts(tmp_path / "a", fields=fields)], modality=Modality.MR)


def read_qform(tmp_path: Path, **fields: Any) -> Volume:
    return read(tmp_path, **{**NO_SFORM, **ROTATION, **fields})


def index_of(tmp_path: Path, **fields: Any) -> tuple[Finding, ...]:
    """What is noticed about a header, whatever lies in the voxels."""
    image = nib.Nifti1Image.from_filename(write_parts(tmp_path / "a.nii", fields=fields))
    return index_to_ras_mm(image.header, SHAPE)[1]


def codes(volume: Volume) -> list[str]:
    return [finding.code for finding in volume.findings]


def test_the_qform_is_the_rotation_of_its_quaternion_times_the_voxel_sizes(tmp_path: Path) -> None:
    affine = read_qform(tmp_path).grid.affine
    assert np.allclose(affine[:3, :3], HALF_TURN @ np.diag([1.5, 1.4, 2.5]), atol=1e-6)
    assert np.allclose(affine[:3, 3], [40, -50, -20])


@pytest.mark.parametrize(("qfac", "turned"), [(1, 1), (-1, -1), (0, 1), (-3, -1), (7, 1), (np.nan, 1)])
def test_a_qfac_below_zero_mirrors_the_third_axis_and_any_other_does_not(
    tmp_path: Path, qfac: float, turned: int
) -> None:
    affine = read_qform(tmp_path, pixdim=[qfac, 1.5, 1.4, 2.5, 0, 0, 0, 0]).grid.affine
    assert np.allclose(affine[:3, :3], HALF_TURN @ np.diag([1.5, 1.4, 2.5 * turned]), atol=1e-6)


def test_a_quaternion_a_little_too_long_is_shortened(tmp_path: Path) -> None:
    affine = read_qform(tmp_path, quatern_c=0.6003, quatern_d=0.8004).grid.affine
    assert np.allclose(affine[:3, :3], HALF_TURN @ np.diag([1.5, 1.4, 2.5]), atol=1e-5)


@pytest.mark.parametrize(
    "fields",
    [
        {"quatern_b": 0.5},
        {"quatern_b": np.nan},
        {"quatern_c": np.inf},
        {"pixdim": [1, 0, 1.4, 2.5, 0, 0, 0, 0]},
        {"pixdim": [1, 1.5, -1.4, 2.5, 0, 0, 0, 0]},
        {"pixdim": [1, 1.5, 1.4, np.nan, 0, 0, 0, 0]},
        {"qoffset_y": np.nan},
        {"qoffset_y": 1e9},
        {"qform_code": -1},
        {"qform_code": 0, "sform_code": -2},
    ],
)
def test_a_qform_that_is_no_place_is_refused_where_it_is_needed(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    with pytest.raises(IrregularGeometryError):
        read_qform(tmp_path, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"srow_x": 0, "srow_y": 0, "srow_z": 0},
        {"srow_x": [np.nan, 0, 0, 0]},
        {"srow_z": [0, 0, 1, np.inf]},
        {"srow_y": AFFINE[0]},
        {"srow_x": [1, 1, 0, 0], "srow_y": [1, 1.001, 0, 0], "srow_z": [0, 0, 1, 0]},
        {"srow_x": [1e-4, 0, 0, 0]},
        {"srow_z": [0, 0, 80, 0]},
        {"srow_x": [1.5, 0, 0, 1e30]},
    ],
)
@pytest.mark.parametrize("beside", [{}, ROTATION])
def test_an_sform_that_is_no_place_is_refused_whatever_the_qform_says(
    tmp_path: Path, fields: dict[str, Any], beside: dict[str, Any]
) -> None:
    with pytest.raises(IrregularGeometryError):
        read(tmp_path, **{**beside, **fields})


def qform_of(affine: np.ndarray) -> dict[str, Any]:
    header = Nifti1Header()
    header.set_qform(affine, 1, strip_shears=True)
    names = (
        "qform_code",
        "pixdim",
        "quatern_b",
        "quatern_c",
        "quatern_d",
        "qoffset_x",
        "qoffset_y",
        "qoffset_z",
    )
    return {name: header[name] for name in names}


SQUARE = np.diag([-1.5, 1.4, 2.5, 1.0])


def rows_of(affine: np.ndarray) -> dict[str, Any]:
    return {f"srow_{axis}": affine[row] for row, axis in enumerate("xyz")}


def test_two_statements_that_agree_are_nothing_to_say(tmp_path: Path) -> None:
    assert codes(read(tmp_path, **qform_of(AFFINE))) == []


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5])
def test_the_sform_counts_whatever_space_its_code_names(tmp_path: Path, code: int) -> None:
    shifted = qform_of(AFFINE)
    shifted["qoffset_y"] += 12
    volume = read(tmp_path, sform_code=code, **shifted)
    assert np.allclose(volume.grid.affine, AFFINE, atol=1e-5)
    assert [finding.detail for finding in volume.findings] == [
        "sform and qform disagree by up to 12.7 mm; the sform was used"
    ]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_two_statements_that_are_mirror_images_are_refused(tmp_path: Path, axis: int) -> None:
    mirror = np.eye(4)
    mirror[axis, axis] = -1
    with pytest.raises(IrregularGeometryError, match="mirror image"):
        read(tmp_path, **qform_of(mirror @ AFFINE))


def turn(axis: int, degrees: float) -> np.ndarray:
    """A rotation about an axis of the patient."""
    one, other = (n for n in range(3) if n != axis)
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(4)
    matrix[one, one] = matrix[other, other] = cosine
    matrix[one, other], matrix[other, one] = -sine, sine
    return matrix


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("size", [1.0, 0.2], ids=["thick", "thin"])
def test_two_statements_that_turn_the_patient_over_are_refused_whatever_the_voxels_size(
    tmp_path: Path, axis: int, size: float
) -> None:
    affine = SQUARE @ np.diag([size, size, size, 1])
    for degrees in (90, 180):
        with pytest.raises(IrregularGeometryError, match=f"turn {degrees} degrees apart"):
            index_of(tmp_path, **qform_of(turn(axis, degrees) @ affine), **rows_of(affine))
    tilted = index_of(tmp_path, **qform_of(turn(axis, 45) @ affine), **rows_of(affine))
    assert [finding.code for finding in tilted] == ["nifti-orientations-disagree"]


@pytest.mark.parametrize(
    "fields", [{"quatern_b": 2}, {"pixdim": [1, 0, 0, 0, 0, 0, 0, 0]}, {"qoffset_x": np.nan}]
)
def test_a_senseless_qform_beside_an_sform_is_only_said(tmp_path: Path, fields: dict[str, Any]) -> None:
    volume = read(tmp_path, **{**ROTATION, **fields})
    assert np.allclose(volume.grid.affine, AFFINE, atol=1e-5)
    assert codes(volume) == ["nifti-orientations-disagree"]


@pytest.mark.parametrize(
    ("unit", "mm"), [(0, 1), (1, 1000), (2, 1), (3, 0.001), (8 + 2, 1), (24 + 3, 0.001), (0x38 + 1, 1000)]
)
def test_the_unit_of_space_is_honoured_whatever_the_unit_of_time(
    tmp_path: Path, unit: int, mm: float
) -> None:
    rows = {f"srow_{axis}": AFFINE[row] / mm for row, axis in enumerate("xyz")}
    assert np.allclose(read(tmp_path, xyzt_units=unit, **rows).grid.affine, AFFINE, atol=1e-4)


@pytest.mark.parametrize("unit", [4, 5, 6, 7])
def test_an_unknown_unit_is_refused(tmp_path: Path, unit: int) -> None:
    with pytest.raises(IrregularGeometryError, match=f"code {unit} in xyzt_units"):
        read(tmp_path, xyzt_units=unit)


@pytest.mark.parametrize(
    ("unit", "sizes"), [(1, "1503 x 1428 x 2518"), (3, "0.001503 x 0.001428 x 0.002518")]
)
def test_voxels_that_only_a_wrong_unit_can_make_are_refused(tmp_path: Path, unit: int, sizes: str) -> None:
    with pytest.raises(IrregularGeometryError, match=f"0.01 to 50 mm, found {sizes} mm"):
        read(tmp_path, xyzt_units=unit)


@pytest.mark.parametrize("header_class", [Nifti1Header, Nifti2Header])
@given(
    vector=st.tuples(*[st.floats(-0.577, 0.577)] * 3),
    sizes=st.tuples(*[st.floats(0.1, 10)] * 3),
    offset=st.tuples(*[st.floats(-500, 500)] * 3),
    qfac=st.sampled_from([1, -1]),
)
def test_every_rotation_is_to_the_last_bit_that_of_nibabel(
    header_class: type,
    vector: tuple[float, ...],
    sizes: tuple[float, ...],
    offset: tuple[float, ...],
    qfac: int,
) -> None:
    header = header_class()
    header["qform_code"] = 1
    header["pixdim"][:4] = [qfac, *sizes]
    for name, value in zip(("quatern_b", "quatern_c", "quatern_d"), vector, strict=True):
        header[name] = value
    for name, value in zip(("qoffset_x", "qoffset_y", "qoffset_z"), offset, strict=True):
        header[name] = value
    affine, findings = index_to_ras_mm(header, SHAPE)
    assert np.array_equal(affine, header.get_qform())
    assert findings == ()


@given(axis=st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda axis: np.linalg.norm(axis) > 0.1))
def test_half_turns_rounded_to_float32_are_never_refused(axis: tuple[float, ...]) -> None:
    unit = np.array(axis) / np.linalg.norm(axis)
    header = Nifti1Header()
    header["qform_code"] = 1
    header["pixdim"][:4] = [1, 2, 2, 2]
    for name, value in zip(("quatern_b", "quatern_c", "quatern_d"), unit, strict=True):
        header[name] = value
    affine, _ = index_to_ras_mm(header, SHAPE)
    turn = 2 * np.outer(unit, unit) - np.eye(3)  # Rodrigues' formula at 180 degrees
    assert np.allclose(affine[:3, :3], 2 * turn, atol=2e-3)
    assert nib.aff2axcodes(affine) is not None
