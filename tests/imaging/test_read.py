"""Whatever the bytes are: a Volume, or an error with a name."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import IrregularGeometryError, RequestError, UnsupportedFileError
from app.imaging.read import LONGEST_AXIS, read_image
from app.imaging.volume import Modality, Volume
from tests.imaging.making import Series, write_nifti_file
from tests.imaging.nifti_bytes import write_parts

RELAXED = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def outcome(paths: list[Path], modality: Modality) -> Volume | str:
    """The volume or the error's code; anything else would escape and fail the test."""
    try:
        return read_image(paths, modality=modality)
    except RequestError as error:
        return error.code


@pytest.mark.samples
@pytest.mark.parametrize("modality", Modality)
def test_every_hostile_file_ends_in_a_volume_or_a_named_error(samples: Path, modality: Modality) -> None:
    files = sorted(path for path in (samples / "hostile").rglob("*") if path.is_file())
    assert len(files) > 30
    ends = {file.name: outcome([file], modality) for file in files}
    readable = {name for name, end in ends.items() if isinstance(end, Volume)}
    assert readable == ({"anatomical.nii"} if modality is Modality.MR else set())
    expected = {
        "rtplan.dcm": "no-usable-series",
        "waveform_ecg.dcm": "no-usable-series",
        "DICOMDIR": "no-usable-series",
        "no_meta.dcm": "unsupported-file",
        "complex.nii.gz": "unsupported-file",
        "ct_perfusion.nii.gz": "unsupported-file",
        "minimal.nii.gz": "irregular-geometry",
        "nifti1.hdr": "unsupported-file",
        "functional.nii": "no-usable-series",
    }
    assert {name: ends[name] for name in expected} == expected


@pytest.mark.samples
def test_things_that_are_no_slices_do_not_disturb_a_series(samples: Path) -> None:
    series = list((samples / "ct-phantom-philips").iterdir())
    others = [
        samples / "hostile/dicom" / name for name in ("rtplan.dcm", "test-SR.dcm", "DICOMDIR", "MR_small.dcm")
    ]
    alone, among = (read_image(paths, modality=Modality.CT) for paths in (series, [*others, *series]))
    assert np.array_equal(alone.voxels, among.voxels)
    assert [finding.detail for finding in among.findings] == [
        "4 of 32 files are not slices of the image and were left out"
    ]


@pytest.mark.samples
def test_a_truncated_slice_of_a_series_is_damage_not_an_extra(samples: Path, tmp_path: Path) -> None:
    series = sorted((samples / "ct-phantom-philips").iterdir())
    short = tmp_path / "short"
    short.write_bytes(series[3].read_bytes()[:-1000])
    assert outcome([short, *series[:3], *series[4:]], Modality.CT) == "corrupt-image"


@pytest.mark.samples
def test_a_zip_reads_as_its_nifti_of_half_the_resolution_shows(samples: Path) -> None:
    volume = read_image([samples / "mr-t1/studyforrest-sub02-t1.zip"], modality=Modality.MR)
    assert volume.voxels.shape == (274, 384, 384)
    assert volume.findings == ()
    assert np.allclose(volume.grid.spacing_mm, (0.7, 0.667, 0.667), atol=1e-3)


def test_more_voxels_along_an_axis_than_a_heatmap_s_file_can_count_are_refused(tmp_path: Path) -> None:
    long = write_parts(tmp_path / "a", np.zeros((LONGEST_AXIS + 1, 5, 5), np.int16), version=2)
    with pytest.raises(IrregularGeometryError, match=f"{LONGEST_AXIS} voxels along an axis"):
        read_image([long], modality=Modality.MR)


def test_text_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "image.nii.gz").write_text("not an image")
    with pytest.raises(UnsupportedFileError, match="1 other"):
        read_image([tmp_path / "image.nii.gz"], modality=Modality.CT)


def test_nothing_is_refused_by_name() -> None:
    assert outcome([], Modality.CT) == "unsupported-file"


@RELAXED
@given(position=st.floats(0, 1), value=st.integers(0, 255), length=st.integers(1, 40))
def test_a_damaged_nifti_never_escapes(tmp_path: Path, position: float, value: int, length: int) -> None:
    data = bytearray(
        write_nifti_file(tmp_path / "a.nii", np.ones((6, 6, 6), np.int16), np.eye(4)).read_bytes()
    )
    start = int(position * 400)
    data[start : start + length] = bytes([value]) * len(data[start : start + length])
    (tmp_path / "b").write_bytes(bytes(data))
    outcome([tmp_path / "b"], Modality.MR)


@RELAXED
@given(position=st.floats(0, 1), value=st.integers(0, 255), length=st.integers(1, 40), cut=st.booleans())
def test_a_damaged_dicom_slice_never_escapes(
    tmp_path: Path, position: float, value: int, length: int, cut: bool
) -> None:
    paths = _small_series(tmp_path)
    data = bytearray(paths[2].read_bytes())
    start = int(position * (len(data) - 1))
    data[start : start + length] = b"" if cut else bytes([value]) * length
    damaged = tmp_path / "damaged"
    damaged.write_bytes(bytes(data[:start] if cut else data))
    outcome([*paths[:2], damaged, *paths[3:]], Modality.CT)


def _small_series(folder: Path) -> list[Path]:
    if not (folder / "small").exists():
        return Series(rows=8, columns=8, depths_mm=range(6)).write(folder / "small")
    return sorted((folder / "small").iterdir())
