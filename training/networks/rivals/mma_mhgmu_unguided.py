"""Row 13, control of the masks: the full model trained on the outcome alone, also where lesion masks could guide its gates.

Against the full model it tells what mask guidance adds; against the rivals without gates, which no mask can guide, what is left without it.
"""

from dataclasses import replace

from training.networks.config import ModelConfig
from training.networks.rivals.rival import Rival, gated


def _configure(base: ModelConfig) -> ModelConfig:
    full = gated(base, "mhgmu")
    return replace(full, mma=replace(full.mma, guided=False))


RIVAL = Rival("mma+mhgmu-unguided", 13, "MMA and MH-GMU without mask guidance", _configure)
