"""training.cohort_check.images: what the service would say of an image with every answer is told before training."""

from pathlib import Path

from app.imaging.write import write_nifti
from tests.imaging.bodies import bottle, head, image_of
from tests.training.cohort_check.test_report import found, write_cohort


def test_an_image_of_which_the_service_would_warn_is_asked_about(tmp_path: Path) -> None:
    images = {
        "whole": image_of(head()),
        "cut": image_of(head(), high=(120, 130, 50)),
        "cut too": image_of(head(size=1.1), high=(120, 130, 50)),
        "foot": image_of(bottle),
    }
    for name, volume in images.items():
        write_nifti(volume.voxels, volume.grid, tmp_path / f"{name}.nii.gz")
    cells = {(line, "image"): f"{name}.nii.gz" for line, name in enumerate(images, start=2)}
    findings = found(write_cohort(tmp_path, cells))
    told = {code: (each.severity, each.rows) for code, each in findings.items() if code.startswith("head")}
    assert told == {"head-cut-off": ("warning", (3, 4)), "head-doubtful": ("warning", (5,))}
