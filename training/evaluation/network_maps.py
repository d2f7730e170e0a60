"""The maps of a network for a batch of cases, all from one pass, on their own cells and on the model grid."""

from collections.abc import Iterator, Sequence, Sized
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from training.evaluation.grad_cam import grad_cam, predicted_class_log_odds, watched
from training.networks.attention import relative_heatmap
from training.networks.config import STAGES
from training.networks.effect import ehr_effect_map
from training.networks.lattice import Lattice, resample
from training.networks.model import FusionNet
from training.prepare import PreparedSet

ATTENTION = "Attention (as served)"
RECORD_EFFECT = "Record effect"
GRAD_CAM_LAST = "Grad-CAM, last stage"
GRAD_CAM_FINEST = "Grad-CAM, finest gated stage"
FLAT = 2
REFERENCES = 32
"""Training records that the record effect is taken against."""


@dataclass(frozen=True)
class Cases:
    """Some cases of a split as tensors.

    Attributes:
        index: [B] places in the split.
        image: [B, 1, *S] on the model grid.
        values: [B, F].
        missing: [B, F].
    """

    index: Int64[np.ndarray, " B"]
    image: Tensor
    values: Tensor
    missing: Tensor


@dataclass(frozen=True)
class StageMap:
    """A map on the cells of a stage.

    Attributes:
        cells: [B, D', H', W'].
        lattice: Where they lie on the model grid.
    """

    cells: Tensor
    lattice: Lattice

    def on_model_grid(self, shape: Sequence[int]) -> Tensor:
        """[B, *shape], linear between cells."""
        places = [
            (torch.arange(size, device=self.cells.device, dtype=self.cells.dtype) - start) / step
            for size, step, start in zip(shape, self.lattice.stride, self.lattice.offset, strict=True)
        ]
        return resample(self.cells[:, None], places).squeeze(1)


def batches(
    prepared: PreparedSet, index: Int64[np.ndarray, " N"], size: int, device: torch.device
) -> Iterator[Cases]:
    """Cases of a split, read as they are needed."""
    for start in range(0, len(index), size):
        some = index[start : start + size]
        image = np.stack([prepared.image(int(i)) for i in some])
        yield Cases(
            some,
            torch.from_numpy(image)[:, None].to(device),
            torch.from_numpy(prepared.values[some]).to(device),
            torch.from_numpy(prepared.missing[some]).to(device),
        )


def sample(cases: Sized, count: int, seed: int) -> Int64[np.ndarray, " N"]:
    """Places of `count` of the cases, drawn without replacement, rising; of all where there are no more."""
    count = min(count, len(cases))
    return np.sort(np.random.default_rng(seed).choice(len(cases), count, replace=False))


def finest_lattice(net: FusionNet) -> Lattice:
    """Of the served map; of a network without gates, of the map it would have with them."""
    return net.lattice(min(net.config.mma.stages))


def network_maps(
    net: FusionNet, cases: Cases, references: tuple[Tensor, Tensor] | None = None
) -> tuple[Tensor, dict[str, StageMap]]:
    """Logits [B, L] and maps by name, those that the network has.

    Args:
        net: In evaluation mode, with an image.
        cases: The batch.
        references: Records [R, F] and their flags that the record effect is taken against; None leaves it out.
    """
    maps: dict[str, StageMap] = {}
    gated = next(iter(net.mma.values()), None)
    depth = cases.image.shape[2] if net.config.backbone.spatial_dims == FLAT else None
    with ExitStack() as stack, torch.enable_grad():
        last = stack.enter_context(watched(net.backbone))
        finest = stack.enter_context(watched(gated)) if gated is not None else []
        output = net(cases.image, cases.values, cases.missing)
        score = predicted_class_log_odds(output.logits)
        if net.stage_lattices:
            maps[ATTENTION] = StageMap(relative_heatmap(output.attention.detach()), finest_lattice(net))
        maps[GRAD_CAM_LAST] = StageMap(grad_cam(last[0], score, depth), net.lattice(STAGES))
        if finest:
            maps[GRAD_CAM_FINEST] = StageMap(grad_cam(finest[0], score, depth), finest_lattice(net))
    if references is not None and net.stage_lattices and net.config.mma.use_ehr:
        effect = ehr_effect_map(net, cases.image, cases.values, cases.missing, *references)
        maps[RECORD_EFFECT] = StageMap(effect, finest_lattice(net))
    return output.logits.detach(), maps


def reference_records(train: PreparedSet, seed: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Records of some training patients, for `network_maps`."""
    chosen = sample(train, REFERENCES, seed)
    values, missing = (torch.from_numpy(table[chosen]).to(device) for table in (train.values, train.missing))
    return values, missing
