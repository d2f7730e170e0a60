"""The network itself on one batch, again and again: what no trainer can go below."""

from pathlib import Path

import torch
from lightning.fabric import Fabric

from benchmarks.trainers.ours import Ours
from training.config import RunConfig
from training.learning.optimisation import build_optimizer
from training.networks.losses import outcome_loss
from training.networks.model import FusionNet
from training.runs import open_cohort


class Bare:
    """Forward, backward and step, on a batch that is there already."""

    def __init__(self, cohort: Path, config: RunConfig, ours: Ours) -> None:
        people = open_cohort(cohort, config)
        self._steps = len(people.part("train")) // config.training.batch_size
        self._batch, self._config = ours.one_batch(), config
        self._fabric = Fabric(accelerator="cpu", devices=1, precision=config.training.precision)
        net = FusionNet(config.model, people.description.features).train()
        net.fit_statistics(self._batch.values, self._batch.missing)
        self._model, self._optimizer = self._fabric.setup(net, build_optimizer(net, config.optimizer))

    def epoch(self) -> None:
        """As many steps as an epoch has."""
        batch = self._batch
        for _ in range(self._steps):
            output = self._model(batch.image, batch.values, batch.missing)
            loss: torch.Tensor = outcome_loss(output.logits, batch.label, self._config.model.head.outcome)
            self._optimizer.zero_grad()
            self._fabric.backward(loss)
            self._optimizer.step()
