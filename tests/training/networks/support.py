"""Small networks and records that the tests of this folder share."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from app.ehr.schema import Feature
from training.features import unitless
from training.networks.config import (
    BackboneConfig,
    BackboneName,
    EhrConfig,
    GmuConfig,
    MmaConfig,
    ModelConfig,
)

SHAPE = (6, 17, 15)
BACKBONES: Sequence[BackboneName] = get_args(BackboneName)
LARGE = (20, 33, 35)
"""Voxels that leave DenseNet a cell: it halves five times and rounds down."""


def number(name: str) -> Feature:
    return unitless(name, -1e6, 1e6)


def category(name: str, *levels: str) -> Feature:
    return Feature(
        name=name,
        title=name,
        kind="categorical",
        loinc=None,
        unit=None,
        plausible_range=None,
        categories=levels,
        required=False,
    )


FEATURES: Sequence[Feature] = (
    number("age"),
    category("sex", "female", "male"),
    number("glucose"),
    category("place", "lobar", "deep", "infratentorial"),
)


def small(fusion: str = "mhgmu", mma: MmaConfig | None = None, ehr: EhrConfig | None = None) -> ModelConfig:
    """A 3D network of a few thousand parameters."""
    off = MmaConfig(spatial="none", channel=False)
    gates = MmaConfig(stages=(1, 2), kernel=(3, 3, 3))
    return ModelConfig(
        fusion=fusion,
        backbone=BackboneConfig(widths=(8, 8, 16, 16), stem_kernel=(3, 3, 3)),
        ehr=ehr or EhrConfig(width=16),
        mma=mma or (off if fusion in {"image", "record"} else gates),
        gmu=GmuConfig(width=16, heads=4),
    )


def on(name: BackboneName, dims: Literal[2, 3] = 3, config: ModelConfig | None = None) -> ModelConfig:
    """A configuration on another backbone, of few channels, with gates after stages 2 and 3."""
    base = config or small()
    backbone = BackboneConfig(
        depth=name,
        widths=(8, 8, 16, 16),
        width_multiplier=0.125,
        spatial_dims=dims,
        stem_kernel=(3,) * dims,
        stem_stride=(1, 2, 2)[3 - dims :],
    )
    return replace(base, backbone=backbone, mma=replace(base.mma, stages=(2, 3), kernel=(3,) * dims))


def wake(module: nn.Module, scale: float = 0.3) -> None:
    """Give every parameter that starts at zero a value, so that a gate is a gate."""
    for parameter in module.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=scale)


def batch(count: int = 3, shape: Sequence[int] = SHAPE) -> tuple[Tensor, Tensor, Tensor]:
    """CT-like images [B, 1, *S], records [B, F] and their flags, a few of them set."""
    image = 60 + 40 * torch.randn(count, 1, *shape)
    values = torch.randn(count, len(FEATURES)) * 3
    values[:, 1], values[:, 3] = torch.randint(0, 2, (count,)), torch.randint(0, 3, (count,))
    missing = (torch.rand(count, len(FEATURES)) < 0.2).float()
    return image, values, missing
