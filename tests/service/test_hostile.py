"""Real files that are broken, awkward or no images: each ends in a named refusal or an answer, never in a fault."""

from pathlib import Path

import pytest

from tests.service.server import Server

TASKS = ("gos", "ad")
NO_SERIES, WRONG, UNSUPPORTED = "no-usable-series", "wrong-modality", "unsupported-file"
ENDINGS: dict[str, tuple[str, str]] = {
    # One slice is no volume; asked for the other modality, that is said first.
    "CT_small.dcm": (NO_SERIES, WRONG),
    **dict.fromkeys(
        (
            "MR_small.dcm",
            "MR_small_RLE.dcm",
            "MR_small_bigendian.dcm",
            "MR_small_jp2klossless.dcm",
            "MR_small_jpeg_ls_lossless.dcm",
            "MR_small_padded.dcm",
            "MR_truncated.dcm",
            "examples_overlay.dcm",
        ),
        (WRONG, NO_SERIES),
    ),
    # DICOM, but not slices of a CT or MR image: reports, plans, doses, segmentations, waveforms, captures, directories.
    **dict.fromkeys(
        (
            "DICOMDIR",
            "ExplVR_BigEndNoMeta.dcm",
            "ExplVR_LitEndNoMeta.dcm",
            "JPEG-lossy.dcm",
            "SC_rgb_rle.dcm",
            "badVR.dcm",
            "liver_1frame.dcm",
            "meta_missing_tsyntax.dcm",
            "nested_priv_SQ.dcm",
            "reportsi.dcm",
            "rtdose.dcm",
            "rtplan.dcm",
            "rtstruct.dcm",
            "test-SR.dcm",
            "waveform_ecg.dcm",
        ),
        (NO_SERIES, NO_SERIES),
    ),
    "no_meta.dcm": (UNSUPPORTED, UNSUPPORTED),  # a stray byte before the dataset: its form cannot be known
    "anatomical.nii": (WRONG, "answered"),  # a whole head, in tiny; no CT
    "complex.nii.gz": (UNSUPPORTED, UNSUPPORTED),
    "ct_perfusion.nii.gz": (UNSUPPORTED, UNSUPPORTED),  # colours
    "nifti1.hdr": (UNSUPPORTED, UNSUPPORTED),  # a header without its image
    "minimal.nii.gz": ("irregular-geometry", "irregular-geometry"),  # nothing says which side is left
    # Time series, and images of fewer voxels along an axis than a volume needs.
    **dict.fromkeys(
        ("example4d.nii.gz", "example_nifti2.nii.gz", "functional.nii", "resampled_anat_moved.nii"),
        (NO_SERIES, NO_SERIES),
    ),
}
"""What every file of `hostile/` ends in, asked as `gos` and as `ad`."""


@pytest.mark.samples
@pytest.mark.parametrize("task", TASKS)
def test_every_hostile_file_has_its_stated_ending(server: Server, samples: Path, task: str) -> None:
    files = sorted(path for path in (samples / "hostile").rglob("*") if path.is_file())
    assert {path.name for path in files} == set(ENDINGS)
    found = {path.name: ending(server, path, task) for path in files}
    assert found == {name: endings[TASKS.index(task)] for name, endings in ENDINGS.items()}


@pytest.mark.samples
def test_all_hostile_files_at_once_make_no_fault(server: Server, samples: Path) -> None:
    files = sorted(path for path in (samples / "hostile").rglob("*") if path.is_file())
    assert server.predict(*files, task="gos").status_code in (200, 413, 415, 422)


def ending(server: Server, path: Path, task: str) -> str:
    """The problem's code, or `answered`; a status outside the contract ends the test."""
    response = server.predict(path, task=task, heatmap="none")
    assert response.status_code in (200, 413, 415, 422), path.name
    code: str = response.json().get("type", "answered")
    return code.removeprefix("/problems/")
