"""Row 5, concatenation: one hidden layer on [v ; e], without which it could not model any interaction."""

import torch
from torch import Tensor, nn

from training.networks.config import GmuConfig
from training.networks.fusion import Fused, Fusion, no_share
from training.networks.rivals.rival import Rival, ungated


class Concat(Fusion):
    """h = LN(W2 GELU(W1 [v ; e]))."""

    def __init__(self, image_width: int, record_width: int, config: GmuConfig) -> None:
        super().__init__(config.width)
        self.layers = nn.Sequential(
            nn.Linear(image_width + record_width, config.width),
            nn.GELU(),
            nn.Linear(config.width, config.width),
            nn.LayerNorm(config.width),
        )

    def forward(self, v: Tensor, e: Tensor) -> Fused:
        """Mix."""
        return self.layers(torch.cat([v, e], dim=1)), no_share(v)


RIVAL = Rival("concat", 5, "Concatenation", lambda base: ungated(base, "concat"), fusion=Concat)
