"""Row 9, after TabAttention (Grzeszczyk et al., MICCAI 2023): CBAM whose two gates also take an embedding of the record.

The published spatial embedding is a linear layer onto every position, which ties it to one image size; here it is a grid of
four cells per axis stretched over the map. Its temporal gate is for videos and is left out. The head is that of the
other rows with gates: concatenation.
"""

from torch import Tensor, nn

from training.networks.config import MmaConfig
from training.networks.lattice import spread
from training.networks.mma import Gated
from training.networks.rivals.cbam import Cbam
from training.networks.rivals.rival import Rival, gated

CELLS = 4


class TabAttention(Cbam):
    """Mc = sigmoid(MLP(GAP F) + MLP(GMP F) + MLP(Ec e)), Ms = sigmoid(conv([mean_c F ; max_c F ; Es e]))."""

    def __init__(self, channels: int, record_width: int, config: MmaConfig) -> None:
        super().__init__(channels, config, more=1)
        self.grid = (CELLS,) * len(config.kernel)
        self.channels = nn.Linear(record_width, channels)
        self.places = nn.Linear(record_width, CELLS ** len(config.kernel))

    def forward(self, features: Tensor, e: Tensor) -> Gated:
        """Gate features [B, C, *S] by the record's code e [B, de]."""
        places = spread(self.places(e).unflatten(1, (1, *self.grid)), features.shape[2:])
        return self.attend(features, [self.mlp(self.channels(e))], [places])


RIVAL = Rival(
    "tabattention", 9, "TabAttention and concatenation", lambda base: gated(base, "concat", "tabattention"), gate=TabAttention
)  # fmt: skip
