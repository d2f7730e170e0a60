"""training.splits.saved: a split that was kept is the same split, or it is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.training.splits.support import drawn_cohort
from training.cohort import CohortError
from training.splits import split_cohort
from training.splits.saved import load_splits, patients_digest, save_splits, with_saved_splits

COHORT = drawn_cohort(50, 5)


def test_kept_and_read_again_everyone_stands_where_they_stood(tmp_path: Path) -> None:
    split = split_cohort(COHORT, 7)
    path = save_splits(split, "by shares", 7, tmp_path)
    assert with_saved_splits(COHORT, path) == split
    assert with_saved_splits(split_cohort(COHORT, 8), path) == split
    saved = load_splits(path)
    assert (saved.seed, saved.patients) == (7, 50)
    assert saved.patients_sha256 == patients_digest(reversed([case.patient_id for case in COHORT.cases]))


def test_other_patients_or_a_changed_file_are_refused(tmp_path: Path) -> None:
    path = save_splits(split_cohort(COHORT, 7), "by shares", 7, tmp_path)
    with pytest.raises(CohortError, match="0 only in the cohort and 1 only in the file"):
        with_saved_splits(replace(COHORT, cases=COHORT.cases[1:]), path)
    document = json.loads(path.read_bytes())
    document["splits"]["train"].append(document["splits"]["test"][0])
    path.write_text(json.dumps(document))
    with pytest.raises(CohortError, match="was changed"):
        load_splits(path)
    with pytest.raises(CohortError, match="found none"):
        load_splits(tmp_path / "absent.json")
