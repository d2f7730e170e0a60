"""Row 6, control of the heads: a single gated unit so wide that it has the parameters of the multi-head one."""

from dataclasses import replace

from training.networks.config import GmuConfig
from training.networks.gmu import Gmu, MultiHeadGmu
from training.networks.rivals.rival import Rival, ungated


def wide_gmu(image_width: int, record_width: int, config: GmuConfig) -> Gmu:
    """A `Gmu` whose parameter count is the nearest to that of `MultiHeadGmu` of the same config."""
    several = MultiHeadGmu(image_width, record_width, config)
    aim = sum(parameter.numel() for parameter in several.parameters())
    # Three layers that read v, e and [v ; e]; a scalar gate's layer has one row whatever the width.
    both = image_width + record_width
    per_column, fixed = (2 * both + 3, 0) if config.gate == "vector" else (both + 2, both + 1)
    width = max(1, round((aim - fixed) / per_column))
    return Gmu(image_width, record_width, replace(config, width=width, heads=1))


RIVAL = Rival("gmu-wide", 6, "GMU, wide", lambda base: ungated(base, "gmu-wide"), fusion=wide_gmu)
