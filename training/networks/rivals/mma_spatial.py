"""Row 11 without the channel gate: what the spatial gate does by itself."""

from training.networks.rivals.rival import Rival, gated

RIVAL = Rival("mma-spatial", 11, "MMA, spatial gate only", lambda base: gated(base, "concat", channel=False))
