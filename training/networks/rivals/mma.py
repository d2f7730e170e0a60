"""Row 11, MMA alone: gates guided by the record, and concatenation."""

from training.networks.mma import Mma
from training.networks.rivals.rival import Rival, gated

RIVAL = Rival("mma", 11, "MMA", lambda base: gated(base, "concat"), gate=Mma)
