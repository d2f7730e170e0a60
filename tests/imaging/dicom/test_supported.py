"""Slices whose values have no known meaning are refused, each by name."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import ExplicitVRBigEndian

from app.errors import CorruptImageError, UnsupportedFileError
from app.imaging.dicom.pixels import read_voxels
from app.imaging.dicom.slices import read_slices
from app.imaging.files.source import DiskFile
from app.imaging.limits import DEFAULT_LIMITS
from app.imaging.volume import Modality
from tests.imaging.dicom.test_pixels import one_slice, values, with_table
from tests.imaging.enhanced import enhanced
from tests.imaging.making import Series, save


def test_a_modality_lut_to_another_unit_is_no_ct(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFileError, match="another unit"):
        values(with_table(tmp_path, "OD"))


@pytest.mark.parametrize("unit", [None, "", "US", "HU", "hu ", "HU_MOD"])
def test_a_rescale_of_a_ct_leads_to_hu_where_it_names_no_other_unit(tmp_path: Path, unit: str | None) -> None:
    # PS3.3 C.8.2.1: Rescale Type may be absent where it is HU; US is "unspecified".
    stored = np.array([[24, 1024]], "<i2")
    assert values(one_slice(tmp_path, stored, RescaleType=unit)).tolist() == [[-1000, 0]]


@pytest.mark.parametrize("unit", ["MGML", "Z_EFF", "ED", "EDW", "PCT", "OD", "PROPCPS"])
def test_a_rescale_of_a_ct_to_another_unit_is_no_ct(tmp_path: Path, unit: str) -> None:
    path = one_slice(tmp_path, np.zeros((2, 2), "<i2"), RescaleType=unit)
    with pytest.raises(UnsupportedFileError, match="another unit"):
        values(path)


def test_one_slice_in_another_unit_among_those_in_hu_is_not_overlooked(tmp_path: Path) -> None:
    datasets = Series().datasets()
    datasets[7].RescaleType = "MGML"
    headers = [read_slices(DiskFile(save(one, tmp_path / str(n))))[0] for n, one in enumerate(datasets)]
    with pytest.raises(UnsupportedFileError, match="another unit"):
        read_voxels(headers, Modality.CT, DEFAULT_LIMITS)


@pytest.mark.parametrize("absent", [("RescaleIntercept",), ("RescaleIntercept", "RescaleSlope")])
@pytest.mark.parametrize("is_empty", [True, False])
def test_a_ct_slice_that_does_not_say_how_it_is_rescaled_is_refused(
    tmp_path: Path, absent: tuple[str, ...], is_empty: bool
) -> None:
    # PS3.3 C.8.2.1 asks for both elements; read as they are, stored values would be 1024 HU too high.
    datasets = Series().datasets()
    for keyword in absent:
        setattr(datasets[7], keyword, None) if is_empty else delattr(datasets[7], keyword)
    headers = [read_slices(DiskFile(save(one, tmp_path / str(n))))[0] for n, one in enumerate(datasets)]
    with pytest.raises(UnsupportedFileError, match="a slice without"):
        read_voxels(headers, Modality.CT, DEFAULT_LIMITS)


@pytest.mark.parametrize("modality", Modality)
def test_a_slope_of_nothing_is_damage(tmp_path: Path, modality: Modality) -> None:
    path = one_slice(tmp_path, np.ones((2, 2), "<u2"), modality=modality, RescaleSlope=0, RescaleIntercept=0)
    with pytest.raises(CorruptImageError, match="slope other than 0"):
        values(path, modality)


@pytest.mark.parametrize(("slope", "is_read"), [(3.5, False), (1, True)])
def test_an_mr_of_which_some_slices_are_rescaled_and_some_are_not_is_damage(
    tmp_path: Path, slope: float, is_read: bool
) -> None:
    datasets = Series(modality=Modality.MR).datasets()
    for dataset in datasets[1:]:
        dataset.RescaleSlope, dataset.RescaleIntercept = slope, 0
    headers = [read_slices(DiskFile(save(one, tmp_path / str(n))))[0] for n, one in enumerate(datasets)]
    if is_read:
        assert read_voxels(headers, Modality.MR, DEFAULT_LIMITS).dtype == np.uint16
    else:
        with pytest.raises(CorruptImageError, match="in every slice or in none"):
            read_voxels(headers, Modality.MR, DEFAULT_LIMITS)


def test_an_mr_has_no_unit_to_hold_on_to(tmp_path: Path) -> None:
    stored = np.array([[24, 1024]], "<u2")
    path = one_slice(tmp_path, stored, modality=Modality.MR, RescaleType="normalized")
    assert values(path, Modality.MR).tolist() == [[24, 1024]]


@pytest.mark.parametrize(("bits", "representation"), [(8, "OW"), (8, "OB"), (32, "OW")])
def test_big_endian_pixels_are_words_and_nothing_else(tmp_path: Path, bits: int, representation: str) -> None:
    # PS3.5 6.2: of OW the words of 16 bits are swapped, in which two pixels of 8 bits lie, or half of one of 32.
    dataset = Series(modality=Modality.MR).datasets()[0]
    cells = np.arange(dataset.Rows * dataset.Columns, dtype=f"<u{bits // 8}")
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    dataset.PixelData = (
        cells.view("<u2").astype(">u2").tobytes() if representation == "OW" else cells.tobytes()
    )
    dataset["PixelData"].VR = representation
    with pytest.raises(UnsupportedFileError, match=f"big endian, found {bits}"):
        values(save(dataset, tmp_path / "slice"), Modality.MR)


@pytest.mark.parametrize("beside", [True, False])
def test_pixels_of_broken_numbers_are_named_and_never_taken_for_whole_ones(
    tmp_path: Path, beside: bool
) -> None:
    dataset = Series().datasets()[0]
    dataset.FloatPixelData = np.zeros((dataset.Rows, dataset.Columns), "<f4").tobytes()
    if not beside:
        del dataset.PixelData
    with pytest.raises(CorruptImageError, match="Float Pixel Data are not read"):
        values(save(dataset, tmp_path / "slice"), Modality.CT)


@pytest.mark.parametrize(
    "said", [{"Rows": 32}, {"Columns": 28}, {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}]
)
def test_a_slice_with_room_for_another_one_contradicts_its_header(
    tmp_path: Path, said: dict[str, int]
) -> None:
    paths = Series(extra=said).write(tmp_path)
    with pytest.raises(CorruptImageError, match=r"Expected 1 x 3584 bytes .* found 7168\."):
        values(paths[0], Modality.CT)


def test_a_little_behind_the_pixels_is_padding(tmp_path: Path) -> None:
    dataset = Series().datasets()[0]
    plain = values(save(dataset, tmp_path / "plain"), Modality.CT)
    dataset.PixelData += bytes(1024)
    assert np.array_equal(values(save(dataset, tmp_path / "padded"), Modality.CT), plain)


@pytest.mark.parametrize("more", [0, 1])
def test_an_enhanced_image_has_room_for_its_frames_and_no_other(tmp_path: Path, more: int) -> None:
    dataset = enhanced(Series())
    frame = len(dataset.PixelData) // dataset.NumberOfFrames
    dataset.PixelData += bytes(more * frame)
    headers = read_slices(DiskFile(save(dataset, tmp_path / "enhanced")))
    assert len(headers) > 1
    with pytest.raises(CorruptImageError, match=rf"Expected \d+ x {frame} bytes") if more else nullcontext():
        read_voxels(headers, Modality.CT, DEFAULT_LIMITS)


def test_a_slice_without_pixels_is_named(tmp_path: Path) -> None:
    header = read_slices(DiskFile(Series().write(tmp_path)[0]))[0]
    with pytest.raises(Exception, match="a slice without"):
        read_voxels([replace(header, pixels=None)], Modality.CT, DEFAULT_LIMITS)
