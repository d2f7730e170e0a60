"""Row 12, the multi-head gated multimodal unit without attention."""

from training.networks.gmu import MultiHeadGmu
from training.networks.rivals.rival import Rival, ungated

RIVAL = Rival("mhgmu", 12, "MH-GMU", lambda base: ungated(base, "mhgmu"), fusion=MultiHeadGmu)
