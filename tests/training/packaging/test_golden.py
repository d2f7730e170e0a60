"""training.packaging.golden: every package has a golden record that it takes, also one of a site with features of its own."""

from pathlib import Path

import pytest

from app.ehr.encode import encode
from app.ehr.schema import EhrSchema, Feature
from app.imaging.head.find import find_head
from app.imaging.head.quality import judge
from app.imaging.read import read_image
from app.imaging.volume import Modality
from app.model_package.manifest import Task
from training.packaging.golden import GOLDEN_SEED, golden_record, write_golden_case
from training.phantoms.case import CaseSeed, draw_case
from training.tasks import SCHEMAS


def feature(name: str, unit: str, low: float, high: float) -> Feature:
    return Feature(
        name=name, title=name, kind="numeric", loinc=None, unit=unit, plausible_range=(low, high), categories=(), required=True
    )  # fmt: skip


@pytest.mark.parametrize("task", ["gos", "ad"])
def test_a_reference_package_has_the_phantoms_own_record(task: Task) -> None:
    drawn = draw_case(task, CaseSeed.of(GOLDEN_SEED, 0)).record
    record = golden_record(task, SCHEMAS[task], drawn)
    assert {
        name: str(value) for name, value in record.items() if isinstance(value, str)
    }.items() <= drawn.items()
    assert all(float(drawn[name]) == value for name, value in record.items() if isinstance(value, float))
    assert record.keys() == drawn.keys()


def test_a_site_with_features_of_its_own_has_a_record_that_its_package_takes() -> None:
    schema = EhrSchema(
        features=(
            feature("age", "a", 18, 40),  # the phantom is older
            feature("glucose", "mg/dL", 20, 1000),  # the phantom's is in mmol/L, and no such number
            feature("gcs", "{count}", 3, 14),
            feature("bleeds_before", "{count}", 0, 5),
            feature("troponin", "ng/L", 0, 500),
            SCHEMAS["gos"].features[1].model_copy(update={"categories": ("w", "m")}),
        ),
        minimum_features=6,
    )
    record = golden_record("gos", schema, {"age": "65", "sex": "female", "gcs": "", "glucose": "7.0"})
    assert record == {"age": 29.0, "glucose": 510.0, "gcs": 8.0, "bleeds_before": 2.0, "troponin": 250.0, "sex": "w"}  # fmt: skip
    encode(record, schema)


@pytest.mark.parametrize(("modality", "task"), [(Modality.MR, "gos"), (Modality.CT, "ad")])
def test_a_bleed_on_mr_or_a_dementia_on_ct_has_an_image_that_its_package_takes(
    modality: Modality, task: Task, tmp_path: Path
) -> None:
    """A cohort may be so; the task's own phantom was refused as of the wrong modality, when training was done."""
    name, record = write_golden_case(modality, SCHEMAS[task], tmp_path)
    volume = read_image([tmp_path / name], modality=modality)
    judge(volume, find_head(volume))
    encode(record, SCHEMAS[task])
