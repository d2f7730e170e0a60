"""training.runs: the notes of a run are whole or not there, and say so in words."""

import json
import resource
from pathlib import Path

import pytest

from tests.training.ablation.support import PATIENTS, write_cohort
from training.checkpoint import Checkpoint
from training.cohort import DESCRIPTION_FILE, CohortError, read_description
from training.config import config_from_dict, config_to_dict, load_config
from training.networks.model import FusionNet
from training.runs import RUN_FILE, open_cohort, open_run, read_notes, write_notes

CONFIGS = Path(__file__).parents[2] / "training" / "configs"


def test_a_disk_that_takes_nothing_leaves_no_empty_notes(tmp_path: Path) -> None:
    """An empty file would be read as the notes of another run, and stop every command after that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_notes(tmp_path / "run", tmp_path, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "run" / RUN_FILE).exists()


def test_notes_that_are_not_there_or_cannot_be_read_are_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match=r"expected run.json in the run's folder, found none"):
        read_notes(tmp_path)
    (tmp_path / RUN_FILE).touch()
    with pytest.raises(CohortError, match="--no-resume"):
        read_notes(tmp_path)


def test_a_cohort_that_was_moved_is_opened_where_it_is_now(tmp_path: Path) -> None:
    cohort = write_cohort(tmp_path / "before", image=True)
    checkpoint = trained_on(cohort)
    write_notes(tmp_path / "run", cohort, cohort / "prepared")
    moved = cohort.rename(tmp_path / "now")
    with pytest.raises(
        CohortError, match=r"found no such folder; name the folder it is in now with --cohort"
    ):
        open_run(tmp_path / "run", checkpoint)
    with pytest.raises(CohortError, match=r"the folder that --cohort names, found no such folder"):
        open_run(tmp_path / "run", checkpoint, cohort)
    parts = open_run(tmp_path / "run", checkpoint, moved).parts
    assert sum(len(part) for part in parts.values()) == PATIENTS
    assert all(image.is_relative_to(moved) for part in parts.values() for image in part.images)
    assert not cohort.exists()
    apart = tmp_path / "scratch"  # as where the archive may only be read
    parts = open_run(tmp_path / "run", checkpoint, moved, apart).parts
    assert all(image.is_relative_to(apart) for part in parts.values() for image in part.images)


def test_a_cohort_whose_features_changed_since_training_is_refused(tmp_path: Path) -> None:
    """Else one feature would be judged as another, and the distributions that the service compares with be those of another."""
    cohort = write_cohort(tmp_path / "cohort", image=True)
    checkpoint = trained_on(cohort)
    write_notes(tmp_path / "run", cohort, cohort / "prepared")
    described = json.loads((cohort / DESCRIPTION_FILE).read_text())
    described["features"].reverse()
    (cohort / DESCRIPTION_FILE).write_text(json.dumps(described))
    with pytest.raises(CohortError, match=r"expected the cohort.json that the run was trained by"):
        open_run(tmp_path / "run", checkpoint)


def trained_on(cohort: Path) -> Checkpoint:
    config = load_config(CONFIGS / "practice.toml")
    features = read_description(cohort / DESCRIPTION_FILE).features
    return Checkpoint(FusionNet(config.model, features), config, tuple(features), epoch=1)


@pytest.mark.parametrize("name", ["glucos", "sex"])
def test_a_logarithm_of_what_is_no_number_of_the_record_is_refused_before_an_image_is_prepared(
    tmp_path: Path, name: str
) -> None:
    tree = config_to_dict(load_config(CONFIGS / "practice.toml"))
    tree["model"]["ehr"]["log1p"] = ["glucose", name]
    with pytest.raises(CohortError, match=rf"model.ehr.log1p: .*\['{name}'\]"):
        open_cohort(write_cohort(tmp_path / "cohort", image=False), config_from_dict(tree))
