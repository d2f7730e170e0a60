"""How the image vector v and the record's code e become one vector: the rows of the model table, side by side.

Every fusion is a module (v [B, dv], e [B, de]) -> (h [B, width], image share [B, heads]) with an attribute `width`;
heads is 0 where there is no gate to read. A new rival is one class and one line in `make_fusion`.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from training.networks.config import Fusion, GmuConfig
from training.networks.gmu import Gmu, MultiHeadGmu

Fused = tuple[Tensor, Tensor]


class ImageOnly(nn.Module):
    """h = v."""

    def forward(self, v: Tensor, e: Tensor) -> Fused:  # noqa: ARG002 - one signature for all rows
        """Leave the record out."""
        return v, _no_share(v)


class RecordOnly(nn.Module):
    """h = e."""

    def forward(self, v: Tensor, e: Tensor) -> Fused:  # noqa: ARG002 - one signature for all rows
        """Leave the image out."""
        return e, _no_share(e)


class Late(nn.Module):
    """h = [v ; e]: one linear head on it is the mean of the logits of an image head and a record head."""

    def forward(self, v: Tensor, e: Tensor) -> Fused:
        """Put side by side."""
        return torch.cat([v, e], dim=1), _no_share(v)


class Concat(nn.Module):
    """h = MLP([v ; e]) with one hidden layer, without which it could not model any interaction."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, width), nn.GELU(), nn.Linear(width, width), nn.LayerNorm(width)
        )

    def forward(self, v: Tensor, e: Tensor) -> Fused:
        """Mix."""
        return self.layers(torch.cat([v, e], dim=1)), _no_share(v)


def make_fusion(
    kind: Fusion, image_width: int, record_width: int, config: GmuConfig
) -> tuple[nn.Module, int, int]:
    """The fusion of one row of the model table.

    Returns:
        The module, the width of its vector, and the number of heads whose share it reports.
    """
    both = image_width + record_width
    rows: dict[Fusion, tuple[Callable[[], nn.Module], int, int]] = {
        "image": (ImageOnly, image_width, 0),
        "record": (RecordOnly, record_width, 0),
        "late": (Late, both, 0),
        "concat": (lambda: Concat(both, config.width), config.width, 0),
        "gmu": (lambda: Gmu(image_width, record_width, config), config.width, 1),
        "mhgmu": (lambda: MultiHeadGmu(image_width, record_width, config), config.width, config.heads),
    }
    make, width, heads = rows[kind]
    return make(), width, heads


def _no_share(like: Tensor) -> Tensor:
    return like.new_zeros(like.shape[0], 0)
