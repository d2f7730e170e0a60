"""training.calibrate: scaling finds the planted temperature, and is not led astray by an unlucky draw."""

import math

import pytest
import torch

from training.calibrate import fit_scaling, prior_intercept_sd, smoothed_log_odds
from training.networks.heads import class_probabilities


def test_temperature_finds_the_planted_factor() -> None:
    generator = torch.Generator().manual_seed(4)
    honest = torch.randn(20_000, 4, generator=generator)
    label = torch.multinomial(class_probabilities(honest), 1, generator=generator)[:, 0]
    scaling = fit_scaling(honest * 2.5, label)
    assert scaling.slope == pytest.approx(1 / 2.5, rel=0.03)
    assert scaling.intercept == 0


def test_platt_finds_slope_and_intercept() -> None:
    generator = torch.Generator().manual_seed(5)
    honest = torch.randn(40_000, 1, generator=generator)
    label = (torch.rand(40_000, generator=generator) < honest[:, 0].sigmoid()).long()
    scaling = fit_scaling(honest / 2 - 1, label, intercept_sd=math.inf)
    assert scaling.slope == pytest.approx(2, rel=0.05)
    assert scaling.intercept == pytest.approx(2, rel=0.1)


def test_an_unlucky_validation_draw_hardly_moves_what_thousands_were_trained_on() -> None:
    """An honest network; by chance its 200 validation patients have events some log odds of 0.7 too few."""
    generator = torch.Generator().manual_seed(6)
    honest = torch.randn(200, 1, generator=generator)
    label = (torch.rand(200, generator=generator) < (honest[:, 0] - 0.7).sigmoid()).long()
    trained_on = torch.arange(1600) % 2
    trusting = fit_scaling(honest, label, intercept_sd=math.inf)
    weighing = fit_scaling(honest, label, intercept_sd=prior_intercept_sd(trained_on))
    assert trusting.intercept < -0.5
    assert -0.15 < weighing.intercept < 0
    assert weighing.slope == pytest.approx(trusting.slope, rel=0.3)


def test_validation_patients_weigh_what_their_number_deserves() -> None:
    """As many of them as were trained on, and as sure of the log odds: the intercept lies half-way."""
    label = torch.cat([torch.ones(500), torch.zeros(1500)]).long()
    blind = torch.zeros(2000, 1)
    alone = fit_scaling(blind, label, intercept_sd=math.inf)
    half = fit_scaling(blind, label, intercept_sd=prior_intercept_sd(label))
    assert alone.intercept == pytest.approx(math.log(500 / 1500), abs=1e-3)
    assert half.intercept == pytest.approx(alone.intercept / 2, rel=0.15)


@pytest.mark.parametrize("label", [[0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0, 0, 0]])
def test_a_few_patients_without_a_mistake_do_not_make_the_model_certain(label: list[int]) -> None:
    """Odds of 4 to 1, and right eight times, with and without an event: no ground to answer 0.999 from now on."""
    truth = torch.tensor(label)
    logits = torch.where(truth == 1, 1.4, -1.4)[:, None]
    for intercept_sd in (0.0, prior_intercept_sd(torch.arange(40) % 2)):
        scaling = fit_scaling(logits, truth, intercept_sd=intercept_sd)
        assert 1 < scaling.slope < 2.5
        assert torch.sigmoid(torch.tensor(1.4 * scaling.slope + scaling.intercept)) < 0.98


def test_a_rare_event_that_validation_has_none_of_does_not_become_rarer() -> None:
    """An honest network for an event in one of a hundred; among 40 validation patients none is to be expected."""
    trained_on = (torch.arange(600) % 100 == 0).long()
    honest = torch.linspace(-2, 2, 40)[:, None] + smoothed_log_odds(trained_on)
    scaling = fit_scaling(
        honest,
        torch.zeros(40).long(),
        intercept_sd=prior_intercept_sd(trained_on),
        centre=smoothed_log_odds(trained_on),
    )
    before, after = (p.sigmoid().mean() for p in (honest, honest * scaling.slope + scaling.intercept))
    assert 0.6 < after / before < 1


def test_log_odds_of_training_patients_have_half_a_patient_on_either_side() -> None:
    assert smoothed_log_odds(torch.arange(8) % 2) == 0
    assert smoothed_log_odds(torch.arange(9) % 3 // 2) == pytest.approx(math.log(3.5 / 6.5))
    assert (
        smoothed_log_odds(torch.ones(4)) == -smoothed_log_odds(torch.zeros(4)) == pytest.approx(math.log(9))
    )
    assert smoothed_log_odds(torch.zeros(0)) == 0


def test_training_patients_of_one_class_say_nothing() -> None:
    assert prior_intercept_sd(torch.ones(10)) == math.inf
    assert prior_intercept_sd(torch.zeros(0)) == math.inf
    assert prior_intercept_sd(torch.arange(8) % 2) == pytest.approx(math.sqrt(1 / 2))


@pytest.mark.parametrize("logit", [15.0, 25.0, 80.0])
@pytest.mark.parametrize("thresholds", [1, 4])
def test_a_network_that_errs_with_certainty_is_scaled_back(logit: float, thresholds: int) -> None:
    """Right in four of five and never in doubt; from a logit of 21 on its mistakes have probabilities that round to 0."""
    right = (torch.arange(400) % 5 > 0).long()
    label = right if thresholds == 1 else right * thresholds
    scaling = fit_scaling(torch.full((400, thresholds), logit), label)
    sure = class_probabilities(torch.full((1, thresholds), logit) * scaling.slope)[0, -1]
    assert 0.6 < sure < 0.9
