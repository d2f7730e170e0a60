"""One training run, top to bottom: network, optimiser, epochs, the best checkpoint by validation NLL.

Reads prepared arrays; writes `checkpoint.pt` (best epoch), `history.jsonl` (one line per epoch), `tensorboard/` and `state.pt`
(from which a run that was cut off goes on) into the run's folder. Alone, or on several processes under `torchrun`.
"""

import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from lightning.fabric import Fabric
from lightning.fabric.strategies.ddp import DDPStrategy
from lightning.fabric.wrappers import _FabricModule
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from app.ehr.schema import Feature
from app.errors import NeuroFuseError
from training.checkpoint import CHECKPOINT_FILE, save_checkpoint
from training.cohort import Split
from training.config import RunConfig
from training.learning import distributed
from training.learning.augment import augment
from training.learning.averaging import WeightAverage
from training.learning.dataset import Batch, Needed, ShuffledBatches, training_loader
from training.learning.journal import EpochNotes, Journal
from training.learning.optimisation import build_optimizer, build_schedule
from training.learning.resume import SAVE_EVERY_S, STATE_FILE, Moving, Saver, Underway, load_state, run_digest
from training.metrics import auroc, negative_log_likelihood
from training.networks.heads import class_probabilities
from training.networks.losses import guidance_loss, outcome_loss
from training.networks.model import FusionNet
from training.outcomes import event_from
from training.predict import collect
from training.prepare import PreparedSet


class DivergedError(NeuroFuseError):
    """A gradient or a loss is no finite number any more."""

    code = "training-diverged"
    title = "Training has diverged."


def train(  # noqa: PLR0915 - one run, read from top to bottom
    config: RunConfig,
    features: Sequence[Feature],
    parts: Mapping[Split, PreparedSet],
    run: Path,
    save_every_s: float = SAVE_EVERY_S,
) -> Path:
    """Train one network and keep its best epoch; go on where an earlier start of the same run was cut off.

    Args:
        config: The run.
        features: The record, in tensor order.
        parts: Prepared splits `train` and `validation`.
        run: Folder of the run's files.
        save_every_s: Seconds of work that a kill may cost within an epoch.

    Returns:
        Path of the checkpoint with the lowest validation NLL.

    Raises:
        DivergedError: A gradient or the validation NLL is no finite number.
    """
    settings, checkpoint = config.training, run / CHECKPOINT_FILE
    run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(settings.threads)
    fabric = _fabric(config)
    fabric.seed_everything(config.seed + fabric.global_rank, verbose=False)
    order = torch.Generator().manual_seed(config.seed)
    change = torch.Generator().manual_seed(config.seed + 1000 + fabric.global_rank)

    net = FusionNet(config.model, features)
    net.load_pretrained()
    net.fit_statistics(torch.from_numpy(parts["train"].values), torch.from_numpy(parts["train"].missing))
    dealt = ShuffledBatches(
        len(parts["train"]),
        settings.batch_size,
        order,
        micro_batches=settings.accumulate,
        rank=fabric.global_rank,
        world=fabric.world_size,
    )
    batches = training_loader(parts["train"], dealt, needed_by(net, config), settings.loader_workers)
    optimizer = build_optimizer(net, config.optimizer)
    epochs = settings.most_epochs(len(parts["train"]))
    schedule = build_schedule(optimizer, dealt.steps * epochs, config.optimizer)
    fused: nn.Module = torch.compile(net) if settings.compile else net  # type: ignore[assignment]
    model, optimizer = fabric.setup(fused, optimizer)
    average = WeightAverage(net, settings.average_decay)

    digest = run_digest(config, parts, fabric.world_size)
    moving = Moving(net, average, optimizer, schedule, order, change, fabric.strategy.precision)
    done = load_state(run / STATE_FILE, digest, moving)
    saver = Saver(run / STATE_FILE, digest, done, moving, save_every_s)
    with _progress(fabric) as progress, Journal(run, done.epoch, writes=fabric.is_global_zero) as journal:
        _tell_a_loss(run, done.epoch + moving.underway.steps, progress)
        while done.epoch < epochs and done.epoch - done.best_epoch < settings.patience:
            begun = moving.underway.steps
            title = f"epoch {done.epoch + 1:3d}"
            bar = progress.add_task(title, total=dealt.steps, completed=begun, note="")
            tell = partial(progress.update, bar, advance=1)
            dealt.begin_at(begun)
            passed = one_epoch(fabric, model, moving, batches, config, partial(_after_step, tell, saver))
            started = time.monotonic()
            with fabric.autocast():
                judgement = judged(average.net, parts["validation"], config)
            # Every process must stop at the same epoch, whatever the last bit of its own judgement.
            nll, area = fabric.broadcast(judgement)
            done.epoch += 1
            if not math.isfinite(nll):
                raise _diverged("negative log-likelihood of the validation cases")
            # A line, no bar that stays: of more bars than it has lines a terminal shows the first ones alone.
            progress.remove_task(bar)
            if fabric.is_global_zero:
                notes = f"{title}  loss {passed.loss:.3f}  validation NLL {nll:.4f}"
                progress.console.print(notes, highlight=False)
            journal.write(
                EpochNotes(
                    epoch=done.epoch,
                    loss=passed.loss,
                    nll=nll,
                    auroc=area,
                    learning_rate=float(schedule.get_last_lr()[0]),
                    gradient_norm=passed.gradient_norm,
                    samples_per_second=round(dealt.cases / passed.seconds, 2),
                    loader_share=round(passed.waited / passed.seconds, 4),
                    seconds=round(passed.seconds + time.monotonic() - started, 1),
                )
            )
            if nll < done.best:
                done.best, done.best_epoch = nll, done.epoch
                if fabric.is_global_zero:
                    save_checkpoint(checkpoint, average.net, config, features, done.epoch)
            saver.save()
    fabric.barrier()
    return checkpoint


@dataclass(frozen=True)
class Passed:
    """What one pass over the training cases came to: means over steps, and seconds in all and spent waiting."""

    loss: float
    gradient_norm: float
    seconds: float
    waited: float


def one_epoch(
    fabric: Fabric,
    model: _FabricModule,
    moving: Moving,
    batches: Iterable[Batch],
    config: RunConfig,
    after_step: Callable[[str], None],
) -> Passed:
    """One pass over the training cases, or what is left of it.

    Args:
        fabric: Where it runs.
        model: The network, wrapped for that.
        moving: What the steps change.
        batches: Micro-batches, `accumulate` of them to a step, those that the epoch under way has not had.
        config: The run.
        after_step: Called with a note on how it goes; all that the next step depends on is then in `moving`.

    Raises:
        DivergedError: A gradient is no finite number.
    """
    now, parts = moving.underway, config.training.accumulate
    watch = Stopwatch(now.waited)
    started = time.monotonic() - now.seconds
    if now.dealt_from is None:
        now.dealt_from = moving.order.get_state()
    losses, norms = ([each.to(fabric.device) for each in some] for some in (now.losses, now.norms))
    now.losses, now.norms = losses, norms
    model.train()
    for number, batch in enumerate(watch.around(batches), start=1):
        step_is_whole = number % parts == 0
        changed = fabric.to_device(augmented(batch, config, moving.change))
        with fabric.no_backward_sync(model, enabled=not step_is_whole):
            loss = training_loss(cast("FusionNet", model), changed, config)
            fabric.backward(loss / parts)
        losses.append(loss.detach())
        if step_is_whole:
            norm = fabric.clip_gradients(
                model, moving.optimizer, max_norm=config.optimizer.gradient_clip, error_if_nonfinite=False
            )
            if norm is not None and norm.isfinite():
                norms.append(norm.detach())
            elif not _skips_overflow(moving):
                raise _diverged("gradient")
            moving.optimizer.step()
            moving.optimizer.zero_grad()
            moving.schedule.step()
            moving.average.update()
            now.steps, now.seconds, now.waited = now.steps + 1, time.monotonic() - started, watch.seconds
            after_step(f"loss {_mean(losses[-50:]):.3f}")
    moving.underway = Underway()
    return Passed(_mean(losses), _mean(norms), time.monotonic() - started, watch.seconds)


def _after_step(tell: Callable[..., None], saver: Saver, note: str) -> None:
    tell(note=note)
    saver.now_and_then()


class Stopwatch:
    """Time spent waiting for an iterator, in seconds, beside those there were."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds

    def around(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The same batches, with the wait for each counted."""
        iterator = iter(batches)
        while True:
            started = time.monotonic()
            batch = next(iterator, None)
            self.seconds += time.monotonic() - started
            if batch is None:
                return
            yield batch


def needed_by(net: FusionNet, config: RunConfig) -> Needed:
    """Images unless the record alone is used; masks where they guide a gate."""
    return Needed(images=config.model.fusion != "record", masks=config.guided and bool(net.stage_lattices))


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
    if config.guided and output.stage_logits:
        guidance = guidance_loss(
            output.stage_logits,
            model.stage_lattices,
            batch.mask,
            batch.has_mask,
            config.guidance.positive_weight,
        )
        loss = loss + config.guidance.weight * guidance
    return loss


def judged(model: FusionNet, prepared: PreparedSet, config: RunConfig) -> tuple[float, float | None]:
    """Negative log-likelihood and AUROC of the event on the validation split, not calibrated."""
    logits = torch.from_numpy(collect(model, prepared, config.training.batch_size).logits)
    probabilities = class_probabilities(logits).numpy()
    first = event_from(probabilities.shape[1])
    area = auroc(probabilities[:, first:].sum(axis=1), prepared.labels >= first)
    nll = negative_log_likelihood(probabilities, prepared.labels)
    return nll, area if np.isfinite(area) else None


def _fabric(config: RunConfig) -> Fabric:
    """This process alone on the best device there is, or its part of what `torchrun` started."""
    precision = config.training.precision
    processes = distributed.world()
    if processes == 1:
        return Fabric(accelerator="auto", devices=1, precision=precision)
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    fabric = Fabric(
        accelerator="auto",
        devices=here,
        num_nodes=processes // here,
        strategy=DDPStrategy(),
        precision=precision,
    )
    fabric.launch()
    return fabric


def _skips_overflow(moving: Moving) -> bool:
    """In float16 a step whose gradients overflow is left out, and the next ones are scaled less: that is no error."""
    return getattr(moving.precision, "scaler", None) is not None


def _diverged(what: str) -> DivergedError:
    return DivergedError(
        f"training has diverged: expected a finite {what}, found one that is not; lower optimizer.learning_rate, or set "
        'training.precision = "32-true"'
    )


def _mean(numbers: Sequence[Tensor]) -> float:
    return float(torch.stack(list(numbers)).mean()) if numbers else 0.0


def _tell_a_loss(run: Path, done: int, progress: Progress) -> None:
    """Say that the work of an earlier start counts for nothing, before it is written over."""
    if distributed.rank() == 0 and not done and (run / STATE_FILE).is_file():
        progress.console.print(
            f"{STATE_FILE} is of another configuration, number of processes, or other patients or images: the run begins anew",
            highlight=False,
            soft_wrap=True,
        )


def _progress(fabric: Fabric) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        disable=not fabric.is_global_zero,
    )
