"""The neural rows of the model table: one base configuration, with parts switched on and off and nothing else changed."""

from training.networks.config import ModelConfig
from training.networks.rivals import RIVALS

Row = str
ROWS: tuple[Row, ...] = tuple(RIVALS)
"""In the order of the model table; each is a file of `training.networks.rivals`."""


def row(base: ModelConfig, name: Row) -> ModelConfig:
    """One row of the model table.

    Args:
        base: The full model; its gates are what the rows with gates use.
        name: One of `ROWS`; `mma-noehr` and `mma` fuse by concatenation, so that they differ from `concat` in the gates alone.
    """
    return RIVALS[name].configure(base)
