"""training.resume and the loop: a run that was killed ends where one that was not does; other runs are not taken for it."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning.fabric.plugins.precision import Precision

from tests.training.test_train import AGE, bright_or_dark, small_config
from training.averaging import WeightAverage
from training.checkpoint import load_checkpoint
from training.cohort import CohortError
from training.config import RunConfig
from training.networks.model import FusionNet
from training.optimisation import build_optimizer, build_schedule
from training.prepare import PreparedSet
from training.resume import STATE_FILE, Moving, Progress, Saver, run_digest
from training.train import train

EPOCHS = 4
KILLED = """
import sys
from pathlib import Path
from tests.training.test_resume import EPOCHS, dropping_config, parts_in
from tests.training.test_train import AGE
from training.train import train
folder = Path(sys.argv[1])
train(dropping_config(), [AGE], parts_in(folder), folder / "run")
"""
KILLED_WITHIN = """
import sys
from pathlib import Path
from tests.training.test_resume import Deadly, dropping_config, parts_in
from tests.training.test_train import AGE
from training.train import train
folder = Path(sys.argv[1])
parts = parts_in(folder)
parts["train"] = Deadly(**vars(parts["train"]), left=[None] * (32 + 8 + 8 + 3))
train(dropping_config(), [AGE], parts, folder / "run", save_every_s=0)
"""
"""All of the first epoch, two steps of the second, and some of the third step's cases."""


def dropping_config() -> RunConfig:
    """Every source of chance is on: order, augmentation, dropout, hidden records; and the weights are averaged."""
    config = small_config(EPOCHS)
    training = replace(config.training, average_decay=0.9, patience=EPOCHS)
    return replace(config, training=training)


def parts_in(folder: Path) -> dict[str, PreparedSet]:
    """The same cases each time it is called."""
    return {"train": bright_or_dark(folder, 32, 1), "validation": bright_or_dark(folder, 16, 2)}


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


def _start_and_kill_after(lines: int, folder: Path) -> None:
    """SIGKILL as soon as the history holds so many epochs, that is somewhere in the next one."""
    process = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", KILLED, str(folder)], env=os.environ | {"COLUMNS": "80"}
    )
    history = folder / "run" / "history.jsonl"
    deadline = time.monotonic() + 120
    while not (history.is_file() and len(history.read_text().splitlines()) >= lines):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.slow
def test_a_killed_run_ends_with_the_numbers_of_one_that_was_not(whole: Path, tmp_path: Path) -> None:
    cut = tmp_path
    _start_and_kill_after(1, cut)
    train(dropping_config(), [AGE], parts_in(cut), cut / "run")
    assert _facts(cut / "run") == _facts(whole / "run")
    expected, found = _weights(whole / "run"), _weights(cut / "run")
    assert all(torch.equal(expected[name], found[name]) for name in expected)


@dataclass(frozen=True)
class Deadly(PreparedSet):
    """The process is killed by reading one image too many."""

    left: list[None] = field(default_factory=list)

    def image(self, index: int) -> np.ndarray:
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left.pop()
        return super().image(index)


def test_a_run_killed_within_an_epoch_goes_on_from_the_step_that_was_saved(
    whole: Path, tmp_path: Path
) -> None:
    cut = tmp_path
    killed = subprocess.run([sys.executable, "-c", KILLED_WITHIN, str(cut)], check=False)  # noqa: S603 - our own script
    assert killed.returncode == -signal.SIGKILL
    state = torch.load(cut / "run" / STATE_FILE, weights_only=True)
    assert (state["progress"]["epoch"], state["chance"][0]["underway"]["steps"]) == (1, 2)
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
    monkeypatch.setattr("training.resume.STATE_VERSION", 0)
    assert run_digest(config, parts, 1) != before


def test_a_damaged_state_is_named_and_how_to_begin_anew(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / STATE_FILE).touch()  # as a power failure may leave it
    with pytest.raises(CohortError, match=r"state.pt, cannot read the file.*--no-resume"):
        train(dropping_config(), [AGE], parts_in(tmp_path), tmp_path / "run")
