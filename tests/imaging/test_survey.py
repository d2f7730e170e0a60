"""What the door sees is kept whole, whether it lets the image in or not."""

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import generate_uid

from app.errors import CorruptImageError, MixedSeriesError, NoUsableSeriesError, WrongModalityError
from app.imaging.limits import DEFAULT_LIMITS
from app.imaging.read import read_image
from app.imaging.survey import Survey, survey
from app.imaging.volume import Modality
from tests.imaging.making import Series
from tests.imaging.nifti_bytes import write_parts


def look(*paths: Path, modality: Modality | None = None, series: str | None = None) -> Survey:
    return survey(paths, limits=DEFAULT_LIMITS, modality=modality, series=series)


def small(modality: Modality = Modality.CT, slices: int = 6) -> Series:
    return Series(rows=16, columns=16, pixel_mm=12.0, depths_mm=range(0, 8 * slices, 8), modality=modality)


def kinds(seen: Survey) -> dict[str, int]:
    return {str(count.kind): count.files for count in seen.files}


def test_the_volume_is_that_of_the_door(tmp_path: Path) -> None:
    files = small().write(tmp_path)
    seen, volume = look(*files), read_image(files, modality=Modality.CT)
    assert seen.volume is not None
    assert np.array_equal(seen.volume.voxels, volume.voxels)
    assert seen.choice == volume.series
    assert (seen.modality, seen.refusal, kinds(seen)) == (Modality.CT, None, {"DICOM": 6})


@pytest.mark.parametrize("modality", Modality)
def test_without_a_word_the_modality_is_that_of_most_slices(tmp_path: Path, modality: Modality) -> None:
    other = next(one for one in Modality if one is not modality)
    files = [*small(other, 5).write(tmp_path / "few"), *small(modality, 7).write(tmp_path / "many")]
    seen = look(*files)
    assert seen.modality is modality
    assert seen.choice is not None
    assert [passed.reason for passed in seen.choice.others] == [f"not {modality}"]


@pytest.mark.parametrize(("least", "modality"), [(-1000, Modality.CT), (0, Modality.MR)])
def test_without_a_word_a_nifti_is_ct_where_its_values_are(
    tmp_path: Path, least: int, modality: Modality
) -> None:
    voxels = np.full((9, 8, 7), 40, np.int16)
    voxels[:4] = least
    assert look(write_parts(tmp_path / "a", voxels)).modality is modality


def test_an_archive_is_seen_as_what_is_in_it(tmp_path: Path) -> None:
    files = small().write(tmp_path / "series")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in files:
            archive.write(file, file.name)
        archive.writestr("readme", "text")
    assert kinds(look(tmp_path / "a.zip")) == {"DICOM": 6, "other": 1}


def test_a_refusal_leaves_the_tables(tmp_path: Path) -> None:
    ct = small().write(tmp_path / "ct")
    seen = look(*ct, modality=Modality.MR)
    assert isinstance(seen.refusal, WrongModalityError)
    assert seen.volume is None
    assert [(passed.series.slices, passed.reason) for passed in seen.series] == [(6, "not MR")]


@pytest.mark.parametrize("other", [small(), replace(small(slices=9), extra={"StudyInstanceUID": "1.2.2"})])
def test_series_that_are_never_chosen_between_are_both_shown(tmp_path: Path, other: Series) -> None:
    one = replace(small(), extra={"StudyInstanceUID": "1.2.1"})
    seen = look(*one.write(tmp_path / "a"), *other.write(tmp_path / "b"))
    assert isinstance(seen.refusal, MixedSeriesError)
    assert [passed.reason for passed in seen.series] == ["could be meant, and so could another"] * 2


def test_a_series_is_read_by_its_name(tmp_path: Path) -> None:
    wanted = small(slices=5)
    files = [*small().write(tmp_path / "a"), *wanted.write(tmp_path / "b")]
    seen = look(*files, series=wanted.series_uid)
    assert seen.choice is not None
    assert seen.choice.chosen.series_instance_uid == wanted.series_uid
    assert isinstance(look(*files, series=generate_uid()).refusal, NoUsableSeriesError)


def test_a_damaged_file_is_counted_and_does_not_hide_the_rest(tmp_path: Path) -> None:
    files = small().write(tmp_path / "series")
    files[2].write_bytes(files[2].read_bytes()[:200])
    (tmp_path / "gz").write_bytes(b"\x1f\x8b broken")
    seen = look(*files, tmp_path / "gz")
    assert kinds(seen) == {"DICOM": 6, "damaged": 1}
    assert isinstance(seen.refusal, CorruptImageError)
    assert seen.choice is not None
    assert seen.choice.chosen.slices == 5


def test_progress_is_told_after_every_file(tmp_path: Path) -> None:
    files = small().write(tmp_path)
    told: list[tuple[int, int]] = []
    survey(files, limits=DEFAULT_LIMITS, progress=lambda done, total: told.append((done, total)))
    assert told == [(number, 6) for number in range(1, 7)]
