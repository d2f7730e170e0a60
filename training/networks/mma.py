"""Multi-modal attention: the record helps to choose regions (and channels) of a stage's features.

    MMA(F, e) = F * Gc(F, e) * Gs(F, e),  both gates in (0, 2) and exactly 1 before training

so a pretrained backbone is left intact at step 0. That such a module exists and what it is for is in the abstract of
arXiv:2112.11710; this equation is this project's reading.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.networks.config import MmaConfig
from training.networks.convolution import padded_convolution
from training.networks.lattice import spread
from training.networks.layout import channels_last, store_channels_last

KEY_WIDTH = 64
PRIOR_CELLS = 4
REDUCTION = 16
SMALLEST_HIDDEN = 8


class Gated(NamedTuple):
    """What a gate after a stage returns, whichever rival it belongs to.

    Attributes:
        features: [B, C, *S] gated features.
        logits: [B, 1, *S] spatial logits l; None without a spatial gate.
        gate: [B, 1, *S] spatial gate Gs, for MMA in (0, 2); None without a spatial gate.
    """

    features: Tensor
    logits: Tensor | None
    gate: Tensor | None


class Mma(nn.Module):
    """The module after one stage: channel gate, then spatial gate, as CBAM (arXiv:1807.06521) orders them."""

    def __init__(self, channels: int, record_width: int, config: MmaConfig) -> None:
        super().__init__()
        self.channel = ChannelGate(channels, record_width) if config.channel else None
        self.spatial = SpatialGate(channels, record_width, config) if config.spatial != "none" else None
        # MMA-noEHR: the same parameters, fed with one constant. Not zero: with Wq at zero it could never leave it.
        self.constant = None if config.use_ehr else nn.Parameter(torch.randn(record_width))

    def forward(self, features: Tensor, e: Tensor) -> Gated:
        """Gate features [B, C, *S] by the record's code e [B, de]."""
        if self.constant is not None:
            e = self.constant.expand(features.shape[0], -1)
        if self.channel is not None:
            features = features * self.channel(features, e)
        if self.spatial is None:
            return Gated(features, None, None)
        logits, gate = self.spatial(features, e)
        return Gated(features * gate, logits, gate)


class ChannelGate(nn.Module):
    """Gc = 2 sigmoid(MLP([GAP F ; We e]) + MLP([GMP F ; We e])), [B, C, 1...]."""

    def __init__(self, channels: int, record_width: int) -> None:
        super().__init__()
        hidden = max(channels // REDUCTION, SMALLEST_HIDDEN)
        self.record = nn.Linear(record_width, record_width)
        self.hidden = nn.Linear(channels + record_width, hidden)
        self.out = nn.Linear(hidden, channels)
        _zero(self.out)

    def forward(self, features: Tensor, e: Tensor) -> Tensor:
        """The gate of each channel."""
        flat, code = features.flatten(2), self.record(e)
        average, peak = (self._mlp(pooled, code) for pooled in (flat.mean(2), flat.amax(2)))
        gate = 2 * torch.sigmoid(average + peak)
        return gate.view(*gate.shape, *[1] * (features.dim() - 2))

    def _mlp(self, pooled: Tensor, code: Tensor) -> Tensor:
        out: Tensor = self.out(functional.gelu(self.hidden(torch.cat([pooled, code], dim=1))))
        return out


class SpatialGate(nn.Module):
    """l = <Wq e, LN(Wk F)> / sqrt(da) + conv([mean_c F ; max_c F]), and the gate made of it."""

    def __init__(self, channels: int, record_width: int, config: MmaConfig) -> None:
        super().__init__()
        self.kind, dims = config.spatial, len(config.kernel)
        width = min(KEY_WIDTH, channels // 4)
        self.key = nn.Linear(channels, width)  # a 1x1 convolution, on channels-last features
        self.key_norm = nn.LayerNorm(width)
        self.query = nn.Linear(record_width, width, bias=False)
        self.image = padded_convolution(2, 1, config.kernel)
        _zero(self.image)
        store_channels_last(self.image)
        _zero(self.query)
        if self.kind == "softmax":
            self.gamma = nn.Parameter(torch.ones(()))
        if self.kind == "prior":
            self.grid = (PRIOR_CELLS,) * dims
            self.prior = nn.Linear(record_width, PRIOR_CELLS**dims)
            _zero(self.prior)

    def forward(self, features: Tensor, e: Tensor) -> tuple[Tensor, Tensor]:
        """Logits l and gate Gs, both [B, 1, *S]."""
        logits = self._match(features, e) + self._look(features)
        if self.kind == "prior":
            logits = logits + spread(self.prior(e).unflatten(1, (1, *self.grid)), features.shape[2:])
        return logits, self._gate(logits)

    def _match(self, features: Tensor, e: Tensor) -> Tensor:
        """<q, k_p> / sqrt(da): depends on what is at p and on the record."""
        keys = self.key_norm(self.key(features.movedim(1, -1)))
        query = self.query(e) * keys.shape[-1] ** -0.5
        # Not view(B, ..., -1): the exporter would take B for a constant.
        query = query[(slice(None), *[None] * (features.dim() - 2))]
        logits: Tensor = (keys * query).sum(-1).unsqueeze(1)
        return logits

    def _look(self, features: Tensor) -> Tensor:
        """CBAM's term, which sees the image alone."""
        pooled = torch.cat([features.mean(1, keepdim=True), features.amax(1, keepdim=True)], dim=1)
        term: Tensor = self.image(channels_last(pooled))
        return term

    def _gate(self, logits: Tensor) -> Tensor:
        if self.kind != "softmax":
            return 2 * torch.sigmoid(logits)
        # Never negative: the gate would be low where l is high, and every map made of l upside down.
        share = logits.flatten(2).softmax(dim=2).view(logits.shape) * logits[0].numel()
        return 1 + self.gamma.clamp(min=0) * (share - 1)


def _zero(layer: nn.Module) -> None:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
