"""A running average of the weights: what is judged and kept, while the optimiser moves the network itself.

The average lags the last steps, so it is calmer from epoch to epoch than the weights are (Polyak and Juditsky,
SIAM J Control Optim 1992;30:838; exponential form as in Tarvainen and Valpola, arXiv:1703.01780).
"""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from training.networks.model import FusionNet


class WeightAverage:
    """Exponential average of a network's weights and buffers; with decay 0 it is the network itself.

    Args:
        net: The network that is trained.
        decay: Weight of the past per step, in [0, 1). Early steps count more: the decay in use never exceeds
            (1 + n) / (10 + n) after n steps, so that the first weights are forgotten.
    """

    def __init__(self, net: FusionNet, decay: float) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"decay is {decay}, expected a number in [0, 1)")
        self._net = net
        self._decay = decay
        self._average = AveragedModel(net, multi_avg_fn=self._blend, use_buffers=True) if decay else None

    def update(self) -> None:
        """Take in the weights as they are after a step."""
        if self._average is not None:
            self._average.update_parameters(self._net)

    @property
    def net(self) -> FusionNet:
        """The network to judge and to keep."""
        if self._average is None:
            return self._net
        return cast("FusionNet", self._average.module)

    def state_dict(self) -> dict[str, Any]:
        """For going on after a kill; empty with decay 0, where the network's own state is all there is."""
        return {} if self._average is None else self._average.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put back what `state_dict` gave."""
        if self._average is not None:
            self._average.load_state_dict(state)

    @torch.no_grad()
    def _blend(self, averaged: Sequence[Tensor], current: Sequence[Tensor], steps: Tensor | int) -> None:
        decay = min(self._decay, (1 + float(steps)) / (10 + float(steps)))
        for past, present in zip(averaged, current, strict=True):
            if past.is_floating_point():
                past.lerp_(present, 1 - decay)
            else:  # counters of batches
                past.copy_(present)
