"""Heads drawn as ellipsoids with a bright lesion, and small untrained networks to look at them."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float32

from app.imaging.model_grid import ModelGrid
from app.imaging.volume import Modality
from tests.training.networks.support import FEATURES, small, wake
from training.checkpoint import Checkpoint
from training.config import GuidanceConfig, RunConfig
from training.networks.config import ModelConfig
from training.networks.model import FusionNet
from training.prepare import PreparedSet

SHAPE = (10, 25, 21)
TISSUE, LESION, AIR = 35.0, 70.0, -1024.0
GRID = ModelGrid(
    modality=Modality.CT,
    shape=SHAPE,
    spacing_mm=(14.0, 9.0, 8.0),
    orientation="RAS",
    crop="head-top",
    channels=1,
    intensity_unit="HU",
    fill=AIR,
)


def ball(centre: tuple[float, ...], radius: tuple[float, ...]) -> Bool[np.ndarray, "D H W"]:
    places = np.moveaxis(np.indices(SHAPE), 0, -1)
    inside: np.ndarray = (((places - np.array(centre)) / np.array(radius)) ** 2).sum(axis=-1) <= 1
    return inside


HEAD = ball((4.5, 12.0, 10.0), (4.0, 10.0, 8.0))
SPOT = ball((5.0, 14.0, 14.0), (1.2, 3.0, 2.5))


def head_image(lesion: Bool[np.ndarray, "D H W"] = SPOT) -> Float32[np.ndarray, "D H W"]:
    """A head of even tissue on the model grid, the lesion in it."""
    return np.where(lesion, LESION, np.where(HEAD, TISSUE, AIR)).astype(np.float32)


def prepared(folder: Path, count: int, *, masks: bool = True, seed: int = 0) -> PreparedSet:
    """Noisy heads with lesions in different places; each outcome occurs."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        spot = ball((rng.uniform(3, 6), rng.uniform(8, 16), rng.uniform(6, 14)), (1.2, 3.0, 2.5))
        image = head_image(spot) + rng.normal(0, 3, SHAPE)
        np.save(folder / f"{number}.image.npy", image.astype(np.float32))
        np.save(folder / f"{number}.mask.npy", (255 * spot).astype(np.uint8))
    values = rng.normal(0, 2, (count, len(FEATURES))).astype(np.float32)
    values[:, 1], values[:, 3] = rng.integers(0, 2, count), rng.integers(0, 3, count)
    return PreparedSet(
        images=tuple(folder / f"{number}.image.npy" for number in range(count)),
        masks=tuple(folder / f"{number}.mask.npy" if masks else None for number in range(count)),
        values=values,
        missing=np.zeros_like(values),
        labels=np.arange(count) % 5,
        true_probability=np.full(count, np.nan, dtype=np.float32),
    )


def untrained(config: ModelConfig | None = None, seed: int = 0) -> Checkpoint:
    """A small network whose gates are awake, so that its maps are not even."""
    torch.manual_seed(seed)
    net = FusionNet(config or small(), FEATURES)
    wake(net)
    run = RunConfig(
        name="gos", task="gos", seed=seed, grid=GRID, model=net.config, guidance=GuidanceConfig(labels=(1,))
    )
    return Checkpoint(net=net.eval(), config=run, features=tuple(FEATURES), epoch=1)
