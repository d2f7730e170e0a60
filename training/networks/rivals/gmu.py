"""Row 6, the gated multimodal unit (arXiv:1702.01992): one gate over all of [v ; e]."""

from training.networks.gmu import Gmu
from training.networks.rivals.rival import Rival, ungated

RIVAL = Rival("gmu", 6, "GMU", lambda base: ungated(base, "gmu"), fusion=Gmu)
