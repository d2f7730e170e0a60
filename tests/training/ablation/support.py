"""A small cohort on disk: one head's image under a name for everyone, and records that tell the outcome."""

import csv
import json
from pathlib import Path

import numpy as np

from app.ehr.schema import Feature
from tests.support.synthetic_head import write_head

PATIENTS = 40
FEATURES = (
    Feature(name="glucose", title="Glucose", kind="numeric", loinc=None, unit="mmol/L", plausible_range=(0, 100), categories=(), required=False),
    Feature(name="sex", title="Sex", kind="categorical", loinc=None, unit=None, plausible_range=None, categories=("female", "male"), required=False),
)  # fmt: skip


def write_cohort(folder: Path, *, image: bool) -> Path:
    """`PATIENTS` patients, all five outcomes, a third without glucose.

    Args:
        folder: To write into.
        image: Write that of a head; else an empty file, which nothing may open.
    """
    folder.mkdir(parents=True)
    if image:
        write_head(folder / "image.nii.gz")
    else:
        (folder / "image.nii.gz").touch()
    rng = np.random.default_rng(0)
    with (folder / "cohort.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["patient_id", "image", "glucose", "sex", "outcome"])
        for number in range(PATIENTS):
            gos = 1 + number % 5
            glucose = f"{10 - gos + rng.normal(0, 1.5):.1f}" if number % 3 else ""
            name = f"p{number:02d}"
            (folder / f"{name}.nii.gz").symlink_to("image.nii.gz")
            writer.writerow([name, f"{name}.nii.gz", glucose, ("female", "male")[number % 2], gos])
    description = {
        "task": "gos",
        "modality": "CT",
        "source": "phantoms",
        "outcome": "outcome",
        "positive": "favourable",
        "seed": 0,
        "features": [feature.model_dump(mode="json") for feature in FEATURES],
        "minimum_features": 0,
    }
    (folder / "cohort.json").write_text(json.dumps(description), encoding="utf-8")
    return folder
