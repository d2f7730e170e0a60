"""training.calibrate: scaling finds the planted temperature."""

import pytest
import torch

from training.calibrate import fit_scaling
from training.networks.heads import class_probabilities


def test_temperature_finds_the_planted_factor() -> None:
    generator = torch.Generator().manual_seed(4)
    honest = torch.randn(20_000, 4, generator=generator)
    label = torch.multinomial(class_probabilities(honest), 1, generator=generator)[:, 0]
    scaling = fit_scaling(honest * 2.5, label, with_intercept=False)
    assert scaling.slope == pytest.approx(1 / 2.5, rel=0.03)
    assert scaling.intercept == 0


def test_platt_finds_slope_and_intercept() -> None:
    generator = torch.Generator().manual_seed(5)
    honest = torch.randn(40_000, 1, generator=generator)
    label = (torch.rand(40_000, generator=generator) < honest[:, 0].sigmoid()).long()
    scaling = fit_scaling(honest / 2 - 1, label, with_intercept=True)
    assert scaling.slope == pytest.approx(2, rel=0.05)
    assert scaling.intercept == pytest.approx(2, rel=0.1)
