"""training.learning.resume and the loop: a run that was killed ends where one that was not does; other runs are not taken for it."""

import json
import os
import signal
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning.fabric.plugins.precision import Precision

from tests.support.loaded import run_loaded
from tests.training.test_train import AGE, bright_or_dark, small_config
from training.checkpoint import load_checkpoint
from training.cohort import CohortError, Split
from training.config import RunConfig
from training.learning.averaging import WeightAverage
from training.learning.optimisation import build_optimizer, build_schedule
from training.learning.resume import STATE_FILE, Moving, Progress, Saver, run_digest
from training.networks.model import FusionNet
from training.prepare import PreparedSet
from training.train import train

EPOCHS = 3


def dropping_config() -> RunConfig:
    """Every source of chance is on: order, augmentation, dropout, hidden records; and the weights are averaged."""
    config = small_config(EPOCHS)
    training = replace(config.training, batch_size=4, average_decay=0.9, patience=EPOCHS)
    return replace(config, training=training)


def parts_in(folder: Path) -> dict[Split, PreparedSet]:
    """The same cases each time it is called."""
    return {"train": bright_or_dark(folder, 16, 1), "validation": bright_or_dark(folder, 8, 2)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was never cut off."""
    folder = tmp_path_factory.mktemp("whole")
    train(dropping_config(), [AGE], parts_in(folder), folder / "run")
    return folder


def _facts(run: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    timed = {"seconds", "samples_per_second", "loader_share"}
    return [{name: value for name, value in line.items() if name not in timed} for line in lines]


def _weights(run: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(run / "checkpoint.pt").net.state_dict()


@dataclass(frozen=True)
class Deadly(PreparedSet):
    """The process is killed by reading one image too many."""

    left: list[None] = field(default_factory=list)

    def image(self, index: int) -> np.ndarray:
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left.pop()
        return super().image(index)


def cut_off(folder: Path, save_every_s: float) -> None:
    """A run whose process is killed: after all of the first epoch, two steps of the second, and some of the third step's cases."""
    parts = parts_in(folder)
    parts["train"] = Deadly(**vars(parts["train"]), left=[None] * (16 + 4 + 4 + 2))
    train(dropping_config(), [AGE], parts, folder / "run", save_every_s=save_every_s)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two runs that were cut off at the same case: one had saved its state after the epoch before, the other after each step."""
    folders = tmp_path_factory.mktemp("rarely"), tmp_path_factory.mktemp("often")
    for save_every_s, folder in zip((3600, 0), folders, strict=True):
        ended = run_loaded(folder / "log.txt", cut_off, folder, save_every_s)
        assert ended == -signal.SIGKILL, (folder / "log.txt").read_text()
    return folders


@pytest.mark.slow
@pytest.mark.parametrize(("which", "steps"), [(0, 0), (1, 2)], ids=["after an epoch", "within an epoch"])
def test_a_killed_run_goes_on_from_what_was_saved_and_ends_with_the_numbers_of_one_that_was_not(
    whole: Path, killed: tuple[Path, Path], which: int, steps: int
) -> None:
    cut = killed[which]
    state = torch.load(cut / "run" / STATE_FILE, weights_only=True)
    assert (state["progress"]["epoch"], state["chance"][0]["underway"]["steps"]) == (1, steps)
    train(dropping_config(), [AGE], parts_in(cut), cut / "run")
    assert _facts(cut / "run") == _facts(whole / "run")
    expected, found = _weights(whole / "run"), _weights(cut / "run")
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_a_finished_run_is_not_trained_again_whatever_the_number_of_threads(tmp_path: Path) -> None:
    config, parts = small_config(1), parts_in(tmp_path)
    checkpoint = train(config, [AGE], parts, tmp_path / "run")
    files = checkpoint, tmp_path / "run" / STATE_FILE
    before = [file.stat().st_mtime_ns for file in files]
    more = replace(config, training=replace(config.training, threads=2, workers=1))
    assert train(more, [AGE], parts, tmp_path / "run") == checkpoint
    assert [file.stat().st_mtime_ns for file in files] == before


def test_another_configuration_or_other_patients_start_afresh(tmp_path: Path) -> None:
    parts, config = parts_in(tmp_path), small_config(1)
    reseeded = replace(config, seed=5)
    relabelled = parts | {"train": replace(parts["train"], labels=1 - parts["train"].labels)}
    seen = []
    for changed, patients in ((config, parts), (reseeded, parts), (reseeded, relabelled)):
        train(changed, [AGE], patients, tmp_path / "run")
        seen.append(_facts(tmp_path / "run"))
    first, second, third = seen
    assert len(first) == len(second) == len(third) == 1
    assert first != second
    assert second != third


def test_a_state_belongs_to_what_prepared_images_and_masks_hold_wherever_the_cohort_lies(
    tmp_path: Path,
) -> None:
    """A run that was moved with its cohort goes on; prepared anew from there, its images bear other names."""
    parts, config = parts_in(tmp_path), small_config(1)
    np.save(mask := tmp_path / "mask.npy", np.zeros((16, 16, 16), dtype=np.uint8))
    parts["train"] = replace(parts["train"], masks=(mask, *parts["train"].masks[1:]))
    before = run_digest(config, parts, 1)
    moved = tuple(path.rename(path.with_name(f"moved-{path.name}")) for path in parts["train"].images)
    parts["train"] = replace(parts["train"], images=moved)
    assert run_digest(config, parts, 1) == before
    unmasked = parts | {"train": replace(parts["train"], masks=(None,) * len(moved))}
    assert run_digest(config, unmasked, 1) != before
    np.save(mask, np.full((16, 16, 16), 255, dtype=np.uint8))
    assert (masked := run_digest(config, parts, 1)) != before
    np.save(moved[3], np.load(moved[3]) + 1)
    assert run_digest(config, parts, 1) not in {before, masked}


def test_a_run_that_cannot_go_on_from_its_state_says_that_it_begins_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Days of training are gone then, as where it was begun on two processes and goes on with one."""
    parts, config = parts_in(tmp_path), small_config(1)
    train(config, [AGE], parts, tmp_path / "run")
    train(config, [AGE], parts, tmp_path / "run")
    assert "begins anew" not in capsys.readouterr().out
    train(replace(config, seed=5), [AGE], parts, tmp_path / "run")
    assert "begins anew" in capsys.readouterr().out


def test_a_state_holds_the_chance_of_its_own_card_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may go on in a machine, or a share of one, that has fewer."""
    config, own = dropping_config(), torch.zeros(16, dtype=torch.uint8)
    net, order = FusionNet(config.model, [AGE]), torch.Generator()
    optimizer = build_optimizer(net, config.optimizer)
    schedule = build_schedule(optimizer, 1, config.optimizer)
    moving = Moving(net, WeightAverage(net, 0), optimizer, schedule, order, order, Precision())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda: own)
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: [own] * 8)
    Saver(tmp_path / STATE_FILE, "digest", Progress(), moving, 0).save()
    (chance,) = torch.load(tmp_path / STATE_FILE, weights_only=True)["chance"]
    assert torch.equal(chance["cuda"], own)


def test_a_state_of_another_form_is_not_gone_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts, config = parts_in(tmp_path), dropping_config()
    before = run_digest(config, parts, 1)
    assert run_digest(config, parts, 1) == before
    monkeypatch.setattr("training.learning.resume.STATE_VERSION", 0)
    assert run_digest(config, parts, 1) != before


def test_a_damaged_state_is_named_and_how_to_begin_anew(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / STATE_FILE).touch()  # as a power failure may leave it
    with pytest.raises(CohortError, match=r"state.pt, cannot read the file.*--no-resume"):
        train(dropping_config(), [AGE], parts_in(tmp_path), tmp_path / "run")
