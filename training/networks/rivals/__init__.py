"""The rows of the model table, one file each.

A file defines `RIVAL`: the row's name and number in the table (docs/concepts/method.md), how it follows from the full model's
configuration, and the parts that it brings along: a fusion, a gate after stages, or a modulation inside the network. To
add a rival, add a file, and its name to `training.names`, for `--help`; nothing else changes. Equations are implemented from the papers.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import TypeVar

from training.networks.config import ModelConfig
from training.networks.rivals.rival import FusionFactory, GateFactory, InnerFactory, Rival

__all__ = ["FUSIONS", "GATES", "INNER", "RIVALS", "Rival", "check_parts"]
Factory = TypeVar("Factory", FusionFactory, GateFactory, InnerFactory)


def _found() -> dict[str, Rival]:
    modules = [import_module(f"{__name__}.{entry.name}") for entry in iter_modules(__path__)]
    rivals = [module.RIVAL for module in modules if hasattr(module, "RIVAL")]
    return {rival.name: rival for rival in sorted(rivals, key=lambda rival: (rival.number, rival.name))}


def _parts(part: Callable[[Rival], Factory | None]) -> Mapping[str, Factory]:
    return {name: factory for name, rival in RIVALS.items() if (factory := part(rival))}


RIVALS: Mapping[str, Rival] = _found()
FUSIONS: Mapping[str, FusionFactory] = _parts(lambda rival: rival.fusion)
GATES: Mapping[str, GateFactory] = _parts(lambda rival: rival.gate)
INNER: Mapping[str, InnerFactory] = _parts(lambda rival: rival.inner)


def check_parts(config: ModelConfig) -> None:
    """Refuse a configuration that names a part no rival brings.

    Raises:
        ValueError: Names the part, and those that exist.
    """
    if config.fusion not in FUSIONS:
        raise ValueError(f"unknown fusion {config.fusion!r}, expected one of {sorted(FUSIONS)}")
    if config.modulation not in GATES and config.modulation not in INNER:
        raise ValueError(
            f"unknown modulation {config.modulation!r}, expected one of {sorted([*GATES, *INNER])}"
        )
