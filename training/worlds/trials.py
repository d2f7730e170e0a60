"""Rows of the model table on planted worlds: trained on outcomes alone, judged against what theory says of them.

No mask ever reaches a loss, so wherever attention ends up, the outcome put it there.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from scipy.ndimage import binary_dilation
from sklearn.metrics import roc_auc_score
from torch import Tensor

from training.names import RANDOM, Spatial
from training.networks.config import (
    BackboneConfig,
    EhrConfig,
    GmuConfig,
    HeadConfig,
    MmaConfig,
    ModelConfig,
)
from training.networks.effect import ehr_effect_map
from training.networks.losses import outcome_loss
from training.networks.model import FusionNet, FusionOutput
from training.networks.rows import row
from training.worlds.planted import FEATURES, World, make_world, with_other_blob_named, with_random_labels

TRAINING, HELD_OUT, REFERENCES = 2000, 1000, 32
BATCH, RATE, DECAY, WARMUP = 50, 5e-3, 1e-2, 0.1
ROUNDING = 1e-4
"""Logits below which D_p is float32 rounding, as for gates that never see the record."""


@dataclass(frozen=True)
class Trial:
    """One row trained on one world from one seed.

    Attributes:
        world: Name of the world.
        row: Name of the row.
        seed: Of the first weights and of the order of the images.
        auroc: On images never trained on.
        pointing: Share of those whose attention peaks in the blob the record names, mean of the record as it is and of
            the record naming the other blob; NaN without a spatial gate. An attention that ignores the record cannot exceed 0.5.
        effect: Share of those where the record raises attention in the named blob and lowers it in the other; NaN likewise.
    """

    world: str
    row: str
    seed: int
    auroc: float
    pointing: float
    effect: float


def world_config(spatial: Spatial = "softmax") -> ModelConfig:
    """The full model in small: gates after stage 2, whose cells lie four pixels apart, and no channel gate."""
    return ModelConfig(
        intensity="none",
        backbone=BackboneConfig(
            widths=(16, 16, 32, 32), spatial_dims=2, stem_kernel=(5, 5), stem_stride=(2, 2)
        ),
        ehr=EhrConfig(width=32, dropout=0, feature_dropout=0, record_dropout=0),
        mma=MmaConfig(stages=(2,), kernel=(5, 5), spatial=spatial, channel=False),
        gmu=GmuConfig(width=32, heads=4),
        head=HeadConfig(outcome="binary", dropout=0),
    )


def draw(name: str, count: int, seed: int) -> World:
    """A cohort of a world; of `RANDOM`, one whose outcomes mean nothing."""
    if name == RANDOM:
        return with_random_labels(make_world("graded", count, seed), seed=seed + 1000)
    return make_world(name, count, seed)  # type: ignore[arg-type]


def run_trial(world: str, name: str, seed: int, epochs: int, spatial: Spatial = "softmax") -> Trial:
    """Train a row on 2,000 images of a world and judge it on 1,000 others; both are the same for every seed and row."""
    net = fit(row(world_config(spatial), name), draw(world, TRAINING, seed=1), epochs, seed)
    held_out = draw(world, HELD_OUT, seed=2)
    mapped = bool(net.stage_lattices)
    other = with_other_blob_named(held_out)
    return Trial(
        world,
        name,
        seed,
        auroc(net, held_out),
        (pointing(net, held_out) + pointing(net, other)) / 2 if mapped else np.nan,
        effect_follows_the_record(net, held_out) if mapped else np.nan,
    )


def fit(config: ModelConfig, world: World, epochs: int, seed: int) -> FusionNet:
    """Train on outcomes alone with AdamW and one cycle of the rate."""
    torch.manual_seed(seed)
    net, (image, values, missing) = FusionNet(config, FEATURES).train(), tensors(world)
    target = torch.from_numpy(world.outcome)
    net.fit_statistics(values, missing)
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY, fused=True)
    steps = epochs * (len(target) // BATCH) + 1
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=WARMUP)
    for _ in range(epochs):
        for some in torch.split(torch.randperm(len(target)), BATCH):
            optimizer.zero_grad()
            output = net(image[some], values[some], missing[some])
            torch.autograd.backward(outcome_loss(output.logits, target[some], "binary"))
            optimizer.step()
            schedule.step()
    return net.eval()


def tensors(world: World) -> tuple[Tensor, Tensor, Tensor]:
    """Images as volumes of one slice [N, 1, 1, H, W], records [N, F] and their flags, none set."""
    values = torch.from_numpy(world.values)
    return torch.from_numpy(world.image)[:, :, None], values, torch.zeros_like(values)


@torch.no_grad()
def answer(net: FusionNet, world: World) -> FusionOutput:
    """What a network says of every case."""
    output: FusionOutput = net(*tensors(world))
    return output


def auroc(net: FusionNet, world: World) -> float:
    """Area under the ROC curve."""
    return float(roc_auc_score(world.outcome, answer(net, world).logits[:, 0]))


def pointing(net: FusionNet, world: World) -> float:
    """Share of images whose attention peaks in a cell that touches the named blob; chance is 0.16.

    Cells lie four pixels apart, so the one of the peak reaches two pixels to either side. A neighbour of the blob's cells sees
    the blob as well as they do, and an outcome alone gives no reason to prefer one: misses are mostly such neighbours.
    """
    attention, stride = answer(net, world).attention[:, 0], net.stage_lattices[0].stride[1:]
    cells = np.unravel_index(attention.flatten(1).argmax(1).numpy(), attention.shape[1:])
    down, across = (index * step for index, step in zip(cells, stride, strict=True))
    every = np.arange(len(world.named))
    named = world.blobs[every, world.named]
    reach = np.ones((1, stride[0] + 1, stride[1] + 1), dtype=np.bool_)
    return float(binary_dilation(named, reach)[every, down, across].mean())


def effect_follows_the_record(net: FusionNet, world: World) -> float:
    """Share of images where D_p is positive in the named blob and negative in the other."""
    inside = effect_in_blobs(net, world)
    return float(((inside[:, 0] > ROUNDING) & (inside[:, 1] < -ROUNDING)).mean())


def effect_in_blobs(net: FusionNet, world: World) -> Float32[np.ndarray, "N 2"]:
    """[N, 2] mean of D_p inside the named blob and inside the other one."""
    image, values, missing = tensors(world)
    effect = ehr_effect_map(net, image, values, missing, values[:REFERENCES], missing[:REFERENCES]).numpy()
    _, down, across = net.stage_lattices[0].stride
    order = np.stack([world.named, 1 - world.named], axis=1)
    blobs = np.take_along_axis(world.blobs, order[..., None, None], axis=1)[:, :, ::down, ::across]
    total, cells = (effect * blobs).sum((2, 3)), blobs.sum((2, 3))
    inside: Float32[np.ndarray, "N 2"] = total / cells
    return inside
