"""A 2D network on a volume: slices side by side in the batch, and one vector per patient out of theirs."""

import torch
from torch import Tensor, nn

from training.networks.config import SlicePooling

ATTENTION_WIDTH = 64


def fold(volumes: Tensor) -> Tensor:
    """[B, C, D, H, W] to [B * D, C, H, W], the slices of a patient next to each other."""
    return volumes.transpose(1, 2).flatten(0, 1)


def unfold(slices: Tensor, depth: int) -> Tensor:
    """[B * D, C, *S] back to [B, C, D, *S]."""
    volumes: Tensor = slices.view(-1, depth, *slices.shape[1:]).transpose(1, 2)
    return volumes


def repeat(per_patient: Tensor, depth: int) -> Tensor:
    """[B, n] to [B * D, n]: what a patient has, every slice has."""
    return per_patient[:, None].expand(-1, depth, -1).flatten(0, 1)


class SliceMean(nn.Module):
    """Mean over slices."""

    def forward(self, v: Tensor) -> Tensor:
        """[B, D, C] to [B, C]."""
        return v.mean(1)


class SliceAttention(nn.Module):
    """sum_d a_d v_d with a = softmax_d(w . tanh(V v_d)) (Ilse et al., arXiv:1802.04712); the plain mean before training.

    It sees the image alone, so that what the record does stays in MMA and the fusion.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, ATTENTION_WIDTH)
        self.score = nn.Linear(ATTENTION_WIDTH, 1, bias=False)
        nn.init.zeros_(self.score.weight)

    def forward(self, v: Tensor) -> Tensor:
        """[B, D, C] to [B, C]."""
        share = self.score(torch.tanh(self.hidden(v))).softmax(dim=1)
        pooled: Tensor = (share * v).sum(1)
        return pooled


def make_slice_pooling(kind: SlicePooling, width: int) -> nn.Module:
    """The configured pooling of slice vectors of so many channels."""
    return SliceAttention(width) if kind == "attention" else SliceMean()
