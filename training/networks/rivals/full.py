"""Row 13, the full model: gates guided by the record, and the multi-head gated multimodal unit."""

from training.networks.rivals.rival import Rival, gated

RIVAL = Rival("mma+mhgmu", 13, "MMA and MH-GMU (full)", lambda base: gated(base, "mhgmu"))
