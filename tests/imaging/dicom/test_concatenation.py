"""Multi-frame images in several files: read where all are there, refused where one is missing, whichever it is."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.sequence import Sequence as Items
from pydicom.uid import generate_uid

from app.errors import MissingSlicesError
from app.imaging.dicom.concatenation import check_concatenations
from app.imaging.dicom.header import Concatenation, SliceHeader
from app.imaging.files.source import DiskFile
from app.imaging.read import read_image
from app.imaging.volume import Modality
from tests.imaging.enhanced import enhanced, item
from tests.imaging.keeping import kept, seen
from tests.imaging.making import Series

PARTS = (range(8), range(8, 14), range(14, 20))
"""Frames of each file; their order in a part is theirs."""
ECHOES_MS = (3.0, 80.0)


def concatenated(
    folder: Path, series: Series, *, parts: Sequence[range] = PARTS, counted: bool = True
) -> list[Path]:
    """A file per part."""
    folder.mkdir()
    uid = generate_uid()
    paths = []
    for number, frames in enumerate(parts, start=1):
        dataset = enhanced(series, frames)
        dataset.ConcatenationUID = uid
        dataset.InConcatenationNumber = number
        dataset.ConcatenationFrameOffsetNumber = frames.start
        if counted:
            dataset.InConcatenationTotalNumber = len(parts)
        paths.append(folder / str(number))
        dataset.save_as(paths[-1], enforce_file_format=True)
    return paths


def test_the_parts_in_any_order_are_the_image(tmp_path: Path) -> None:
    series = Series()
    whole = read_image(series.write(tmp_path / "classic"), modality=Modality.CT)
    paths = concatenated(tmp_path / "parts", series)
    for order in (paths, paths[::-1], [*paths, paths[1]]):
        assert np.array_equal(read_image(order, modality=Modality.CT).voxels, whole.voxels)


@pytest.mark.parametrize("missing", range(len(PARTS)))
def test_without_one_of_its_parts_an_image_is_refused(tmp_path: Path, missing: int) -> None:
    paths = concatenated(tmp_path / "parts", Series())
    del paths[missing]
    with pytest.raises(MissingSlicesError, match=r"all 3 files .* found 2"):
        read_image(paths, modality=Modality.CT)


def test_a_part_that_is_missing_before_the_last_is_noticed_without_their_number(tmp_path: Path) -> None:
    first, *others = concatenated(tmp_path / "parts", Series(), counted=False)
    assert read_image([first, *others], modality=Modality.CT).voxels.shape[2] == max(PARTS[-1]) + 1
    with pytest.raises(MissingSlicesError):
        read_image(others, modality=Modality.CT)


def test_a_part_of_number_zero_stands_for_none_that_is_missing(tmp_path: Path) -> None:
    """The first part has number 1 (PS3.3 C.7.6.16.2.2); a file that says 0 must not make up for one that was lost."""
    paths = concatenated(tmp_path / "parts", Series())
    wrong = dcmread(paths[1])
    wrong.InConcatenationNumber = 0
    wrong.save_as(paths[1])
    with pytest.raises(MissingSlicesError, match=r"all 3 files .* found 2"):
        read_image(paths, modality=Modality.CT)


def test_what_waits_as_a_job_is_as_whole_as_what_was_sent(tmp_path: Path) -> None:
    paths = concatenated(tmp_path / "parts", Series())
    assert seen(kept(paths, tmp_path / "whole")) == seen(paths)
    assert not isinstance(seen(paths), str)
    assert seen(kept(paths[:-1], tmp_path / "short")) == seen(paths[:-1]) == "missing-slices"


def test_two_images_of_one_series_do_not_complete_each_other(tmp_path: Path) -> None:
    lower, upper = Series(depths_mm=range(0, 80, 8)), Series(depths_mm=range(80, 160, 8))
    upper.series_uid = lower.series_uid
    halves = [range(5), range(5, 10)]
    one, other = (
        concatenated(tmp_path / str(n), part, parts=halves) for n, part in enumerate((lower, upper))
    )
    assert read_image([*one, *other], modality=Modality.CT).voxels.shape[2] == len(PARTS[0]) + 12
    with pytest.raises(MissingSlicesError):
        read_image([*one, other[0]], modality=Modality.CT)


def test_a_part_may_hold_nothing_but_another_echo(tmp_path: Path) -> None:
    series = Series(lambda points: np.full(points.shape[:-1], 7.0), modality=Modality.MR)
    paths = []
    for number, echo in enumerate(ECHOES_MS, start=1):
        dataset = enhanced(series)
        dataset.ConcatenationUID = "2.25.7"
        dataset.InConcatenationNumber, dataset.InConcatenationTotalNumber = number, len(ECHOES_MS)
        shared = dataset.SharedFunctionalGroupsSequence[0]
        shared.MREchoSequence = Items([item(EffectiveEchoTime=echo)])
        shared.MRTimingAndRelatedParametersSequence = Items([item(RepetitionTime=9.0)])
        paths.append(tmp_path / str(number))
        dataset.save_as(paths[-1], enforce_file_format=True)
    assert read_image(paths, modality=Modality.MR).voxels.shape[2] == max(PARTS[-1]) + 1
    with pytest.raises(MissingSlicesError):
        read_image(paths[:1], modality=Modality.MR)


def test_files_are_looked_through_once_however_many_images_they_are_parts_of() -> None:
    class Counted(list[SliceHeader]):
        times = 0

        def __iter__(self) -> Iterator[SliceHeader]:
            self.times += 1
            return super().__iter__()

    headers = Counted(
        SliceHeader(
            DiskFile(Path("a")), "CT", "1", is_slice=True, concatenation=Concatenation(str(number), 1, 1)
        )
        for number in range(9)
    )
    check_concatenations(headers, list(headers))
    assert headers.times == 2  # once by the list that is made of them here
