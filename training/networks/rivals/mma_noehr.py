"""Row 10, control of the record in attention: MMA with the record's code replaced by a learned constant.

Against row 11 it tells "the record helps attention" from "attention helps".
"""

from training.networks.rivals.rival import Rival, gated

RIVAL = Rival("mma-noehr", 10, "MMA without the record", lambda base: gated(base, "concat", use_ehr=False))
