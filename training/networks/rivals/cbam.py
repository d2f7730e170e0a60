"""Row 10, CBAM (arXiv:1807.06521): channel and spatial attention from the image alone, with the record concatenated.

This is the published module: gates in (0, 1) that do not start as the identity. `mma_noehr` is the control with MMA's own
equations and parameters.
"""

import torch
from torch import Tensor, nn

from training.networks.config import MmaConfig
from training.networks.convolution import padded_convolution
from training.networks.layout import channels_last, store_channels_last
from training.networks.mma import Gated
from training.networks.rivals.rival import Rival, gated

REDUCTION = 16
SMALLEST_HIDDEN = 8


class Cbam(nn.Module):
    """F * Mc * Ms, Mc = sigmoid(MLP(GAP F) + MLP(GMP F)), Ms = sigmoid(conv([mean_c F ; max_c F ; more]))."""

    def __init__(self, channels: int, config: MmaConfig, more: int = 0) -> None:
        super().__init__()
        hidden = max(channels // REDUCTION, SMALLEST_HIDDEN)
        self.mlp = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))
        self.conv = padded_convolution(2 + more, 1, config.kernel)
        self.use_channel, self.use_spatial = config.channel, config.spatial != "none"
        store_channels_last(self.conv)

    def forward(self, features: Tensor, e: Tensor) -> Gated:  # noqa: ARG002 - one signature for all gates
        """Gate features [B, C, *S]; the record is not looked at."""
        return self.attend(features, [], [])

    def attend(self, features: Tensor, channel_terms: list[Tensor], maps: list[Tensor]) -> Gated:
        """Both gates, with further summands [B, C] of the channel logits and further maps [B, 1, *S] to convolve."""
        if self.use_channel:
            flat = features.flatten(2)
            logits = sum([self.mlp(flat.amax(2)), *channel_terms], start=self.mlp(flat.mean(2)))
            features = features * torch.sigmoid(logits)[(..., *[None] * (features.dim() - 2))]
        if not self.use_spatial:
            return Gated(features, None, None)
        pooled = torch.cat([features.mean(1, keepdim=True), features.amax(1, keepdim=True), *maps], dim=1)
        logits = self.conv(channels_last(pooled))
        gate = torch.sigmoid(logits)
        return Gated(features * gate, logits, gate)


RIVAL = Rival(
    "cbam",
    10,
    "CBAM and concatenation",
    lambda base: gated(base, "concat", "cbam", use_ehr=False),
    gate=lambda channels, record_width, config: Cbam(channels, config),  # noqa: ARG005 - one signature for all gates
)
