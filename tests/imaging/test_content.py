from pathlib import Path

import numpy as np
import pytest

from app.errors import CorruptImageError, WrongModalityError
from app.imaging.content import check_values, unmeasured
from app.imaging.read import read_image
from app.imaging.volume import Modality
from tests.imaging.making import head_ct, write_nifti_file

AFFINE = np.array([[8.0, 0, 0, -86], [0, 8.0, 0, -132], [0, 0, 8.0, -66], [0, 0, 0, 1]])
INDEX = np.stack(np.meshgrid(*[np.arange(24)] * 3, indexing="ij"), axis=-1)
HU = head_ct(INDEX @ AFFINE[:3, :3].T + AFFINE[:3, 3]).astype(np.float32)


def test_a_ct_passes_as_ct_and_not_as_mr(tmp_path: Path) -> None:
    path = write_nifti_file(tmp_path / "ct.nii.gz", HU, AFFINE)
    assert read_image([path], modality=Modality.CT).findings == ()
    with pytest.raises(WrongModalityError, match="as in a CT"):
        read_image([path], modality=Modality.MR)


@pytest.mark.parametrize(
    "values",
    [
        np.clip((HU + 160) / 400 * 255, 0, 255).astype(np.uint8),  # a windowed picture
        (HU + 1024).astype(np.int16),  # intercept forgotten
        (HU * 100).astype(np.int32),  # not in HU
    ],
)
def test_what_is_not_in_hu_is_no_ct(tmp_path: Path, values: np.ndarray) -> None:
    with pytest.raises(WrongModalityError, match="Hounsfield"):
        read_image([write_nifti_file(tmp_path / "a.nii", values, AFFINE)], modality=Modality.CT)


@pytest.mark.parametrize(("modality", "air"), [(Modality.CT, -1024.0), (Modality.MR, 0.0)])
def test_voxels_that_are_no_numbers_become_air_and_are_counted(
    tmp_path: Path, modality: Modality, air: float
) -> None:
    values = HU.copy() if modality is Modality.CT else HU + 1000
    values[0, 0, :3] = np.nan, np.inf, -np.inf
    volume = read_image([write_nifti_file(tmp_path / "a.nii", values, AFFINE)], modality=modality)
    assert (volume.voxels[0, 0, :3] == air).all()
    assert [finding.code for finding in volume.findings] == ["non-finite-voxels-replaced"]
    assert volume.findings[0].detail.startswith("3 voxels")


@pytest.mark.parametrize(
    ("modality", "like_air", "beyond", "is_one"),
    [
        (Modality.CT, 100, 0, True),
        (Modality.CT, 99, 0, False),
        (Modality.CT, 100, 100, True),
        (Modality.CT, 100, 101, False),
        (Modality.MR, 500, 9500, True),
        (Modality.MR, 501, 0, False),
    ],
)
def test_the_share_of_values_that_an_image_of_a_modality_has(
    modality: Modality, like_air: int, beyond: int, is_one: bool
) -> None:
    """At least 1 % of a CT lie below -500 HU and at most 1 % above 4096; of an MR at most 5 % below -500."""
    values = np.zeros(10_000, np.float32)
    values[:like_air], values[len(values) - beyond :] = -501, 4097
    if is_one:
        check_values(values, modality)
    else:
        with pytest.raises(WrongModalityError):
            check_values(values, modality)


def test_an_image_of_mostly_no_numbers_is_damaged(tmp_path: Path) -> None:
    values = np.where(HU > -500, HU, np.nan).astype(np.float32)
    values[:14] = np.nan
    with pytest.raises(CorruptImageError, match="not finite"):
        read_image([write_nifti_file(tmp_path / "a.nii", values, AFFINE)], modality=Modality.CT)


def test_values_below_air_are_raised_to_air(tmp_path: Path) -> None:
    values = HU.astype(np.int16)
    values[:2] = -3024
    volume = read_image([write_nifti_file(tmp_path / "a.nii", values, AFFINE)], modality=Modality.CT)
    assert (volume.voxels[:2] == -1024).all()


@pytest.mark.samples
@pytest.mark.parametrize(
    ("name", "sent_as"),
    [
        ("nifti/shear.nii.gz", Modality.MR),
        ("nifti/studyforrest_sub02_t1_1p4mm.nii.gz", Modality.CT),
        ("nifti/MNI152_2009_template.nii.gz", Modality.CT),
        ("nifti/avg152T1_RL_nifti.nii.gz", Modality.CT),
        ("orientations/RAS.nii.gz", Modality.CT),
        ("hostile/nifti/anatomical.nii", Modality.CT),
    ],
)
def test_a_real_image_of_the_other_modality_is_refused(samples: Path, name: str, sent_as: Modality) -> None:
    with pytest.raises(WrongModalityError):
        read_image([samples / name], modality=sent_as)


def test_a_label_image_is_no_ct(tmp_path: Path) -> None:
    labels = np.digitize(HU, [-500, 0, 500]).astype(np.int16)
    with pytest.raises(WrongModalityError):
        read_image([write_nifti_file(tmp_path / "labels.nii", labels, AFFINE)], modality=Modality.CT)


@pytest.mark.parametrize("narrower", [0.0, 0.1, 0.2])
def test_a_ct_cut_close_to_the_head_is_one_though_all_its_air_lies_in_the_corners(narrower: float) -> None:
    """As where all but the head was made -1024: no less air than beside a head in a wide view, and none of it within the circle."""
    y, x = np.ogrid[-1:1:200j, -1:1:160j]
    egg = y**2 + (x * (1 + narrower * y)) ** 2
    values = np.where(egg < 1, np.where(egg > 0.85, 900.0, 40.0), -1024.0)[None]
    check_values(values, Modality.CT, unmeasured(values))
    shifted = np.where(values > -1000, values + 1024, -1024.0)
    with pytest.raises(WrongModalityError):
        check_values(shifted, Modality.CT, unmeasured(shifted))
