"""Nine encodings of one slice against a reference made by another program; types, rescale and tables by hand."""

import shutil
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian

from app.errors import ArchiveTooLargeError
from app.imaging.dicom.header import PixelFormat, SliceHeader
from app.imaging.dicom.pixels import _runs, read_voxels, voxel_dtype
from app.imaging.dicom.slices import read_slices
from app.imaging.files.source import DiskFile
from app.imaging.limits import DEFAULT_LIMITS, ReadLimits
from app.imaging.volume import Modality
from tests.imaging.encodings import transcoded
from tests.imaging.making import Series, save

TILE, TILES_ACROSS, TILES = 64, 6, 35


@pytest.mark.samples
@pytest.mark.parametrize("number", range(1, 10))
def test_every_encoding_decodes_to_the_reference(samples: Path, number: int) -> None:
    pixels = values(samples / f"encodings/{number}.dcm", Modality.MR)
    assert pixels.dtype == np.uint16
    # The slice is a mosaic of 64 x 64 tiles; the reference has them as a stack with rows from posterior on.
    reference = np.asarray(
        nib.Nifti1Image.from_filename(samples / f"encodings/reference/{number}.nii").dataobj
    )
    for tile in range(TILES):
        top, left = TILE * (tile // TILES_ACROSS), TILE * (tile % TILES_ACROSS)
        assert np.array_equal(pixels[top : top + TILE, left : left + TILE][::-1].T, reference[:, :, tile])


def header_of(slope: float, intercept: float, stored: str = "int16") -> SliceHeader:
    dtype = np.dtype(stored)
    bits = dtype.itemsize * 8
    form = PixelFormat(4, 4, bits, bits, bits - 1, is_signed=dtype.kind == "i")
    return SliceHeader(
        DiskFile(Path()),
        "CT",
        "",
        is_slice=True,
        rescale_slope=float(slope),
        rescale_intercept=float(intercept),
        pixel_format=form,
    )


@pytest.mark.parametrize(
    ("headers", "modality", "dtype"),
    [
        ([header_of(1, -1024)], Modality.CT, "int16"),
        ([header_of(1, -1024), header_of(2, 0)], Modality.CT, "int16"),
        ([header_of(1, -1024), header_of(0.5, 0)], Modality.CT, "float32"),
        ([header_of(1, 0, "uint16")], Modality.MR, "uint16"),
        ([header_of(1, 0, "uint16"), header_of(1, 0)], Modality.MR, "int32"),
        ([header_of(3, 1, "uint16")], Modality.MR, "int32"),
        ([header_of(1, 0, "uint32")], Modality.MR, "float32"),
        ([header_of(1, 1e12)], Modality.MR, "float32"),
        ([header_of(float("inf"), 0)], Modality.CT, "float32"),
    ],
)
def test_integers_stay_integers(headers: list[SliceHeader], modality: Modality, dtype: str) -> None:
    assert voxel_dtype(headers, modality) == np.dtype(dtype)


def one_slice(
    folder: Path, stored: np.ndarray, *, modality: Modality = Modality.CT, **elements: object
) -> Path:
    """A slice of given stored values; elements of value None are taken away."""
    dataset = Series(modality=modality).datasets()[0]
    dataset.Rows, dataset.Columns = stored.shape
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    dataset.BitsAllocated = dataset.BitsStored = stored.dtype.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelData = stored.tobytes()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return save(dataset, folder / "slice")


def values(path: Path, modality: Modality = Modality.CT) -> np.ndarray:
    return np.asarray(read_voxels(read_slices(DiskFile(path)), modality, DEFAULT_LIMITS)[0])


@given(
    stored=st.lists(st.integers(-(1 << 15), (1 << 15) - 1), min_size=4, max_size=4),
    intercept=st.integers(-20_000, 20_000),
    slope=st.sampled_from([1, 1, 2, -1]),
    signed=st.booleans(),
)
def test_hu_are_slope_times_stored_plus_intercept_within_their_range(
    tmp_path_factory: pytest.TempPathFactory, stored: list[int], intercept: int, slope: int, signed: bool
) -> None:
    # Both roads, the quick one in int16 and the general one, against exact integers of Python.
    kept = np.array(stored, np.int64) if signed else np.array(stored, np.int64) + (1 << 15)
    array = kept.astype("<i2" if signed else "<u2").reshape(2, 2)
    path = one_slice(tmp_path_factory.mktemp("s"), array, RescaleSlope=slope, RescaleIntercept=intercept)
    expected = [min(max(slope * int(value) + intercept, -1024), 32767) for value in kept]
    assert values(path).ravel().tolist() == expected


@pytest.mark.parametrize(
    "padding", [{"PixelPaddingValue": 7}, {"PixelPaddingValue": 9, "PixelPaddingRangeLimit": 7}]
)
def test_padding_is_air_before_any_rescale(tmp_path: Path, padding: dict[str, int]) -> None:
    stored = np.array([[6, 7], [7, 10]], "<i2")
    elements: dict[str, Any] = {"RescaleIntercept": 100, **padding}
    path = one_slice(tmp_path, stored, **elements)
    assert values(path).tolist() == [[106, -1024], [-1024, 110]]


def test_padding_of_a_value_that_tissue_has_is_air_outside_the_head_alone(tmp_path: Path) -> None:
    # 0 where stored values are HU: water. Outside the measured circle it is padding, in a ventricle it was measured.
    stored = np.full((6, 6), 30, "<i2")
    stored[0], stored[1, :2], stored[3, 3] = 0, 0, 0
    path = one_slice(tmp_path, stored, RescaleIntercept=0, PixelPaddingValue=0)
    expected = stored.copy()
    expected[0], expected[1, :2] = -1024, -1024
    assert values(path).tolist() == expected.tolist()


def test_padding_of_a_value_that_air_has_is_air_wherever_it_lies(tmp_path: Path) -> None:
    stored = np.full((6, 6), 30, "<i2")
    stored[0], stored[3, 3] = -900, -900
    path = one_slice(tmp_path, stored, RescaleIntercept=0, PixelPaddingValue=-900)
    assert values(path).tolist() == np.where(stored == -900, -1024, stored).tolist()


@given(
    stored=st.lists(st.integers(-3000, 3000), min_size=4, max_size=4),
    padding=st.tuples(st.integers(-3000, 3000), st.integers(-3000, 3000)),
    intercept=st.sampled_from([-1024, -1, 0, 100]),
)
@settings(max_examples=40)
def test_padding_is_air_wherever_its_range_lies_and_the_rest_is_what_it_was(
    tmp_path_factory: pytest.TempPathFactory, stored: list[int], padding: tuple[int, int], intercept: int
) -> None:
    elements: dict[str, Any] = {"PixelPaddingValue": padding[0], "PixelPaddingRangeLimit": padding[1]}
    path = one_slice(
        tmp_path_factory.mktemp("s"),
        np.array(stored, "<i2").reshape(2, 2),
        RescaleIntercept=intercept,
        **elements,
    )
    low, high = sorted(padding)
    expected = [-1024 if low <= value <= high else max(value + intercept, -1024) for value in stored]
    assert values(path).ravel().tolist() == expected


def with_table(folder: Path, unit: str) -> Path:
    item = Dataset()
    item.add_new("LUTDescriptor", "SS", [4, 10, 16])
    item.add_new("LUTData", "US", [100, 200, 300, 400])
    item.ModalityLUTType = unit
    stored = np.array([[0, 10], [12, 4000]], "<i2")
    return one_slice(folder, stored, ModalityLUTSequence=Items([item]))


def test_a_modality_lut_maps_its_range_and_holds_its_ends(tmp_path: Path) -> None:
    # PS3.3 C.11.1.1: values before the first mapped one get the first entry, those after the last the last.
    assert values(with_table(tmp_path, "HU")).tolist() == [[100, 100], [300, 400]]


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_words_of_a_table_are_read_in_the_order_of_their_file(tmp_path: Path, syntax: UID) -> None:
    order = "<" if syntax.is_little_endian else ">"
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [4, 10, 16])
    item.add_new("LUTData", "OW", np.array([100, 200, 300, 400], f"{order}u2").tobytes())
    item.ModalityLUTType = "HU"
    dataset = Series(rows=1, columns=4, extra={"ModalityLUTSequence": Items([item])}).datasets()[0]
    dataset.PixelData = np.array([0, 11, 12, 4000], f"{order}u2").tobytes()
    dataset.file_meta.TransferSyntaxUID = syntax
    assert values(save(dataset, tmp_path / "s")).tolist() == [[100, 200, 300, 400]]


def test_slices_with_one_table_hold_it_once(tmp_path: Path) -> None:
    # A table may have 65536 entries, and each slice of a series states it.
    one = with_table(tmp_path, "HU")
    other = shutil.copyfile(one, tmp_path / "other")
    first, second = (read_slices(DiskFile(path))[0].lookup_table for path in (one, other))
    assert first is second is not None


@pytest.mark.parametrize("dtype", ["<u1", "<i1", "<u2", "<i2"])
def test_eight_and_sixteen_bits_with_and_without_sign(tmp_path: Path, dtype: str) -> None:
    stored = np.array([[-3, 100], [5, 0]] if dtype[1] == "i" else [[3, 200], [5, 0]], dtype)
    path = one_slice(tmp_path, stored, modality=Modality.MR)
    assert np.array_equal(values(path, Modality.MR), stored)
    assert values(path, Modality.MR).dtype == np.dtype(dtype)


def test_decoding_does_not_depend_on_how_many_slices_are_read_at_once(tmp_path: Path) -> None:
    headers = [read_slices(DiskFile(path))[0] for path in Series().write(tmp_path)]
    together = read_voxels(headers, Modality.CT, DEFAULT_LIMITS)
    assert all(
        np.array_equal(together[k], read_voxels([one], Modality.CT, DEFAULT_LIMITS)[0])
        for k, one in enumerate(headers)
    )


@given(slices=st.integers(1, 2000))
def test_every_slice_is_in_one_run_and_the_runs_are_in_order(slices: int) -> None:
    assert [k for run in _runs(slices) for k in run] == list(range(slices))


def test_the_pixels_of_a_deflated_file_are_inflated_within_the_limits_that_are_asked_for(
    tmp_path: Path,
) -> None:
    path = transcoded(Series(depths_mm=(0.0,)), tmp_path / "a", DeflatedExplicitVRLittleEndian)[0]
    headers = read_slices(DiskFile(path))
    assert len(read_voxels(headers, Modality.CT, DEFAULT_LIMITS)) == 1
    with pytest.raises(ArchiveTooLargeError, match="at most 4096 bytes"):
        read_voxels(headers, Modality.CT, ReadLimits(max_archive_bytes=4096))
