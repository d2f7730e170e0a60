from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import NotAHeadError, WrongModalityError
from app.imaging.head.find import find_head
from app.imaging.head.quality import LARGEST_RATIO, LONGEST_MM, SHORTEST_MM, judge
from app.imaging.limiting import LIMITING
from app.imaging.read import read_image
from app.imaging.volume import Finding, Modality, Volume
from tests.imaging.bodies import (
    MR_HEAD,
    Points,
    Values,
    after_hemicraniectomy,
    bottle,
    brain_alone,
    head,
    image_of,
    limb,
    noise,
    stored_otherwise,
    trunk,
)
from tests.imaging.making import Field, Series, save
from tests.imaging.nifti_bytes import write_parts

CT, MR = Modality.CT, Modality.MR
SMALL_BOX = ((-40.0, -40.0, -40.0), (40.0, 40.0, 40.0))


def findings(volume: Volume) -> tuple[Finding, ...]:
    return judge(volume, find_head(volume))


def codes(volume: Volume) -> list[str]:
    return [finding.code for finding in findings(volume)]


def plate(points: Points) -> Values:
    """As long as a table and as thin as a hand."""
    inside = (np.abs(points[..., 0]) < 22) & (np.abs(points[..., 1]) < 80) & (np.abs(points[..., 2]) < 70)
    return np.where(inside, 40.0 + points.sum(axis=-1) / 5, -1000.0)


def cross(points: Points) -> Values:
    """Two rods as long and as wide as a head, and nothing between: what may be left of a plastic head."""
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    right, anterior = (np.hypot(y, z) < 11) & (np.abs(x) < 75), (np.hypot(x, z) < 11) & (np.abs(y) < 95)
    return np.where(right | anterior, 150.0 + x / 2 + y / 3, -1000.0)


@pytest.mark.parametrize("field", [head(), after_hemicraniectomy, head(size=1.15)])
@pytest.mark.parametrize("spacing", [(3.0, 3.0, 3.0), (4.0, 4.0, 7.0)])
def test_whole_heads_have_no_finding(field: Field, spacing: tuple[float, float, float]) -> None:
    assert codes(image_of(field, CT, spacing=spacing)) == []


@pytest.mark.parametrize("scalp_mm", [6.0, 12.0])
def test_whole_mr_heads_have_no_finding(scalp_mm: float) -> None:
    assert codes(image_of(head(MR_HEAD, scalp_mm=scalp_mm), MR)) == []


@pytest.mark.parametrize(
    ("field", "modality", "expected"),
    [
        (head(size=0.8), CT, ["small-head"]),
        (brain_alone(35.0, -1000.0), CT, ["skull-stripped"]),
        (brain_alone(300.0, 0.0), MR, ["skull-stripped"]),
        (bottle, CT, ["head-doubtful"]),
        (plate, CT, ["head-doubtful"]),
        (cross, CT, ["head-doubtful"]),
        (noise, MR, ["head-cut-off", "head-doubtful"]),
        (lambda points: np.minimum(head()(points), 80.0), CT, ["windowed-image"]),
        (lambda points: np.minimum(head(size=1.1)(points), 80.0), CT, ["windowed-image"]),
    ],
)
def test_what_is_wrong_is_named(field: Field, modality: Modality, expected: list[str]) -> None:
    assert codes(image_of(field, modality)) == expected
    assert set(expected) <= LIMITING


def test_what_is_cut_off_is_said_with_its_side() -> None:
    (finding,) = findings(image_of(head(), CT, high=(120, 130, 50)))
    assert finding.code == "head-cut-off"
    assert "mm at the top" in finding.detail


@pytest.mark.parametrize(
    ("field", "modality"),
    [
        (trunk(lungs=True, scale=0.6), CT),
        (limb(60.0, 35.0, (4.0, 200.0, 300.0)), MR),
        (lambda points: points[..., 0] * 0, MR),
        (lambda points: points[..., 0] * 0 - 1000, CT),
    ],
)
def test_what_certainly_is_no_head_is_refused(field: Field, modality: Modality) -> None:
    with pytest.raises(NotAHeadError, match=r"Expected an image of a head, found .*\. Send"):
        findings(image_of(field, modality))


@pytest.mark.parametrize("unit", [None, "HU", "US"])
def test_a_ct_whose_values_are_not_hu_is_refused_whatever_its_files_say(
    tmp_path: Path, unit: str | None
) -> None:
    # What writes a series anew may lose its intercept and leave the rest: air is then 0, and a brain bone.
    lost = Series(extra={"RescaleIntercept": 0, "RescaleType": unit})
    volume = read_image(lost.write(tmp_path), modality=CT)
    with pytest.raises(WrongModalityError, match="Expected a CT in Hounsfield units"):
        findings(volume)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("lost", [1024, 0])
def test_what_a_scanner_writes_outside_the_circle_that_it_measured_is_no_air(
    lost: int, order: tuple[int, int, int]
) -> None:
    """GE writes -2000 or -3024 there, which no intercept that was lost makes tissue."""
    volume = image_of(head())
    i, j, k = np.ogrid[tuple(slice(-1, 1, size * 1j) for size in volume.voxels.shape)]
    voxels = np.where(i * i + j * j + 0 * k > 1, -1024, volume.voxels + lost).astype(np.int16)
    stored = stored_otherwise(replace(volume, voxels=voxels), order, (1, -1, 1))
    if not lost:
        assert findings(stored) == ()
        return
    with pytest.raises(WrongModalityError, match="Expected a CT in Hounsfield units"):
        findings(stored)


def test_a_ct_of_which_all_but_the_head_was_taken_away_is_one() -> None:
    volume = image_of(head())
    values = np.where(volume.voxels < -500, np.int16(-1024), volume.voxels)
    assert findings(replace(volume, voxels=values)) == ()


def test_a_phase_image_that_says_so_in_private_elements_alone_is_no_mr_image_of_a_head(
    tmp_path: Path,
) -> None:
    # As GE writes them: thousandths of a radian, from -3142 to 3142, and an Image Type of ORIGINAL, PRIMARY, OTHER.
    rng = np.random.default_rng(1)
    datasets = Series(modality=MR).datasets()
    for dataset in datasets:
        phase = rng.integers(-3142, 3143, (dataset.Rows, dataset.Columns)).astype("<i2")
        dataset.PixelRepresentation, dataset.PixelData = 1, phase.tobytes()
    volume = read_image([save(dataset, tmp_path / str(n)) for n, dataset in enumerate(datasets)], modality=MR)
    with pytest.raises(WrongModalityError, match="as in a CT or a phase image"):
        findings(volume)


def test_an_image_without_a_body_is_found_without_a_head() -> None:
    assert codes(image_of(lambda points: points[..., 0] / 10 - 1000, CT, *SMALL_BOX)) == ["head-not-found"]


@pytest.mark.parametrize("fields", [{}, {"scl_slope": 2.5}, {"scl_inter": 1.0}])
def test_eight_bits_are_a_picture_whatever_scale_is_put_on_them(
    tmp_path: Path, fields: dict[str, float]
) -> None:
    volume = image_of(head(MR_HEAD, scalp_mm=12.0), MR)
    grey = (np.clip(volume.voxels, 0, 360) / 360 * 254).astype(np.uint8)
    image = write_parts(tmp_path / "a.nii", grey, fields=fields, affine=volume.grid.affine)
    assert codes(read_image([image], modality=MR)) == ["windowed-image"]


@pytest.mark.parametrize(
    ("allocated", "bits", "slope", "expected"),
    [(8, 8, 10, ["windowed-image"]), (16, 8, 10, ["windowed-image"]), (16, 12, 1, [])],
)
def test_the_bits_of_dicom_that_count_are_those_of_the_values(
    tmp_path: Path, allocated: int, bits: int, slope: int, expected: list[str]
) -> None:
    def uneven(points: Points) -> Values:  # so that few voxels have the highest value, though levels are few
        return np.maximum(head()(points) * (1 + points[..., 2] / 500), -1000.0)

    paths = []
    for n, dataset in enumerate(Series(field_at=uneven, first=(110.0, 125.0, -60.0), rows=66).datasets()):
        stored = np.frombuffer(dataset.PixelData, "<u2") // slope
        dataset.PixelData = stored.astype(f"<u{allocated // 8}").tobytes()
        dataset.RescaleSlope, dataset.BitsAllocated = slope, allocated
        dataset.BitsStored, dataset.HighBit = bits, bits - 1
        paths.append(save(dataset, tmp_path / str(n)))
    assert codes(read_image(paths, modality=CT)) == expected


@pytest.mark.parametrize(("ceiling", "expected"), [(290, ["windowed-image"]), (3000, [])])
def test_a_display_window_leaves_its_ceiling(ceiling: int, expected: list[str]) -> None:
    volume = image_of(head(MR_HEAD, scalp_mm=12.0), MR)
    assert codes(replace(volume, voxels=np.minimum(volume.voxels, np.int16(ceiling)))) == expected


@settings(deadline=None, max_examples=6)
@given(
    st.permutations([0, 1, 2]),
    st.tuples(*[st.sampled_from([1, -1])] * 3),
    st.sampled_from([(head(size=0.8), CT), (brain_alone(300.0, 0.0), MR), (plate, CT)]),
)
def test_findings_do_not_depend_on_storage(
    order: list[int], flips: tuple[int, int, int], case: tuple[Field, Modality]
) -> None:
    plain = image_of(*case)
    other = stored_otherwise(plain, (order[0], order[1], order[2]), flips)
    assert findings(other) == findings(plain)


REAL = {
    "ct-head-ge": (CT, []),
    "ct-phantom-philips": (CT, ["head-doubtful"]),
    "nifti/shear.nii.gz": (CT, ["head-doubtful", "windowed-image"]),
    "mr-t1/studyforrest-sub02-t1.zip": (MR, []),
    "nifti/studyforrest_sub02_t1_1p4mm.nii.gz": (MR, []),
    "nifti/MNI152_2009_template.nii.gz": (MR, ["skull-stripped"]),
    "nifti/avg152T1_RL_nifti.nii.gz": (MR, ["windowed-image"]),
}
"""The plastic heads have a broken shell; both templates are what their findings say, the letters in one are burnt in; the sheared
one has 8 bits and a scale."""


def test_the_last_digits_of_its_box_make_no_head_doubtful() -> None:
    volume = image_of(head())
    found = find_head(volume)
    for short, long in ((SHORTEST_MM, SHORTEST_MM), (130.0, 130.0 * LARGEST_RATIO), (200.0, LONGEST_MM)):
        rounded = replace(found, size_mm=(np.nextafter(short, 0), np.nextafter(long, 300)))
        assert judge(volume, rounded) == ()


def test_a_second_scan_between_the_slices_limits_the_answer() -> None:
    volume = image_of(head())
    voxels = volume.voxels.copy()
    voxels[:, :, 1::2] = np.roll(voxels[:, :, 1::2], 4, axis=0)
    assert codes(replace(volume, voxels=voxels)) == ["slices-alternate"]
    assert "slices-alternate" in LIMITING


@pytest.mark.samples
@pytest.mark.parametrize("name", sorted(REAL))
def test_real_images_have_the_findings_they_deserve(samples: Path, name: str) -> None:
    modality, expected = REAL[name]
    at = samples / name
    files = sorted(at.iterdir()) if at.is_dir() else [at]
    assert codes(read_image(files, modality=modality)) == expected


@pytest.mark.samples
def test_one_brain_in_every_storage_order_has_the_same_findings(samples: Path) -> None:
    names = ["".join(order) for order in product("RL", "AP", "SI")] + ["SAR", "IPL", "PIL", "ASR"]
    for name in names:
        volume = read_image([samples / f"orientations/{name}.nii.gz"], modality=MR)
        assert codes(volume) == ["skull-stripped", "windowed-image"]
