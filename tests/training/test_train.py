"""training.train: the schedule, what is decayed, what a checkpoint keeps, and that a loop learns."""

import io
import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import rich
import torch
from lightning.fabric import Fabric
from lightning.fabric.plugins import MixedPrecision

from app.ehr.schema import Feature
from training.checkpoint import load_checkpoint, save_checkpoint
from training.cohort import Split
from training.config import RunConfig, TrainingConfig, load_config
from training.learning.averaging import WeightAverage
from training.learning.dataset import ShuffledBatches, training_loader
from training.learning.optimisation import build_optimizer, build_schedule, learning_rate_factor
from training.learning.resume import Moving
from training.networks.model import FusionNet
from training.networks.rows import row
from training.prepare import PreparedSet
from training.train import DivergedError, needed_by, one_epoch, train

CONFIGS = Path(__file__).parents[2] / "training" / "configs"
AGE = Feature(
    name="age", title="Age", kind="numeric", loinc=None, unit="a", plausible_range=(0, 110), categories=(), required=False
)  # fmt: skip


def small_config(epochs: int) -> RunConfig:
    config = load_config(CONFIGS / "ad.toml")
    grid = config.grid.model_copy(update={"shape": (16, 16, 16)})
    backbone = replace(config.model.backbone, widths=(16, 16, 16, 16), stem_stride=(2, 2, 2))
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


def both_parts(folder: Path, train: int, validation: int) -> dict[Split, PreparedSet]:
    return {"train": bright_or_dark(folder, train, 1), "validation": bright_or_dark(folder, validation, 2)}


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
    untouched = {id(parameter) for parameter in free["params"]}
    assert [
        name for name, each in net.named_parameters() if "bias" in name and id(each) not in untouched
    ] == []
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
    parts = both_parts(tmp_path, 48, 24)
    checkpoint = load_checkpoint(train(small_config(9), [AGE], parts, tmp_path / "run"))
    history = [json.loads(line) for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
    best = min(history, key=lambda line: float(line["nll"]))
    assert best["nll"] < 0.35
    assert checkpoint.epoch == best["epoch"]


def test_of_more_epochs_than_a_terminal_has_lines_the_one_under_way_stays_in_sight(tmp_path: Path) -> None:
    parts = both_parts(tmp_path, 8, 8)
    rich.reconfigure(file=(shown := io.StringIO()), force_terminal=True, width=100, height=4)
    try:
        train(small_config(6), [AGE], parts, tmp_path / "run")
    finally:
        rich.reconfigure()
    assert "..." not in shown.getvalue(), "nothing was cut off"
    told = re.findall(r"epoch +(\d+)  loss \d\.\d+  validation NLL", shown.getvalue())
    assert told == ["1", "2", "3", "4", "5", "6"]


def test_it_stops_when_validation_no_longer_improves(tmp_path: Path) -> None:
    parts = both_parts(tmp_path, 16, 8)
    shuffled = replace(
        parts["validation"], labels=1 - parts["validation"].labels
    )  # better training, worse validation
    config = small_config(40)
    config = replace(config, training=replace(config.training, patience=2))
    train(config, [AGE], parts | {"validation": shuffled}, tmp_path / "run")
    assert len((tmp_path / "run" / "history.jsonl").read_text().splitlines()) < 40


@pytest.mark.parametrize(("split", "what"), [("train", "gradient"), ("validation", "log-likelihood")])
def test_numbers_that_are_none_end_a_run_in_words(split: Split, what: str, tmp_path: Path) -> None:
    parts = both_parts(tmp_path, 8, 8)
    image = np.load(path := parts[split].images[3])
    np.save(path, np.full_like(image, np.inf))
    with pytest.raises(DivergedError, match=f"{what}.*learning_rate"):
        train(small_config(2), [AGE], parts, tmp_path / "run")


@pytest.mark.filterwarnings(
    "ignore:Detected call of .lr_scheduler:UserWarning"
)  # torch sees no step, as is meant
def test_in_float16_a_step_that_overflows_is_left_out_and_the_next_are_scaled_less(tmp_path: Path) -> None:
    config, part = small_config(1), bright_or_dark(tmp_path, 4, 1)  # a CPU is slow in float16
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**30)
    fabric = Fabric(accelerator="cpu", devices=1, plugins=MixedPrecision("16-mixed", "cpu", scaler))
    net = FusionNet(config.model, [AGE])
    optimizer = build_optimizer(net, config.optimizer)
    schedule, before = (
        build_schedule(optimizer, 10, config.optimizer),
        [each.clone() for each in net.parameters()],
    )
    model, wrapped = fabric.setup(net, optimizer)
    order, change, precision = torch.Generator(), torch.Generator(), fabric.strategy.precision
    moving = Moving(net, WeightAverage(net, 0), wrapped, schedule, order, change, precision)
    dealt = ShuffledBatches(len(part), 2, order)
    batches = training_loader(part, dealt, needed_by(net, config), 0)
    passed = one_epoch(fabric, model, moving, batches, config, lambda _: None)
    assert scaler.get_scale() < 2.0**30
    assert passed.gradient_norm == 0  # none was finite
    assert all(torch.equal(was, now) for was, now in zip(before, net.parameters(), strict=True))


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
    for name in ("mma+mhgmu-unguided", "concat", "image", "record"):  # the others have no gate
        assert not replace(config, model=row(config.model, name)).guided
