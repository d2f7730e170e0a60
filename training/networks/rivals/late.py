"""Row 4, late fusion: the mean of the logits of an image head and a record head, trained jointly."""

import torch
from torch import Tensor

from training.networks.config import GmuConfig
from training.networks.fusion import Fused, Fusion, no_share
from training.networks.rivals.rival import Rival, ungated


class Late(Fusion):
    """h = [v ; e]: one linear head on it is the mean of the logits of two heads of twice the weights."""

    def __init__(self, image_width: int, record_width: int, config: GmuConfig) -> None:  # noqa: ARG002 - one signature
        super().__init__(image_width + record_width)

    def forward(self, v: Tensor, e: Tensor) -> Fused:
        """Put side by side."""
        return torch.cat([v, e], dim=1), no_share(v)


RIVAL = Rival("late", 4, "Late fusion", lambda base: ungated(base, "late"), fusion=Late)
