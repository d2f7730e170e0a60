"""training.jobs: what a job is known by, and what it leaves."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.ablation.support import PATIENTS, write_cohort
from training.cohort import CohortError
from training.config import RunConfig, load_config
from training.jobs import Job, cohort_of, is_finished, job_digest, refuse_another_run, run_job
from training.networks.pretrained import PretrainedWeightsError, weights_digest
from training.predictions import load_predictions
from training.runs import read_notes

CONFIG = load_config(Path(__file__).parents[2] / "training" / "configs" / "practice.toml")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("jobs") / "cohort", image=False)


def with_threads(threads: int) -> RunConfig:
    return replace(CONFIG, training=replace(CONFIG.training, threads=threads))


def test_a_tabular_row_answers_for_every_patient_and_opens_no_image(cohort: Path, tmp_path: Path) -> None:
    job = Job("ehr-lr", 1, fold=(2, 4))
    run_job(job, cohort, CONFIG, tmp_path / "cache", tmp_path, resume=False)
    predictions = load_predictions(tmp_path)
    cases = cohort_of(job, cohort, CONFIG).cases
    assert predictions.patient_id == tuple(case.patient_id for case in cases)
    assert predictions.split == tuple(case.split for case in cases)
    assert predictions.logits.shape == (PATIENTS, 4)
    assert np.isfinite(predictions.logits).all()
    assert {"row": "ehr-lr", "seed": "1", "fold": "2/4"}.items() <= read_notes(tmp_path).items()
    assert not (tmp_path / "cache").exists()


def test_a_finished_job_is_kept_until_something_it_depends_on_changes(cohort: Path, tmp_path: Path) -> None:
    run_job(Job("prevalence", 1), cohort, CONFIG, tmp_path, tmp_path / "run", resume=True)
    digest = job_digest(Job("prevalence", 1), cohort, with_threads(7))
    assert is_finished(tmp_path / "run", digest), "threads change no result"
    first = (tmp_path / "run" / "predictions.npz").stat().st_mtime_ns
    run_job(Job("prevalence", 1), cohort, CONFIG, tmp_path, tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "predictions.npz").stat().st_mtime_ns == first
    run_job(Job("prevalence", 2), cohort, CONFIG, tmp_path, tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "predictions.npz").stat().st_mtime_ns > first


def test_another_run_in_the_folder_is_not_replaced_unless_told(cohort: Path, tmp_path: Path) -> None:
    job, run = Job("prevalence", 1), tmp_path / "run"
    refuse_another_run(job, cohort, CONFIG, run)
    run_job(job, cohort, CONFIG, tmp_path, run, resume=True)
    refuse_another_run(job, cohort, with_threads(7), run)
    with pytest.raises(CohortError, match=r"row prevalence, seed 1.*--no-resume"):
        refuse_another_run(replace(job, row="ehr-lr"), cohort, CONFIG, run)


def test_a_run_that_came_to_nothing_is_no_run(cohort: Path, tmp_path: Path) -> None:
    job, run = Job("ich-score", 1), tmp_path / "run"  # the cohort has none of the score's items
    with pytest.raises(CohortError, match="needs some of"):
        run_job(job, cohort, CONFIG, tmp_path, run, resume=True)
    refuse_another_run(replace(job, row="prevalence"), cohort, CONFIG, run)


def test_what_was_found_of_a_run_goes_with_it(cohort: Path, tmp_path: Path) -> None:
    """The report of another network must not lie beside this one's checkpoint."""
    job, run = Job("prevalence", 1), tmp_path / "run"
    run_job(job, cohort, CONFIG, tmp_path, run, resume=True)
    found = ("evaluation.json", "calibration.json", "embedding.npz", "training_summary.json", "report.html")
    for name in found:
        (run / name).touch()
    run_job(job, cohort, CONFIG, tmp_path, run, resume=False)
    assert [name for name in found if (run / name).exists()] == []


def test_a_changed_table_makes_another_digest(tmp_path: Path) -> None:
    cohort = write_cohort(tmp_path / "cohort", image=False)
    before = job_digest(Job("prevalence", 1), cohort, CONFIG)
    table = cohort / "cohort.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("p01,", "p99,"), encoding="utf-8")
    assert job_digest(Job("prevalence", 1), cohort, CONFIG) != before


def test_a_finished_job_is_done_again_after_an_image_has_changed(tmp_path: Path) -> None:
    cohort, run = write_cohort(tmp_path / "cohort", image=False), tmp_path / "run"
    run_job(Job("prevalence", 1), cohort, CONFIG, tmp_path, run, resume=True)
    first = (run / "predictions.npz").stat().st_mtime_ns
    (cohort / "image.nii.gz").write_bytes(b"another")
    assert not is_finished(run, job_digest(Job("prevalence", 1), cohort, CONFIG))
    with pytest.raises(CohortError, match="the cohort has changed since"):
        refuse_another_run(Job("prevalence", 1), cohort, CONFIG, run)
    run_job(Job("prevalence", 1), cohort, CONFIG, tmp_path, run, resume=True)
    assert (run / "predictions.npz").stat().st_mtime_ns > first


def test_other_weights_to_start_from_under_the_same_name_make_another_job(
    cohort: Path, tmp_path: Path
) -> None:
    def digest(weights: bytes) -> str:
        weights_digest.cache_clear()  # another process
        (tmp_path / "weights.pt").write_bytes(weights)
        return job_digest(Job("image", 1), cohort, config)

    backbone = replace(CONFIG.model.backbone, weights=str(tmp_path / "weights.pt"))
    config = replace(CONFIG, model=replace(CONFIG.model, backbone=backbone))
    assert digest(b"some") == digest(b"some")
    assert digest(b"some") != digest(b"more")


def test_weights_that_are_not_there_are_told_before_any_hour_is_spent(cohort: Path, tmp_path: Path) -> None:
    backbone = replace(CONFIG.model.backbone, weights="nowhere.pt")
    config = replace(CONFIG, model=replace(CONFIG.model, backbone=backbone))
    with pytest.raises(PretrainedWeightsError, match=r"weights in nowhere.pt, found none.*backbone.weights"):
        run_job(Job("image", 1), cohort, config, tmp_path, tmp_path / "run", resume=True)
    assert not (tmp_path / "run").exists()


def test_every_job_of_an_ablation_has_a_folder_of_its_own() -> None:
    jobs = [
        Job(row, seed, fold, repeat, size)
        for row in ("a", "b")
        for seed in (0, 1)
        for fold in (None, (1, 5), (2, 5))
        for repeat in ((1, 2) if fold else (1,))
        for size in (None, 200)
    ]
    assert len({job.folder for job in jobs}) == len(jobs)


def test_a_run_is_replaced_with_its_own_splits(cohort: Path, tmp_path: Path) -> None:
    """They lie in the folder that is cleared for it."""
    run = tmp_path / "run"
    run_job(Job("prevalence", 1, fold=(2, 4)), cohort, CONFIG, tmp_path, run, resume=True)
    stood = load_predictions(run).split
    again = Job("prevalence", 2, splits=run / "splits.json")
    run_job(again, cohort, CONFIG, tmp_path, run, resume=False)
    assert load_predictions(run).split == stood


@pytest.mark.parametrize("name", ["checkpoint.pt", "report.html"])
def test_files_that_may_be_of_anything_are_not_replaced_unless_told(
    cohort: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).touch()
    with pytest.raises(CohortError, match=rf"no run.json and files .*{name}.*--no-resume"):
        refuse_another_run(Job("prevalence", 1), cohort, CONFIG, tmp_path)


@pytest.mark.parametrize("left", [0, 100])
@pytest.mark.parametrize("name", ["predictions.npz", "run.json"])
def test_a_job_of_which_a_power_cut_left_a_part_is_done_again(
    cohort: Path, tmp_path: Path, name: str, left: int
) -> None:
    job, run = Job("prevalence", 1), tmp_path / "run"
    run_job(job, cohort, CONFIG, tmp_path, run, resume=True)
    whole = (run / name).read_bytes()
    (run / name).write_bytes(whole[:left])
    run_job(job, cohort, CONFIG, tmp_path, run, resume=True)
    assert len(load_predictions(run)) == PATIENTS
    assert is_finished(run, job_digest(job, cohort, CONFIG))
