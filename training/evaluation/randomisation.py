"""Cascading randomisation of weights, from the head backwards (Adebayo et al. 2018, arXiv:1810.03292).

A map that stays as it was while the weights it should depend on are destroyed is an edge detector, not an explanation. Attention
is made before the fusion and the head, so their weights cannot move it, by construction: the curve stays at 1 until the
first gate, which is a statement about what an attention map is, not a failure.

Weights are destroyed by shuffling each tensor's entries. Drawing them anew, as the paper does, would set the gates to
their own start, which is the identity, and an even map; shuffled, they keep their scale and lose what they learnt.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from training.evaluation.attention_maps import AttentionMaps, Subjects, attention_maps, rank_correlation, ssim
from training.evaluation.document import Curve
from training.evaluation.intervals import mean_metrics
from training.evaluation.network_maps import Cases
from training.networks.config import STAGES
from training.networks.model import FusionNet

NOTHING = "nothing"


@dataclass(frozen=True)
class Part:
    """Modules that are randomised together.

    Attributes:
        name: In words.
        modules: Paths within the network of the modules that own the weights.
    """

    name: str
    modules: tuple[str, ...]


@dataclass(frozen=True)
class Cascade:
    """Likeness with the trained maps after each step; the first step is the trained network itself.

    Attributes:
        randomised: What each step adds.
        ssim: Steps to mean SSIM, with its 95 % interval over cases.
        rank: The same with Spearman's correlation.
    """

    randomised: tuple[str, ...]
    ssim: Curve
    rank: Curve


def randomise_in_cascade(
    net: FusionNet, subjects: Subjects, trained: AttentionMaps, cases: Cases, seed: int = 0
) -> Cascade:
    """Destroy the network part by part, from the answer backwards, and follow its attention.

    Args:
        net: With a spatial gate, in evaluation mode; left as it is.
        subjects: Cases to follow.
        trained: Their maps.
        cases: Any batch, to see in which order the parts run.
        seed: Decides the shuffling.
    """
    parts = parts_backwards(net, cases)
    generator = torch.Generator().manual_seed(seed)
    ruined = copy.deepcopy(net)
    alike = [(ssim(trained.served, trained.served), rank_correlation(trained.attention, trained.attention))]
    for part in parts:
        shuffle_weights(ruined, part, generator)
        now = attention_maps(ruined, subjects)
        alike.append((ssim(trained.served, now.served), rank_correlation(trained.attention, now.attention)))
    return Cascade(
        randomised=(NOTHING, *(part.name for part in parts)),
        ssim=_curve([one for one, _ in alike]),
        # An even map is like nothing.
        rank=_curve([np.nan_to_num(two) for _, two in alike]),
    )


def parts_backwards(net: FusionNet, cases: Cases) -> tuple[Part, ...]:
    """Parts of the network in reverse order of execution, whatever the backbone: its stages are what runs between gates."""
    gates = [int(stage) for stage in net.mma]
    found: dict[str, list[str]] = {}
    executed = _executed(net, cases)
    # Some weights are read without running the module that owns them, such as an embedding's.
    idle = [path for path in _owners(net) if path not in executed]
    for path in [*executed, *idle]:
        passed = sum(f"attention after stage {gate}" in found for gate in gates) if path in executed else 0
        found.setdefault(_part_name(path, passed, gates), []).append(path)
    return tuple(Part(name, tuple(paths)) for name, paths in reversed(found.items()))


def _part_name(path: str, passed: int, gates: Sequence[int]) -> str:
    """The part that a module belongs to, after so many gates."""
    top, _, rest = path.partition(".")
    if top == "mma":
        return f"attention after stage {rest.partition('.')[0]}"
    if top == "backbone":
        return _stages_in_words(passed, gates)
    return {"ehr": "record encoder", "slices": "pooling of slices", "inner": "inner modulation"}.get(top, top)


def _owners(net: FusionNet) -> list[str]:
    """Paths of the modules that own weights."""
    return [
        path for path, module in net.named_modules() if any(True for _ in module.parameters(recurse=False))
    ]


def _executed(net: FusionNet, cases: Cases) -> list[str]:
    """Paths of the modules that own weights, in the order in which they first run."""
    order: dict[str, None] = {}
    handles = []
    for path in _owners(net):

        def note(_: nn.Module, __: Any, path: str = path) -> None:  # noqa: ANN401 - torch's hook signature
            order.setdefault(path)

        handles.append(net.get_submodule(path).register_forward_pre_hook(note))
    try:
        with torch.no_grad():
            net(cases.image[:1], cases.values[:1], cases.missing[:1])
    finally:
        for handle in handles:
            handle.remove()
    return list(order)


def _stages_in_words(passed: int, gates: Sequence[int]) -> str:
    first = gates[passed - 1] + 1 if passed else 1
    last = gates[passed] if passed < len(gates) else STAGES
    return f"backbone stage {last}" if first == last else f"backbone stages {first} to {last}"


@torch.no_grad()
def shuffle_weights(net: nn.Module, part: Part, generator: torch.Generator) -> None:
    """Permute the entries of every weight that the part's modules own, in place."""
    for path in part.modules:
        for parameter in net.get_submodule(path).parameters(recurse=False):
            order = torch.randperm(parameter.numel(), generator=generator)
            parameter.copy_(parameter.flatten()[order.to(parameter.device)].view(parameter.shape))


def _curve(steps: Sequence[np.ndarray]) -> Curve:
    metrics = [mean_metrics({"likeness": each})[0] for each in steps]
    return Curve(
        x=tuple(float(step) for step in range(len(steps))),
        y=tuple(metric.value for metric in metrics),
        low=tuple(metric.low for metric in metrics),
        high=tuple(metric.high for metric in metrics),
    )
