"""The rows of the model table: one base configuration, with parts switched on and off and nothing else changed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, get_args

from training.networks.config import Fusion, ModelConfig, Spatial

Row = Literal[
    "record", "image", "late", "concat", "gmu", "mma-noehr", "mma", "mma-spatial", "mhgmu", "mma+mhgmu"
]
ROWS: tuple[Row, ...] = get_args(Row)


def row(base: ModelConfig, name: Row) -> ModelConfig:
    """One row of the model table.

    Args:
        base: The full model; its gates are what the rows with MMA use.
        name: Row; `mma-noehr` and `mma` fuse by concatenation, so that they differ from `concat` in the gates alone.
    """
    rows: dict[Row, Callable[[], ModelConfig]] = {
        "record": lambda: _ungated(base, "record"),
        "image": lambda: _ungated(base, "image"),
        "late": lambda: _ungated(base, "late"),
        "concat": lambda: _ungated(base, "concat"),
        "gmu": lambda: _ungated(base, "gmu"),
        "mhgmu": lambda: _ungated(base, "mhgmu"),
        "mma-noehr": lambda: replace(base, fusion="concat", mma=replace(base.mma, use_ehr=False)),
        "mma": lambda: replace(base, fusion="concat"),
        "mma-spatial": lambda: replace(base, fusion="concat", mma=replace(base.mma, channel=False)),
        "mma+mhgmu": lambda: replace(base, fusion="mhgmu"),
    }
    return rows[name]()


def _ungated(base: ModelConfig, fusion: Fusion) -> ModelConfig:
    off: Spatial = "none"
    return replace(base, fusion=fusion, mma=replace(base.mma, spatial=off, channel=False))
