"""Two processes, started as `torchrun` starts them: the run of one process, divided."""

import datetime as dt
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.distributed import distributed_c10d
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from tests.support.loaded import run_loaded
from tests.training.test_train import AGE, bright_or_dark, small_config
from training.checkpoint import load_checkpoint
from training.cohort import Split
from training.config import AugmentationConfig, RunConfig
from training.learning import distributed
from training.prepare import PreparedSet
from training.train import train


def plain_config() -> RunConfig:
    """Nothing left to chance but the order, and no statistics over the batch: what remains is arithmetic."""
    config = small_config(2)
    model = replace(
        config.model,
        # Of a last stage of one cell little but rounding would be left by a norm over groups of channels.
        backbone=replace(config.model.backbone, norm="group", stem_stride=(1, 1, 1)),
        ehr=replace(config.model.ehr, dropout=0, feature_dropout=0, record_dropout=0),
        head=replace(config.model.head, dropout=0),
    )
    still = AugmentationConfig(flip_probability=0, shift_voxels=0)
    return replace(config, model=model, augmentation=still)


def parts_in(folder: Path) -> dict[Split, PreparedSet]:
    """The same cases each time it is called."""
    return {"train": bright_or_dark(folder, 16, 1), "validation": bright_or_dark(folder, 8, 2)}


def _mean_difference(one: Path, other: Path) -> float:
    """Of the weights; four steps of Adam at 1e-3 have moved each by up to 4e-3, and rounding can turn the sign of a tiny step."""
    return float(np.abs(_weights(one) - _weights(other)).mean())


def _weights(run: Path) -> np.ndarray:
    net = load_checkpoint(run / "checkpoint.pt").net
    return torch.cat([parameter.flatten() for parameter in net.parameters()]).detach().numpy()


def _history(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]


def in_two(folder: Path) -> None:
    """Does what `torchrun` itself calls, but forks."""
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    # Images are prepared by one process while the others wait, for hours: longer than the patience torch has by itself.
    distributed_c10d.default_pg_timeout = dt.timedelta(milliseconds=1)
    two = LaunchConfig(
        min_nodes=1, max_nodes=1, nproc_per_node=2, rdzv_backend="c10d", rdzv_endpoint="127.0.0.1:0", local_addr="127.0.0.1",
        max_restarts=0, start_method="fork", logs_specs=DefaultLogsSpecs(str(folder)),  # by itself in a temporary folder, for good
    )  # fmt: skip
    elastic_launch(two, divided)(folder)


def divided(folder: Path) -> None:
    distributed.join()
    train(plain_config(), [AGE], parts_in(folder), folder / "run")
    distributed.leave()


@pytest.mark.slow
def test_two_processes_take_the_steps_of_one(tmp_path: Path) -> None:
    """Equal up to the order of additions: each step's gradient is the mean of the two halves' means."""
    alone, divided = tmp_path / "alone", tmp_path / "divided"
    for folder in (alone, divided):
        folder.mkdir()
    train(plain_config(), [AGE], parts_in(alone), alone / "run")
    ended = run_loaded(log := tmp_path / "log.txt", in_two, divided)
    assert ended == 0, log.read_text()[-3000:]
    assert [line["epoch"] for line in _history(divided / "run")] == [1, 2]
    assert _mean_difference(divided / "run", alone / "run") < 1e-4
    nll = [[line["nll"] for line in _history(folder / "run")] for folder in (alone, divided)]
    np.testing.assert_allclose(nll[1], nll[0], rtol=1e-3)


def test_micro_batches_take_the_steps_of_whole_batches(tmp_path: Path) -> None:
    parts = parts_in(tmp_path)
    train(plain_config(), [AGE], parts, tmp_path / "whole")
    config = plain_config()
    in_parts = replace(config, training=replace(config.training, accumulate=4))
    train(in_parts, [AGE], parts, tmp_path / "parts")
    assert _mean_difference(tmp_path / "parts", tmp_path / "whole") < 1e-4
