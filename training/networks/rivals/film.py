"""Row 7, FiLM (arXiv:1709.07871): the record scales and shifts the channels inside the last block.

It acts on the normalised features before their activation; the normalisation's own scale and shift are off. The head reads
the image vector alone, so the record enters here and nowhere else.
"""

from torch import Tensor, nn

from training.networks.rivals.rival import Rival, ungated

BOTTLENECK = 7
"""m = (C + de) / 7, the hidden width of FiLM's and of DAFT's perceptron."""


class Film(nn.Module):
    """(1 + g(e)) * F + b(e), with [g ; b] = MLP(e); the identity before training."""

    def __init__(self, channels: int, record_width: int) -> None:
        super().__init__()
        hidden = (channels + record_width) // BOTTLENECK
        self.hidden = nn.Linear(record_width, hidden)
        self.out = nn.Linear(hidden, 2 * channels)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, features: Tensor, e: Tensor) -> Tensor:
        """Modulate features [B, C, *S] by the record's code e [B, de]."""
        return scale_and_shift(features, self.out(self.hidden(e).relu()))


def scale_and_shift(features: Tensor, numbers: Tensor) -> Tensor:
    """(1 + g) * F + b for [g ; b] [B, 2 C]."""
    scale, shift = numbers[(..., *[None] * (features.dim() - 2))].chunk(2, dim=1)
    return (1 + scale) * features + shift


RIVAL = Rival("film", 7, "FiLM", lambda base: ungated(base, "image", "film"), inner=Film)
