"""One training run, top to bottom: network, optimiser, epochs, the best checkpoint by validation NLL.

Reads prepared arrays, writes `checkpoint.pt` (best epoch), `history.jsonl` (one line per epoch) into the run folder.
"""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.fabric import Fabric
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from app.ehr.schema import Feature
from training.augment import augment
from training.averaging import WeightAverage
from training.config import RunConfig, config_from_dict, config_to_dict
from training.dataset import Batch, Needed, loader
from training.metrics import negative_log_likelihood
from training.networks.heads import class_probabilities
from training.networks.losses import guidance_loss, outcome_loss
from training.networks.model import FusionNet
from training.predict import collect
from training.prepare import PreparedSet


@dataclass(frozen=True)
class Checkpoint:
    """A trained network with the configuration that made it."""

    net: FusionNet
    config: RunConfig
    features: tuple[Feature, ...]
    epoch: int


def train(  # noqa: PLR0915 - one loop, read from top to bottom
    config: RunConfig, features: Sequence[Feature], parts: dict[str, PreparedSet], run: Path
) -> Path:
    """Train one network and keep its best epoch.

    Args:
        config: The run.
        features: The record, in tensor order.
        parts: Prepared splits `train` and `validation`.
        run: Folder of the run's files.

    Returns:
        Path of the checkpoint with the lowest validation NLL.
    """
    run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(config.training.threads)
    fabric = Fabric(accelerator="auto", devices=1, precision=config.training.precision)
    fabric.seed_everything(config.seed, verbose=False)
    generator = torch.Generator().manual_seed(config.seed)

    net = FusionNet(config.model, features)
    net.load_pretrained()
    batches = loader(parts["train"], config.training.batch_size, needed_by(net, config), generator)
    net.fit_statistics(torch.from_numpy(parts["train"].values), torch.from_numpy(parts["train"].missing))
    optimizer = build_optimizer(net, config)
    steps = len(batches) * config.training.epochs
    schedule = LambdaLR(optimizer, lambda step: learning_rate_factor(step, steps, config))
    model, optimizer = fabric.setup(net, optimizer)
    average = WeightAverage(net, config.training.average_decay)

    best, best_epoch, checkpoint = math.inf, 0, run / "checkpoint.pt"
    with _progress() as progress, (run / "history.jsonl").open("w", encoding="utf-8") as history:
        for epoch in range(1, config.training.epochs + 1):
            started = time.monotonic()
            model.train()
            bar = progress.add_task(f"epoch {epoch:3d}", total=len(batches), note="")
            losses: list[float] = []
            for batch in batches:
                loss = training_loss(model, fabric.to_device(augmented(batch, config, generator)), config)
                optimizer.zero_grad()
                fabric.backward(loss)
                fabric.clip_gradients(model, optimizer, max_norm=config.optimizer.gradient_clip)
                optimizer.step()
                schedule.step()
                average.update()
                losses.append(loss.item())
                progress.update(bar, advance=1, note=f"loss {np.mean(losses[-50:]):.3f}")

            with fabric.autocast():
                nll = validation_nll(average.net, parts["validation"], config)
            progress.update(bar, note=f"loss {np.mean(losses):.3f}  validation NLL {nll:.4f}")
            seconds = round(time.monotonic() - started, 1)
            line = {"epoch": epoch, "loss": float(np.mean(losses)), "nll": nll, "seconds": seconds}
            history.write(json.dumps(line) + "\n")
            history.flush()
            if nll < best:
                best, best_epoch = nll, epoch
                save_checkpoint(checkpoint, average.net, config, features, epoch)
            if epoch - best_epoch >= config.training.patience:
                break
    return checkpoint


def needed_by(net: FusionNet, config: RunConfig) -> Needed:
    """Images unless the record alone is used; masks where they guide a gate."""
    return Needed(
        images=config.model.fusion != "record", masks=config.guidance.weight > 0 and bool(net.stage_strides)
    )


def augmented(batch: Batch, config: RunConfig, generator: torch.Generator) -> Batch:
    """The batch with its images and masks changed, before it goes to the device."""
    if config.model.fusion == "record":
        return batch
    image, mask = augment(batch.image, batch.mask, config.augmentation, generator, config.grid.fill)
    return batch._replace(image=image, mask=mask)


def training_loss(model: FusionNet, batch: Batch, config: RunConfig) -> Tensor:
    """Loss of one batch: outcome, plus mask guidance where it is asked for."""
    output = model(batch.image, batch.values, batch.missing)
    loss = outcome_loss(output.logits, batch.label, config.model.head.outcome)
    if config.guidance.weight > 0 and output.stage_logits:
        guidance = guidance_loss(
            output.stage_logits, model.stage_lattices, batch.mask, batch.has_mask, config.guidance.positive_weight
        )
        loss = loss + config.guidance.weight * guidance
    return loss


def validation_nll(model: FusionNet, prepared: PreparedSet, config: RunConfig) -> float:
    """Negative log-likelihood on the validation split, uncalibrated."""
    logits = collect(model, prepared, config.training.batch_size).logits
    return negative_log_likelihood(class_probabilities(torch.from_numpy(logits)).numpy(), prepared.labels)


def build_optimizer(net: nn.Module, config: RunConfig) -> torch.optim.Optimizer:
    """AdamW; vectors (biases, normalisation, learned constants) are not decayed."""
    matrices = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in net.parameters() if parameter.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": matrices, "weight_decay": config.optimizer.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.optimizer.learning_rate)


def learning_rate_factor(step: int, total: int, config: RunConfig) -> float:
    """Linear warm-up, then half a cosine down to zero."""
    warmup = max(1, round(total * config.optimizer.warmup_share))
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, total - warmup))))


def save_checkpoint(
    path: Path, net: FusionNet, config: RunConfig, features: Sequence[Feature], epoch: int
) -> None:
    """Write network and configuration in one file, atomically."""
    partial = path.with_suffix(".part")
    torch.save(
        {
            "config": config_to_dict(config),
            "features": [feature.model_dump(mode="json") for feature in features],
            "epoch": epoch,
            "state": net.state_dict(),
        },
        partial,
    )
    partial.replace(path)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; only tensors and plain values are unpickled (`weights_only`)."""
    tree = torch.load(path, map_location="cpu", weights_only=True)
    config = config_from_dict(tree["config"])
    features = tuple(Feature.model_validate(feature) for feature in tree["features"])
    net = FusionNet(config.model, features)
    net.load_state_dict(tree["state"])
    return Checkpoint(net=net.eval(), config=config, features=features, epoch=tree["epoch"])


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
