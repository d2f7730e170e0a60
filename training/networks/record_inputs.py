"""The record's tensors, standardised inside the graph; statistics come from training rows and from nowhere else."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from app.ehr.schema import Feature
from training.networks.config import EhrConfig

LIMIT = 5.0
"""Standard deviations beyond which a value says no more."""
Limits = tuple[float, float]
"""Lowest and highest number that is told from others, in the feature's unit."""
SMALLEST_SD = 1e-6
"""Below it all values are the same one, but for rounding."""


class RecordInputs(NamedTuple):
    """A standardised record.

    Attributes:
        numbers: [B, n] z-scores clipped to +-5; 0 where missing.
        known: [B, n] 1 where a number is known.
        levels: [B, c] integer row of each categorical feature: 0 missing, 1.. the schema's categories.
    """

    numbers: Tensor
    known: Tensor
    levels: Tensor


class Standardise(nn.Module):
    """Tensors of the ONNX contract (values, missing) to `RecordInputs`.

    What no training row held - a feature never observed or of one value in all of them, a level never seen - has untrained
    weights, so it is treated as missing. Before `fit_statistics` all is taken as seen, with mean 0 and standard deviation 1.
    """

    numeric: Tensor
    categorical: Tensor
    skewed: Tensor
    mean: Tensor
    sd: Tensor
    observed: Tensor
    seen: Tensor

    def __init__(self, features: Sequence[Feature], config: EhrConfig) -> None:
        super().__init__()
        numbers = [feature for feature in features if feature.kind == "numeric"]
        self.level_counts = [len(feature.categories) for feature in features if feature.kind == "categorical"]
        if not features:
            raise ValueError("the record needs at least one feature")
        if unknown := sorted(set(config.log1p) - {feature.name for feature in numbers}):
            raise ValueError(f"log1p names features that are not numeric features of the record: {unknown}")
        self.feature_dropout, self.record_dropout = config.feature_dropout, config.record_dropout
        columns = {
            kind: [i for i, f in enumerate(features) if f.kind == kind] for kind in ("numeric", "categorical")
        }
        self.register_buffer("numeric", torch.tensor(columns["numeric"], dtype=torch.long))
        self.register_buffer("categorical", torch.tensor(columns["categorical"], dtype=torch.long))
        self.register_buffer(
            "skewed", torch.tensor([f.name in config.log1p for f in numbers], dtype=torch.bool)
        )
        self.register_buffer("mean", torch.zeros(len(numbers)))
        self.register_buffer("sd", torch.ones(len(numbers)))
        self.register_buffer("observed", torch.ones(len(numbers), dtype=torch.bool))
        levels = torch.arange(1 + max(self.level_counts, default=0))
        # Row 0 of an embedding stands for missing; [c, 1 + most levels].
        self.register_buffer("seen", levels <= torch.tensor(self.level_counts, dtype=torch.long)[:, None])

    @torch.no_grad()
    def fit_statistics(self, values: Tensor, missing: Tensor) -> None:
        """Set mean, standard deviation and seen levels.

        Args:
            values: [N, F] records of the training rows, and of no other.
            missing: [N, F] 1 where missing.
        """
        # In double precision: in single, a feature of one value, such as 250.3, has a mean beside it and so a deviation.
        numbers, known = (each.double() for each in self._numbers(values, missing))
        count = known.sum(0).clamp(min=1)
        mean = (numbers * known).sum(0) / count
        sd = (((numbers - mean).square() * known).sum(0) / count).sqrt()
        self.observed.copy_(sd > SMALLEST_SD)
        self.mean.copy_(mean)
        self.sd.copy_(torch.where(self.observed, sd, 1.0))
        levels = self._levels(values, missing)
        rows = torch.arange(self.seen.shape[1], device=values.device)
        # Row 0, missing, is always legal.
        self.seen.copy_((levels[:, :, None] == rows).any(0) | (rows == 0))

    def limits(self) -> dict[int, Limits]:
        """By column of the record, beyond which numbers none is told from another; twice the mean of a feature that counts as missing."""
        mean, reach = self.mean.double(), LIMIT * self.sd.double() * self.observed
        # What is below 0 has no logarithm here, and is taken as 0.
        ends = [
            torch.where(self.skewed, end.expm1().clamp(min=0), end).tolist()
            for end in (mean - reach, mean + reach)
        ]
        return {column: (low, high) for column, low, high in zip(self.numeric.tolist(), *ends, strict=True)}

    def forward(self, values: Tensor, missing: Tensor) -> RecordInputs:
        """Standardise.

        Args:
            values: [B, F] in the features' order and units; category index for categorical features.
            missing: [B, F] 1 where missing; the value there has no effect, whatever it is.
        """
        if self.training:
            missing = self._hide(missing)
        numbers, known = self._numbers(values, missing)
        known = known * self.observed.to(known.dtype)
        levels = self._levels(values, missing)
        # Compared, not gathered: the exporter would take gather's batch for a constant.
        rows = torch.arange(self.seen.shape[1], device=values.device)
        allowed = ((levels[:, :, None] == rows) & self.seen).any(2)
        z = ((numbers - self.mean) / self.sd).clamp(-LIMIT, LIMIT)
        return RecordInputs(z * known, known, torch.where(allowed, levels, 0))

    def _hide(self, missing: Tensor) -> Tensor:
        features = torch.rand_like(missing) < self.feature_dropout
        records = torch.rand_like(missing[:, :1]) < self.record_dropout
        return torch.where(features | records, 1.0, missing)

    def _numbers(self, values: Tensor, missing: Tensor) -> tuple[Tensor, Tensor]:
        """Numeric columns after log1p with 0 under the flag, so that not even a NaN there gets any further."""
        absent = missing[:, self.numeric] > 0.5  # noqa: PLR2004
        numbers = torch.where(absent, 0.0, values[:, self.numeric])
        numbers = torch.where(self.skewed, numbers.clamp(min=0).log1p(), numbers)
        return numbers, 1 - absent.to(values.dtype)

    def _levels(self, values: Tensor, missing: Tensor) -> Tensor:
        absent = missing[:, self.categorical] > 0.5  # noqa: PLR2004
        index = torch.where(absent, -1.0, values[:, self.categorical]).round().long() + 1
        return index.clamp(0, self.seen.shape[1] - 1)
