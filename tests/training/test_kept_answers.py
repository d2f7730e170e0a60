"""training.kept_answers: what was answered once is not asked again, and what has changed is."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.inference.predictor import Outputs
from tests.training.test_validate import PATIENTS, CohortFolder, cohort, gos
from training.kept_answers import KEPT_FILE, KeptAnswers
from training.validate import Asked, validate_package

pytestmark = pytest.mark.torch
__all__ = ["cohort", "gos"]


def answered(asked: list[Asked]) -> list[Outputs]:
    return [each.outputs for each in asked if each.outputs]


def test_after_an_interruption_only_what_has_no_answer_is_asked(
    gos: Path, cohort: CohortFolder, tmp_path: Path
) -> None:
    some = replace(cohort, patients=PATIENTS[:3], no_heads=frozenset({1})).written()
    out = tmp_path / "out" / "here"
    found, asked = validate_package(gos, some, out=out)
    kept = out / KEPT_FILE
    first, second = (json.loads(line) for line in kept.read_text().splitlines()[1:])
    # A process that was killed leaves half a line; a mark in the other tells that it is taken as it stands.
    kept.write_text(f"\n{json.dumps(first | {'image_share': 0.25})}\n{json.dumps(second)[:200]}")
    again, reasked = validate_package(gos, some, out=out)
    assert [each.image_share for each in answered(reasked)] == [0.25, answered(asked)[1].image_share]
    assert (again.metrics, again.external) == (found.metrics, found.external)
    for one, other in zip(answered(asked), answered(reasked), strict=True):
        assert one.prediction_set == other.prediction_set
        assert one.out_of_distribution == other.out_of_distribution
        np.testing.assert_array_equal(one.embedding, other.embedding)
    assert [each.refused for each in reasked] == [each.refused for each in asked]


def test_what_an_answer_depends_on_has_a_key_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = tmp_path / "a.nii"
    image.write_bytes(b"voxels")
    kept = KeptAnswers(None, "package")
    keys = [
        kept.key([image], {"age": 70.0}),
        kept.key([image], {"age": 71.0}),
        KeptAnswers(None, "another").key([image], {"age": 70.0}),
    ]
    os.utime(image, ns=(1, 1))
    keys.append(kept.key([image], {"age": 70.0}))
    assert kept.key([image], {"age": 70.0}) == keys[-1]
    monkeypatch.setattr("training.kept_answers.__version__", "another release")
    keys.append(kept.key([image], {"age": 70.0}))
    assert len(set(keys)) == 5


def test_what_is_kept_names_no_patient_and_no_value_of_the_record(
    gos: Path, cohort: CohortFolder, tmp_path: Path
) -> None:
    validate_package(gos, replace(cohort, patients=PATIENTS[:1]).written(), out=tmp_path)
    (line,) = (json.loads(line) for line in (tmp_path / KEPT_FILE).read_text().splitlines()[1:])
    assert set(line) == {"key", *Outputs.__dataclass_fields__}
    assert line["heatmap"] is None
