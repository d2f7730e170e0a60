"""What a file of this folder defines."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import nn

from training.networks.config import GmuConfig, MmaConfig, ModelConfig
from training.networks.fusion import Fusion

FusionFactory = Callable[[int, int, GmuConfig], Fusion]
"""(image width, record width, config) -> fusion."""
GateFactory = Callable[[int, int, MmaConfig], nn.Module]
"""(channels, record width, config) -> module (features [B, C, *S], e [B, de]) -> `Gated`, one per chosen stage."""
InnerFactory = Callable[[int, int], nn.Module]
"""(channels, record width) -> module (features [B, C, *S], e [B, de]) -> features, at the backbone's `inner_norm`."""


@dataclass(frozen=True)
class Rival:
    """One row of the model table.

    Attributes:
        name: As on the command line and in tables of results.
        number: Row of the model table; several rows may share one.
        title: In words, for people.
        configure: The row's configuration, made of the full model's.
        fusion: Fusion that the file brings, known to `ModelConfig.fusion` by the rival's name.
        gate: Gate after stages that the file brings, known to `ModelConfig.modulation`.
        inner: Modulation inside the network that the file brings, known to `ModelConfig.modulation`.
    """

    name: str
    number: int
    title: str
    configure: Callable[[ModelConfig], ModelConfig]
    fusion: FusionFactory | None = None
    gate: GateFactory | None = None
    inner: InnerFactory | None = None


def ungated(base: ModelConfig, fusion: str, modulation: str = "mma") -> ModelConfig:
    """The base with this fusion and no gate after any stage."""
    off = replace(base.mma, spatial="none", channel=False)
    return replace(base, fusion=fusion, modulation=modulation, mma=off)


def gated(
    base: ModelConfig,
    fusion: str,
    modulation: str = "mma",
    *,
    use_ehr: bool = True,
    channel: bool | None = None,
) -> ModelConfig:
    """The base with this fusion and these gates after the stages it names; `channel` None leaves that gate as it is."""
    channel = base.mma.channel if channel is None else channel
    mma = replace(base.mma, use_ehr=use_ehr, channel=channel)
    return replace(base, fusion=fusion, modulation=modulation, mma=mma)
