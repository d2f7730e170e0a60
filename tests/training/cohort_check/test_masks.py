"""training.cohort_check.masks: what paths alone tell of masks."""

from pathlib import Path

from tests.training.cohort_check.test_report import found, write_cohort


def test_a_mask_of_several_patients_is_asked_about(tmp_path: Path) -> None:
    """A row that was copied to make another, and kept its mask: on images of one template nothing else would tell."""
    edits = {(3, "mask"): "own.nii", (5, "mask"): "a.nii", (9, "mask"): "./a.nii"}
    finding = found(write_cohort(tmp_path, edits))["mask-shared"]
    assert (finding.severity, finding.column, finding.rows) == ("warning", "mask", (5, 9))
