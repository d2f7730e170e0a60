"""Our trainer: images prepared once by `app.imaging`, then read from the cache."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import torch
from lightning.fabric import Fabric

from training.config import RunConfig
from training.learning.averaging import WeightAverage
from training.learning.dataset import Batch, ShuffledBatches, training_loader
from training.learning.optimisation import build_optimizer, build_schedule
from training.learning.resume import Moving
from training.networks.model import FusionNet
from training.prepare import PreparedSet
from training.runs import open_cohort, prepared_part
from training.train import Passed, needed_by, one_epoch


class Ours:
    """The loop of `training.train`, one epoch at a time.

    Args:
        cohort: Folder.
        config: Network and loop.
    """

    def __init__(self, cohort: Path, config: RunConfig) -> None:
        self._cohort = open_cohort(cohort, config)
        self._config = config
        self._cache = Path(tempfile.mkdtemp(dir=cohort))
        self._fabric = Fabric(accelerator="cpu", devices=1, precision=config.training.precision)
        order = torch.Generator().manual_seed(1)
        net = FusionNet(config.model, self._cohort.description.features)
        part = self._prepared()
        net.fit_statistics(torch.from_numpy(part.values), torch.from_numpy(part.missing))
        optimizer = build_optimizer(net, config.optimizer)
        schedule = build_schedule(optimizer, 10_000, config.optimizer)
        self._net = net
        self._model, wrapped = self._fabric.setup(net, optimizer)
        self._moving = Moving(
            net,
            WeightAverage(net, config.training.average_decay),
            wrapped,
            schedule,
            order,
            torch.Generator().manual_seed(2),
            self._fabric.strategy.precision,
        )

    def cached(self) -> Passed:
        """An epoch from the cache: every epoch but the first."""
        part = self._prepared()
        dealt = ShuffledBatches(len(part), self._config.training.batch_size, self._moving.order)
        batches = training_loader(part, dealt, needed_by(self._net, self._config), 0)
        return one_epoch(self._fabric, self._model, self._moving, batches, self._config, lambda _: None)

    def uncached(self) -> Passed:
        """The first epoch: files are read, checked and resampled before it."""
        shutil.rmtree(self._cache)
        return self.cached()

    def one_batch(self) -> Batch:
        """A batch as the loop gets it."""
        part = self._prepared()
        dealt = ShuffledBatches(len(part), self._config.training.batch_size, torch.Generator())
        batch: Batch = next(iter(training_loader(part, dealt, needed_by(self._net, self._config), 0)))
        return batch

    def close(self) -> None:
        """Remove the cache."""
        shutil.rmtree(self._cache, ignore_errors=True)

    def _prepared(self) -> PreparedSet:
        return prepared_part(self._cohort, self._config, "train", self._cache)


def without_guidance(config: RunConfig) -> RunConfig:
    """The network alone against the network alone: no masks are read and no second loss is computed."""
    return replace(config, guidance=replace(config.guidance, weight=0.0))
