"""Row 8, DAFT (arXiv:2107.05990): as FiLM, with scale and shift made of the record and of the image's own channel means."""

import torch
from torch import Tensor, nn

from training.networks.rivals.film import BOTTLENECK, scale_and_shift
from training.networks.rivals.rival import Rival, ungated


class Daft(nn.Module):
    """(1 + g) * F + b, with [g ; b] = W2 ReLU(W1 [GAP F ; e]) without biases; the identity before training.

    The paper's scale is g itself. Written as 1 + g it reaches the same functions, and starts as the plain network also where
    no residual connection passes it by.
    """

    def __init__(self, channels: int, record_width: int) -> None:
        super().__init__()
        hidden = (channels + record_width) // BOTTLENECK
        self.hidden = nn.Linear(channels + record_width, hidden, bias=False)
        self.out = nn.Linear(hidden, 2 * channels, bias=False)
        nn.init.zeros_(self.out.weight)

    def forward(self, features: Tensor, e: Tensor) -> Tensor:
        """Modulate features [B, C, *S] by the record's code e [B, de]."""
        both = torch.cat([features.flatten(2).mean(2), e], dim=1)
        return scale_and_shift(features, self.out(self.hidden(both).relu()))


RIVAL = Rival("daft", 8, "DAFT", lambda base: ungated(base, "image", "daft"), inner=Daft)
