"""`splits.json`: who stood where, kept beside a run so that later steps, and other runs, have the same patients in each split."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from training.cohort import SPLITS, Cohort, CohortError, Split
from training.files.whole_files import write_whole

SPLITS_FILE = "splits.json"


class SavedSplits(BaseModel):
    """A split of a cohort.

    Attributes:
        how: In words, such as `fold 2 of 5`.
        seed: That decided the draw.
        patients: How many there are.
        patients_sha256: Digest of their pseudonyms, in order of the alphabet.
        splits: Pseudonyms by split, in the cohort's order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    how: str
    seed: int
    patients: int
    patients_sha256: str
    splits: dict[Split, tuple[str, ...]]


def save_splits(cohort: Cohort, how: str, seed: int, folder: Path) -> Path:
    """Write `splits.json`, atomically.

    Args:
        cohort: Every patient in a split.
        how: In words.
        seed: That decided the draw.
        folder: Of the run.
    """
    saved = SavedSplits(
        how=how,
        seed=seed,
        patients=len(cohort.cases),
        patients_sha256=patients_digest(case.patient_id for case in cohort.cases),
        splits={split: tuple(case.patient_id for case in cohort.part(split)) for split in SPLITS},
    )
    folder.mkdir(parents=True, exist_ok=True)
    return write_whole(folder / SPLITS_FILE, saved.model_dump_json(indent=2) + "\n")


def with_saved_splits(cohort: Cohort, path: Path) -> Cohort:
    """The cohort, every patient where a file puts them.

    Args:
        cohort: Its own splits are set aside.
        path: A `splits.json`.

    Raises:
        CohortError: There is no such file, it was changed, or it is about other patients.
    """
    saved = load_splits(path)
    stood: dict[str, Split] = {patient: split for split, ids in saved.splits.items() for patient in ids}
    known = {case.patient_id for case in cohort.cases}
    if stood.keys() != known:
        raise CohortError(
            f"expected {path.name} and the cohort to name the same patients, found {len(known - stood.keys())} only in "
            f"the cohort and {len(stood.keys() - known)} only in the file; split the cohort anew"
        )
    return replace(cohort, cases=tuple(replace(case, split=stood[case.patient_id]) for case in cohort.cases))


def load_splits(path: Path) -> SavedSplits:
    """Read a `splits.json` and check that everyone in it stands in one split.

    Raises:
        CohortError: There is no such file, or it was changed.
    """
    if not path.is_file():
        raise CohortError(f"expected a {SPLITS_FILE}, found none at the place that was named")
    try:
        saved = SavedSplits.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise CohortError(f"{path.name}: {error.errors()[0]['msg']}; write it anew by training") from None
    patients = [patient for ids in saved.splits.values() for patient in ids]
    if len(set(patients)) != len(patients) or patients_digest(patients) != saved.patients_sha256:
        raise CohortError(f"{path.name} was changed after it was written; write it anew by training")
    return saved


def patients_digest(patients: Iterable[str]) -> str:
    """SHA-256 of pseudonyms, whatever their order."""
    return hashlib.sha256("\n".join(sorted(patients)).encode()).hexdigest()
