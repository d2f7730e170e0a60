"""Gated multimodal units: one gate (arXiv:1702.01992), and several gates, each in a subspace of its own.

If every head's vector gate read the whole [v; e] and heads were concatenated, H heads would be exactly one unit of the
joint width and "multi-head" an empty word. Here a head's gate reads its own subspace only.
"""

import torch
from torch import Tensor, nn

from training.networks.config import GmuConfig
from training.networks.fusion import Fused, Fusion


class Gmu(Fusion):
    """h = z * tanh(Wv v + bv) + (1 - z) * tanh(We e + be), z = sigmoid(Wz [v; e] + bz)."""

    def __init__(self, image_width: int, record_width: int, config: GmuConfig) -> None:
        super().__init__(config.width, heads=1)
        self.image = nn.Linear(image_width, config.width)
        self.record = nn.Linear(record_width, config.width)
        self.gate = nn.Linear(image_width + record_width, 1 if config.gate == "scalar" else config.width)
        nn.init.zeros_(self.gate.bias)

    def forward(self, v: Tensor, e: Tensor) -> Fused:
        """Fuse image vector v [B, dv] and record code e [B, de].

        Returns:
            h [B, d], and the image's share of the mixture [B, 1].
        """
        z = torch.sigmoid(self.gate(torch.cat([v, e], dim=1)))
        h = z * torch.tanh(self.image(v)) + (1 - z) * torch.tanh(self.record(e))
        return h, z.mean(dim=1, keepdim=True)


class HeadwiseLinear(nn.Module):
    """One linear layer per head, none of which sees another head's input: [B, H, n] to [B, H, m]."""

    def __init__(self, heads: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = inputs**-0.5  # nn.Linear's own rule
        self.weight = nn.Parameter(torch.empty(heads, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(heads, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Apply each head's layer to its own slice."""
        return torch.einsum("bhi,hio->bho", x, self.weight) + self.bias


class MultiHeadGmu(Fusion):
    """H gated units side by side in learned subspaces of width d / H, mixed by one output layer."""

    def __init__(self, image_width: int, record_width: int, config: GmuConfig) -> None:
        super().__init__(config.width, config.heads)
        width = config.width // config.heads
        self.image_subspaces = nn.Linear(image_width, config.width, bias=False)
        self.record_subspaces = nn.Linear(record_width, config.width, bias=False)
        # Group normalisation with one group per head is layer normalisation inside each subspace.
        self.image_norm: nn.Module = nn.GroupNorm(config.heads, config.width)
        self.record_norm: nn.Module = nn.GroupNorm(config.heads, config.width)
        self.image = HeadwiseLinear(config.heads, width, width)
        self.record = HeadwiseLinear(config.heads, width, width)
        self.gate = HeadwiseLinear(config.heads, 2 * width, 1 if config.gate == "scalar" else width)
        self.mix = nn.Linear(config.width, config.width)
        self.norm: nn.Module = nn.LayerNorm(config.width)

    def forward(self, v: Tensor, e: Tensor) -> Fused:
        """Fuse image vector v [B, dv] and record code e [B, de].

        Returns:
            h [B, d], and each head's image share r_i = mean(z_i) [B, H]: a share of the mixture, not an importance.
        """
        vi = self._split(self.image_norm(self.image_subspaces(v)))
        ei = self._split(self.record_norm(self.record_subspaces(e)))
        z = self.gates(vi, ei)
        mixed = z * torch.tanh(self.image(vi)) + (1 - z) * torch.tanh(self.record(ei))
        return self.norm(self.mix(mixed.flatten(1))), z.mean(dim=2)

    def gates(self, vi: Tensor, ei: Tensor) -> Tensor:
        """Gate z [B, H, d/H or 1] from the subspaces [B, H, d/H]."""
        return torch.sigmoid(self.gate(torch.cat([vi, ei], dim=2)))

    def _split(self, x: Tensor) -> Tensor:
        # Neither len(x) nor view(B, ..., -1): the exporter would take the batch size for a constant.
        return x.view(x.shape[0], self.heads, x.shape[1] // self.heads)
