"""What every fusion of image vector v and record code e offers; the fusions themselves are files of `rivals`."""

from torch import Tensor, nn

Fused = tuple[Tensor, Tensor]


class Fusion(nn.Module):
    """(v [B, dv], e [B, de]) -> (h [B, width], image share [B, heads]).

    Args:
        width: Size of the fused vector h.
        heads: Gates whose image share is reported; 0 where there is none to read.
    """

    def __init__(self, width: int, heads: int = 0) -> None:
        super().__init__()
        self.width = width
        self.heads = heads


def no_share(like: Tensor) -> Tensor:
    """The image share of a fusion without gates: [B, 0]."""
    return like.new_zeros(like.shape[0], 0)
