"""training.train: the schedule, what is decayed, what a checkpoint keeps, and that a loop learns."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from app.ehr.schema import Feature
from training.checkpoint import load_checkpoint, save_checkpoint
from training.config import RunConfig, TrainingConfig, load_config
from training.networks.model import FusionNet
from training.networks.rows import row
from training.optimisation import build_optimizer, learning_rate_factor
from training.prepare import PreparedSet
from training.train import train

CONFIGS = Path(__file__).parents[2] / "training" / "configs"
AGE = Feature(
    name="age", title="Age", kind="numeric", loinc=None, unit="a", plausible_range=(0, 110), categories=(), required=False
)  # fmt: skip


def small_config(epochs: int) -> RunConfig:
    config = load_config(CONFIGS / "ad.toml")
    grid = config.grid.model_copy(update={"shape": (16, 16, 16)})
    backbone = replace(config.model.backbone, widths=(16, 16, 16, 16))
    training = TrainingConfig(epochs=epochs, batch_size=8, precision="32-true", threads=1)
    return replace(config, grid=grid, model=replace(config.model, backbone=backbone), training=training)


def bright_or_dark(folder: Path, count: int, seed: int) -> PreparedSet:
    """Cases whose class is whether a cube in the middle is brighter than its surroundings."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    paths = []
    for index, label in enumerate(labels):
        image = rng.normal(100, 5, (16, 16, 16)).astype(np.float32)
        image[6:10, 6:10, 6:10] += 60 if label else -60
        np.save(path := folder / f"{seed}-{index}.npy", image)
        paths.append(path)
    values = np.zeros((count, 1), dtype=np.float32)
    truth = np.full(count, np.nan, dtype=np.float32)
    return PreparedSet(tuple(paths), (None,) * count, values, np.ones_like(values), labels, truth)


def test_the_rate_rises_then_falls_to_zero() -> None:
    config = load_config(CONFIGS / "gos.toml")
    factors = [learning_rate_factor(step, 100, config.optimizer) for step in range(101)]
    top = int(np.argmax(factors))
    assert factors[top] == pytest.approx(1)
    assert top == pytest.approx(100 * config.optimizer.warmup_share, abs=1)
    assert all(a <= b for a, b in pairwise(factors[: top + 1]))
    assert all(a >= b for a, b in pairwise(factors[top:]))
    assert factors[100] == pytest.approx(0)


def test_biases_and_norms_are_not_decayed() -> None:
    config = small_config(1)
    net = FusionNet(config.model, [AGE])
    decayed, free = build_optimizer(net, config.optimizer).param_groups
    assert all(parameter.ndim > 1 for parameter in decayed["params"])
    assert free["weight_decay"] == 0
    assert len(decayed["params"]) + len(free["params"]) == len(list(net.parameters()))


def test_a_checkpoint_gives_the_same_network_back(tmp_path: Path) -> None:
    config = small_config(1)
    net = FusionNet(config.model, [AGE]).eval()
    save_checkpoint(tmp_path / "c.pt", net, config, [AGE], epoch=3)
    loaded = load_checkpoint(tmp_path / "c.pt")
    assert (loaded.config, loaded.features, loaded.epoch) == (config, (AGE,), 3)
    inputs = torch.randn(2, 1, 16, 16, 16), torch.zeros(2, 1), torch.ones(2, 1)
    assert torch.equal(net(*inputs).logits, loaded.net(*inputs).logits)


def test_the_loop_learns_what_the_image_shows_and_keeps_the_best_epoch(tmp_path: Path) -> None:
    parts = {"train": bright_or_dark(tmp_path, 48, 1), "validation": bright_or_dark(tmp_path, 24, 2)}
    checkpoint = load_checkpoint(train(small_config(12), [AGE], parts, tmp_path / "run"))
    history = [json.loads(line) for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
    best = min(history, key=lambda line: float(line["nll"]))
    assert best["nll"] < 0.35
    assert checkpoint.epoch == best["epoch"]


def test_it_stops_when_validation_no_longer_improves(tmp_path: Path) -> None:
    parts = {"train": bright_or_dark(tmp_path, 16, 1), "validation": bright_or_dark(tmp_path, 8, 2)}
    shuffled = replace(
        parts["validation"], labels=1 - parts["validation"].labels
    )  # better training, worse validation
    config = small_config(40)
    config = replace(config, training=replace(config.training, patience=2))
    train(config, [AGE], parts | {"validation": shuffled}, tmp_path / "run")
    assert len((tmp_path / "run" / "history.jsonl").read_text().splitlines()) < 40


def test_a_number_of_steps_gives_a_small_training_set_more_epochs(tmp_path: Path) -> None:
    config = small_config(1)
    config = replace(config, training=replace(config.training, steps=6, patience=20))
    validation = bright_or_dark(tmp_path, 8, 2)
    for count, epochs in ((16, 3), (48, 1)):  # two and six steps of eight cases
        run = tmp_path / f"run{count}"
        train(config, [AGE], {"train": bright_or_dark(tmp_path, count, 1), "validation": validation}, run)
        assert len((run / "history.jsonl").read_text().splitlines()) == epochs


def test_masks_guide_no_gate_where_the_row_says_so() -> None:
    config = load_config(CONFIGS / "gos.toml")
    assert config.guided
    assert not replace(config, model=row(config.model, "mma+mhgmu-unguided")).guided
