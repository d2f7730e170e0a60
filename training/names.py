"""What the command line names: rows, worlds, precisions. Apart from what defines them, as that takes seconds to load; tests compare."""

from typing import Final, Literal

FULL: Final = "mma+mhgmu"
"""What the paper proposes; trained when no row is named."""
TABULAR: Final = ("prevalence", "ich-score", "func", "ehr-lr", "ehr-gbm", "reading-lr")
"""Rows without a network (`training.tabular`), in the order of the model table."""
NETWORKS: Final = (
    "record", "image", "late", "concat", "gmu", "gmu-wide", "film", "daft", "tabattention", "cbam",
    "mma-noehr", "mma", "mma-spatial", "mhgmu", FULL, "mma+mhgmu-unguided",
)  # fmt: skip
"""Rows with one (`training.networks.rivals`), which follow."""

WorldName = Literal["graded", "xor", "places", "silent"]
"""Of `training.worlds.planted`."""
RANDOM: Final = "random"
"""The graded world with outcomes drawn anew."""

Spatial = Literal["dot", "prior", "softmax", "none"]
"""Equation of the spatial gate (`training.networks.config.MmaConfig`)."""
Precision = Literal["float32", "float16"]
"""Of the arithmetic inside a graph; what enters and leaves it is float32 in any case."""

SEEDS: Final = 2**32
"""Seeds are whole numbers below this one: NumPy's generators take no others."""
