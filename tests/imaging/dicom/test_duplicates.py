"""Slices that were sent twice, by way of one archive or of two."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import MixedSeriesError
from app.imaging.dicom.duplicates import AT_ONCE
from app.imaging.dicom.series import Wanted
from app.imaging.files.source import DiskFile, Loaded
from app.imaging.limits import DEFAULT_LIMITS
from app.imaging.read import read_image, read_sources
from app.imaging.volume import Modality
from tests.imaging.enhanced import write_enhanced
from tests.imaging.keeping import seen
from tests.imaging.making import Series, ramp


class Counted(DiskFile):
    """A file that counts how often it is unpacked whole."""

    loads = 0

    def loaded(self) -> Loaded:
        self.loads += 1
        return super().loaded()


def test_a_file_of_many_frames_that_was_sent_twice_is_not_unpacked_for_each_of_them(tmp_path: Path) -> None:
    path = write_enhanced(Series(field_at=ramp), tmp_path / "one")
    files = [Counted(path), Counted(shutil.copyfile(path, tmp_path / "two"))]
    volume = read_sources(files, Wanted(Modality.CT), DEFAULT_LIMITS)
    assert volume.voxels.shape[2] == len(Series().depths_mm)
    assert sum(file.loads for file in files) <= 3  # both to compare them, and one to read it


@pytest.mark.parametrize(
    "declared",
    [
        {"LossyImageCompression": "01"},
        {"SliceThickness": 1},
        {"SliceThickness": 9},
        {"ConvolutionKernel": "H70H"},
        {"LossyImageCompression": "01", "SliceThickness": 5},
        {"BitsStored": 12, "HighBit": 11},
        {"RescaleType": "US"},
        {"FrameOfReferenceUID": "1.2.4"},
    ],
)
@pytest.mark.parametrize("sent_twice", [slice(None), slice(None, None, 3)])
def test_what_copies_declare_counts_alike_in_any_order_of_files(
    tmp_path: Path, declared: dict[str, Any], sent_twice: slice
) -> None:
    said = {"SliceThickness": 8, "FrameOfReferenceUID": "1.2.3"}
    series = Series(extra=said)
    other = Series(extra={**said, **declared}, series_uid=series.series_uid)
    paths = [*series.write(tmp_path / "a"), *other.write(tmp_path / "b")[sent_twice]]
    assert seen(paths) == seen(paths[::-1])
    # Neither makes a second acquisition of a few slices that were sent again.
    assert read_image(paths, modality=Modality.CT).voxels.shape[2] == len(series.depths_mm)


def test_a_copy_that_lost_something_is_told_of(tmp_path: Path) -> None:
    series = Series()
    lossy = Series(extra={"LossyImageCompression": "01"}, series_uid=series.series_uid)
    paths = [*series.write(tmp_path / "a"), *lossy.write(tmp_path / "b")]
    codes = [finding.code for finding in read_image(paths, modality=Modality.CT).findings]
    assert codes == ["duplicate-slices-dropped", "lossy-compression"]


def test_of_many_copies_the_last_one_is_compared_too(tmp_path: Path) -> None:
    series = Series(rows=8, columns=8, depths_mm=range(AT_ONCE + 6))
    *again, last = series.datasets()
    pixels = np.frombuffer(last.PixelData, "<u2").copy()
    pixels[-1] += 1
    last.PixelData = pixels.tobytes()
    paths = series.write(tmp_path / "a")
    (tmp_path / "b").mkdir()
    for n, dataset in enumerate([*again, last]):
        dataset.save_as(tmp_path / "b" / str(n), enforce_file_format=True)
        paths.append(tmp_path / "b" / str(n))
    with pytest.raises(MixedSeriesError, match="different images at one"):
        read_image(paths, modality=Modality.CT)
