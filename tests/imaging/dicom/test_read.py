import shutil
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from jaxtyping import Float64
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, generate_uid

from app.errors import (
    CorruptImageError,
    IrregularGeometryError,
    MissingSlicesError,
    MixedSeriesError,
    NeuroFuseError,
    NoUsableSeriesError,
    UnsupportedFileError,
    WrongModalityError,
)
from app.imaging.dicom.read import ras_from_lps
from app.imaging.limits import ReadLimits
from app.imaging.read import read_image
from app.imaging.volume import Modality, Volume
from tests.imaging.making import Series, head_ct, ramp, save, stored_places


def same(a: Volume, b: Volume) -> bool:
    """Whether two volumes agree in every number."""
    return (
        np.array_equal(a.voxels, b.voxels)
        and a.voxels.dtype == b.voxels.dtype
        and np.array_equal(a.slice_origins, b.slice_origins)
        and np.array_equal(a.grid.affine, b.grid.affine)
        and a.findings == b.findings
    )


EIGHT_BITS = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "RescaleSlope": 10}


def head_8_bit(points: Float64[np.ndarray, "*n 3"]) -> Float64[np.ndarray, "*n"]:
    """A head in steps of 10 HU, as `Series` writes it for an intercept of -1024: 0 is air."""
    return np.asarray((head_ct(points) + 1024) / 10 - 1024)


def codes(volume: Volume) -> list[str]:
    return [finding.code for finding in volume.findings]


def rewrite(series: Series, folder: Path, change: Callable[[int, Dataset], None]) -> list[Path]:
    """Writes a series after changing each slice."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for n, dataset in enumerate(series.datasets()):
        change(n, dataset)
        paths.append(save(dataset, folder / f"{n}"))
    return paths


def test_lps_to_ras_turns_left_and_posterior_and_is_its_own_inverse() -> None:
    left, posterior, superior = np.eye(3)
    assert np.array_equal(ras_from_lps(left), [-1, 0, 0])
    assert np.array_equal(ras_from_lps(posterior), [0, -1, 0])
    assert np.array_equal(ras_from_lps(ras_from_lps(superior)), superior)


def test_every_voxel_holds_the_value_of_its_place(tmp_path: Path) -> None:
    volume = read_image(Series(field_at=ramp).write(tmp_path), modality=Modality.CT)
    truth = np.round(ramp(stored_places(volume)))
    assert volume.voxels.dtype == np.int16
    assert np.abs(volume.voxels - truth).max() <= 1  # ties in rounding
    assert volume.findings == ()


@pytest.mark.parametrize("seed", range(3))
def test_names_and_order_do_not_matter(tmp_path: Path, seed: int) -> None:
    paths = Series(tilt_degrees=12.0).write(tmp_path / "in order")
    shuffled = []
    for n, index in enumerate(np.random.default_rng(seed).permutation(len(paths))):
        shuffled.append(tmp_path / f"{['x.nii.gz', 'y.zip', 'z'][n % 3]}{n}")
        shutil.copyfile(paths[index], shuffled[-1])
    assert same(read_image(paths, modality=Modality.CT), read_image(shuffled, modality=Modality.CT))


def test_patient_data_never_reaches_a_volume_or_an_error(tmp_path: Path) -> None:
    paths = Series().write(tmp_path)
    assert "Secret" not in repr(read_image(paths, modality=Modality.CT))
    with pytest.raises(WrongModalityError) as caught:
        read_image(paths, modality=Modality.MR)
    assert "Secret" not in caught.value.detail


def test_a_regular_series_keeps_its_lattice(tmp_path: Path) -> None:
    volume = read_image(Series().write(tmp_path), modality=Modality.CT)
    assert volume.grid.shape == volume.voxels.shape == (56, 64, 20)
    assert np.allclose(volume.grid.spacing_mm, (4, 4, 8))


def test_identical_duplicates_are_dropped_and_named(tmp_path: Path) -> None:
    paths = Series().write(tmp_path / "a")
    again = tmp_path / "again"
    shutil.copyfile(paths[3], again)
    volume = read_image([*paths, again], modality=Modality.CT)
    assert codes(volume) == ["duplicate-slices-dropped"]
    assert np.array_equal(volume.voxels, read_image(paths, modality=Modality.CT).voxels)


def test_different_images_at_one_place_are_refused(tmp_path: Path) -> None:
    series = Series()
    other = Series(field_at=lambda points: head_ct(points) + 7, series_uid=series.series_uid)
    with pytest.raises(MixedSeriesError):
        read_image([*series.write(tmp_path / "a"), *other.write(tmp_path / "b")], modality=Modality.CT)


@pytest.mark.parametrize("missing", [3, 10, 16])
def test_a_missing_slice_is_named(tmp_path: Path, missing: int) -> None:
    depths = [depth for n, depth in enumerate(Series().depths_mm) if n != missing]
    with pytest.raises(MissingSlicesError, match=r"8\.00 mm, found one of 16\.00 mm"):
        read_image(Series(depths_mm=depths).write(tmp_path), modality=Modality.CT)


def test_the_only_series_of_the_modality_is_chosen_and_the_rest_is_counted(tmp_path: Path) -> None:
    ct = Series().write(tmp_path / "ct")
    mr = Series(modality=Modality.MR, field_at=lambda points: head_ct(points) + 1100).write(tmp_path / "mr")
    scout = Series(extra={"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}).write(tmp_path / "scout")
    volume = read_image([*mr, *scout, *ct], modality=Modality.CT)
    assert volume.voxels.shape[2] == len(ct)
    assert [finding.detail for finding in volume.findings] == [
        "40 of 60 files are not slices of the image and were left out"
    ]


def test_two_series_that_could_be_meant_are_refused_with_their_number(tmp_path: Path) -> None:
    paths = [*Series().write(tmp_path / "a"), *Series().write(tmp_path / "b")]
    with pytest.raises(MixedSeriesError, match="found 2 of at least 5"):
        read_image(paths, modality=Modality.CT)


def test_four_slices_are_no_volume(tmp_path: Path) -> None:
    with pytest.raises(NoUsableSeriesError):
        read_image(Series(depths_mm=(0, 5, 10, 15)).write(tmp_path), modality=Modality.CT)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}, IrregularGeometryError),
        ({"PixelSpacing": [3.9, 4]}, IrregularGeometryError),
        ({"ImagePositionPatient": None}, IrregularGeometryError),
        ({"ImagePositionPatient": ["NaN", 0, 0]}, NeuroFuseError),
        ({"BitsAllocated": 12}, CorruptImageError),
        ({"PixelData": b"\0" * 100}, CorruptImageError),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, UnsupportedFileError),
        ({"Rows": 63}, IrregularGeometryError),
    ],
)
def test_one_slice_unlike_the_others_is_an_error_by_name(
    tmp_path: Path, change: dict[str, object], error: type[NeuroFuseError]
) -> None:
    def alter(number: int, dataset: Dataset) -> None:
        if number == 7:
            for keyword, value in change.items():
                setattr(dataset, keyword, value)

    with pytest.raises(error):
        read_image(rewrite(Series(), tmp_path, alter), modality=Modality.CT)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"Rows": 0}, CorruptImageError),
        ({"Columns": 0}, CorruptImageError),
        ({"BitsAllocated": 0}, CorruptImageError),
        ({"BitsAllocated": 1}, CorruptImageError),
        ({"PixelSpacing": [1e-7, 1e-7]}, IrregularGeometryError),
        ({"PixelSpacing": [1e-20, 1e-20]}, IrregularGeometryError),
        ({"PixelSpacing": [60, 60]}, IrregularGeometryError),
        ({"PixelSpacing": [0, 0]}, IrregularGeometryError),
    ],
)
@pytest.mark.parametrize("modality", [Modality.CT, Modality.MR])
def test_a_series_that_no_scanner_makes_is_an_error_by_name(
    tmp_path: Path, change: dict[str, object], error: type[NeuroFuseError], modality: Modality
) -> None:
    def alter(_number: int, dataset: Dataset) -> None:
        for keyword, value in change.items():
            setattr(dataset, keyword, value)

    with pytest.raises(error):
        read_image(rewrite(Series(modality=modality), tmp_path, alter), modality=modality)


@pytest.mark.parametrize("apart", [(1e100, 0), (0, 1e6)])
def test_places_where_no_scanner_is_are_an_error_by_name(tmp_path: Path, apart: tuple[float, float]) -> None:
    def alter(number: int, dataset: Dataset) -> None:
        x, y, z = dataset.ImagePositionPatient
        dataset.ImagePositionPatient = [f"{x + apart[0]:.6g}", y, f"{z + number * apart[1]:.6g}"]

    with pytest.raises(IrregularGeometryError, match="within 100 m"):
        read_image(rewrite(Series(), tmp_path, alter), modality=Modality.CT)


def test_bytes_behind_the_pixels_are_no_pixels(tmp_path: Path) -> None:
    def alter(number: int, dataset: Dataset) -> None:
        if number == 7:
            whole = dataset.PixelData
            dataset.PixelData = whole[: len(whole) // 2]
            dataset.add_new(0xFFFCFFFC, "OB", whole)  # Data Set Trailing Padding (PS3.10 7.2)

    with pytest.raises(CorruptImageError, match="truncated"):
        read_image(rewrite(Series(), tmp_path, alter), modality=Modality.CT)


def test_cosines_that_are_no_directions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IrregularGeometryError, match="perpendicular"):
        read_image(
            Series(extra={"ImageOrientationPatient": [1, 0, 0, 0.5, 0.5, 0]}).write(tmp_path),
            modality=Modality.CT,
        )


def test_several_frames_in_a_classic_image_are_refused_by_name(tmp_path: Path) -> None:
    paths = Series(extra={"NumberOfFrames": 3}).write(tmp_path)
    with pytest.raises(UnsupportedFileError, match="multi-frame"):
        read_image(paths, modality=Modality.CT)


def test_padding_becomes_air_and_nothing_is_thinner_than_air(tmp_path: Path) -> None:
    def pad(_: int, dataset: Dataset) -> None:
        dataset.PixelRepresentation = 1
        dataset.RescaleIntercept = 0
        pixels = np.zeros((64, 56), "<i2")
        pixels[0], pixels[1] = -2000, -3024
        dataset.PixelData = pixels.tobytes()
        dataset.PixelPaddingValue = -2000

    volume = read_image(rewrite(Series(), tmp_path, pad), modality=Modality.CT)
    assert (volume.voxels[:, :2] == -1024).all()
    assert (volume.voxels[:, 2:] == 0).all()


def test_each_slice_has_its_own_rescale(tmp_path: Path) -> None:
    def scale(number: int, dataset: Dataset) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = 0.5 * (1 + number), -3
        dataset.PixelData = np.full((64, 56), 10, "<u2").tobytes()

    volume = read_image(rewrite(Series(), tmp_path, scale), modality=Modality.CT)
    assert volume.voxels.dtype == np.float32
    assert np.allclose(volume.voxels[5, 5], 5.0 * (1 + np.arange(20)) - 3)


def test_values_of_an_unspecified_unit_are_hu(tmp_path: Path) -> None:
    # Some scanners call HU unspecified, and some a map of something else: `test_quality` has those.
    paths = Series(extra={"RescaleType": "US"}).write(tmp_path / "us")
    plain = read_image(Series().write(tmp_path / "hu"), modality=Modality.CT)
    assert np.array_equal(read_image(paths, modality=Modality.CT).voxels, plain.voxels)


def test_monochrome1_is_still_hu_for_ct_and_refused_never_inverted(tmp_path: Path) -> None:
    plain = Series()
    inverted = Series(extra={"PhotometricInterpretation": "MONOCHROME1"})
    a = read_image(plain.write(tmp_path / "a"), modality=Modality.CT)
    b = read_image(inverted.write(tmp_path / "b"), modality=Modality.CT)
    assert np.array_equal(a.voxels, b.voxels)
    mr = Series(modality=Modality.MR, field_at=ramp_mr, extra={"PhotometricInterpretation": "MONOCHROME1"})
    with pytest.raises(UnsupportedFileError, match="MONOCHROME1"):
        read_image(mr.write(tmp_path / "mr"), modality=Modality.MR)


def ramp_mr(points: np.ndarray) -> np.ndarray:
    return np.asarray(ramp(points) + 2000)


def test_plain_mr_keeps_its_stored_type(tmp_path: Path) -> None:
    volume = read_image(Series(modality=Modality.MR, field_at=ramp_mr).write(tmp_path), modality=Modality.MR)
    assert volume.voxels.dtype == np.uint16


def test_lossy_compression_is_said(tmp_path: Path) -> None:
    volume = read_image(Series(extra={"LossyImageCompression": "01"}).write(tmp_path), modality=Modality.CT)
    assert codes(volume) == ["lossy-compression"]


def test_lossy_compression_is_seen_where_the_file_does_not_say_it(tmp_path: Path) -> None:
    paths = []
    for n, dataset in enumerate(Series(head_8_bit, extra=EIGHT_BITS).datasets()):
        pixels = np.frombuffer(dataset.PixelData, "<u2").astype(np.uint8)
        jpeg = imagecodecs.jpeg8_encode(pixels.reshape(dataset.Rows, dataset.Columns), level=95)
        dataset.PixelData = encapsulate([bytes(jpeg)])
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
        paths.append(save(dataset, tmp_path / str(n)))
    assert codes(read_image(paths, modality=Modality.CT)) == ["lossy-compression"]


def test_more_voxels_than_allowed_are_refused_before_pixels_are_read(tmp_path: Path) -> None:
    with pytest.raises(NeuroFuseError, match="at most 1000 voxels") as caught:
        read_image(Series().write(tmp_path), modality=Modality.CT, limits=ReadLimits(max_voxels=1000))
    assert caught.value.code == "archive-too-large"


def test_two_slices_side_by_side_are_refused(tmp_path: Path) -> None:
    series = Series()
    beside = Series(series_uid=series.series_uid, first=(150.0, 106.0, -40.0), depths_mm=(0.0,))
    with pytest.raises(IrregularGeometryError, match="side by side"):
        read_image([*series.write(tmp_path / "a"), *beside.write(tmp_path / "b")], modality=Modality.CT)


@pytest.mark.samples
def test_the_ge_head_is_tilted_by_18_5_degrees_and_unevenly_spaced(samples: Path) -> None:
    volume = read_image(list((samples / "ct-head-ge").iterdir()), modality=Modality.CT)
    assert [(finding.code, finding.detail) for finding in volume.findings] == [
        ("gantry-tilt-corrected", "18.5 degrees"),
        ("uneven-slice-gaps-resampled", "gaps between slices from 1.08 to 7.00 mm"),
    ]
    assert volume.voxels.shape == (512, 512, 28)
    assert int(volume.voxels.max()) == 2121


@pytest.mark.samples
def test_the_ge_head_without_one_slice_is_refused(samples: Path) -> None:
    paths = sorted((samples / "ct-head-ge").iterdir())
    for missing in (5, 22):
        with pytest.raises(MissingSlicesError):
            read_image([path for n, path in enumerate(paths) if n != missing], modality=Modality.CT)


@pytest.mark.samples
def test_the_philips_phantom_is_regular(samples: Path) -> None:
    volume = read_image(list((samples / "ct-phantom-philips").iterdir()), modality=Modality.CT)
    assert volume.findings == ()
    assert np.allclose(volume.grid.spacing_mm, (0.451, 0.451, 5.0), atol=1e-3)
    assert (int(volume.voxels.min()), int(volume.voxels.max())) == (-1024, 782)


def test_a_fresh_uid_names_another_series(tmp_path: Path) -> None:
    def scatter(number: int, dataset: Dataset) -> None:
        dataset.SeriesInstanceUID = generate_uid() if number % 2 else dataset.SeriesInstanceUID

    volume = read_image(rewrite(Series(), tmp_path, scatter), modality=Modality.CT)
    assert volume.voxels.shape[2] == 10
