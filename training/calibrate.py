"""After training: temperature or Platt scaling of the head's logits, fitted on the validation split.

Prediction sets and distances are fitted on the calibration split, which neither training nor early stopping has seen
(`training.evaluation.sets`, `training.evaluation.distance`). The test split is touched by none of this.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float64
from scipy.optimize import minimize
from torch import Tensor
from torch.nn import functional

from training.networks.heads import log_class_probabilities

_LOG_SLOPE_SD = 1.0
"""How far from 0 the logarithm of the slope is expected before any validation case is seen: for two thirds of networks within 0.37 to 2.7.

A few validation cases without one mistake would have the slope grow for ever, and every later answer be 0 or 1. Hundreds hardly
notice the prior.
"""
_WIDEST_LOG_SLOPE = 5.0
"""Keeps the search for the best slope finite."""


@dataclass(frozen=True)
class Scaling:
    """Affine change of the head's logits, inside the exported graph: logits * slope + intercept."""

    slope: float
    intercept: float


def fit_scaling(
    logits: Tensor,
    label: Tensor,
    *,
    intercept_sd: float = 0.0,
    centre: float = 0.0,
    log_slope_sd: float = _LOG_SLOPE_SD,
) -> Scaling:
    """Fit the scaling that minimises the negative log-likelihood.

    A temperature (slope 1/T) where there is no intercept, Platt scaling with a normal prior on the intercept where there is. The
    slope has a log-normal prior about 1, so that few cases change little.

    Args:
        logits: [N, L] of the head.
        label: [N] class indices.
        intercept_sd: How far from 0 the intercept of the network's own logits is expected, before these cases are seen
            (`prior_intercept_sd`); 0 fits none, infinity trusts these cases alone.
        centre: Logit that the slope leaves where it is; of a rare event its log odds in training (`smoothed_log_odds`), else a few cases without one would
            make it rarer still by the slope.
        log_slope_sd: How far from 0 the logarithm of the slope is expected, before these cases are seen.
    """
    start = np.zeros(2 if intercept_sd else 1)
    bounds = [(-_WIDEST_LOG_SLOPE, _WIDEST_LOG_SLOPE), (None, None)][: len(start)]
    spread = np.array([log_slope_sd, intercept_sd])[: len(start)]
    precision = torch.from_numpy(1 / (spread**2 * len(label)))
    known = (logits.double() - centre, centre, label, precision)
    fit = minimize(_loss_and_gradient, start, args=known, jac=True, bounds=bounds)
    slope, moved = math.exp(fit.x[0]), float(fit.x[1:].sum())
    return Scaling(slope=slope, intercept=centre * (1 - slope) + moved)


def smoothed_log_odds(event: Tensor | Bool[np.ndarray, " N"]) -> float:
    """Log odds with half a patient added to either side (Haldane 1956, doi:10.1111/j.1469-1809.1955.tb01285.x): finite without events.

    Args:
        event: [N] who had it, 0 or 1; of nobody the answer is 0.
    """
    events = int(event.sum())
    return math.log((events + 0.5) / (len(event) - events + 0.5))


def prior_intercept_sd(trained_on: Tensor) -> float:
    """How well the training patients of a binary outcome know its log odds: the standard error, sqrt(1/events + 1/others).

    A network that was trained without weights on the classes has learnt the log odds of its training patients. A few hundred
    validation patients, an unlucky draw of which holds some events too few, must not overrule thousands that were drawn alike;
    so the two are weighed as their numbers deserve.

    Args:
        trained_on: [N] labels 0 or 1 of the training patients.

    Returns:
        Infinity where they are of one class only, or there are none: then nothing is known.
    """
    events = int(trained_on.sum())
    others = len(trained_on) - events
    return math.sqrt(1 / events + 1 / others) if events and others else math.inf


def _loss_and_gradient(
    scaling: Float64[np.ndarray, " P"], above: Tensor, centre: float, label: Tensor, precision: Tensor
) -> tuple[float, Float64[np.ndarray, " P"]]:
    """Negative log-likelihood of a case, and of the priors' share in it, at (log slope[, intercept])."""
    parameters = torch.tensor(scaling, requires_grad=True)
    scaled = above * parameters[0].exp() + centre + parameters[1:].sum()
    # By logarithms: of a mistake that was made with certainty, probabilities that round to 0 would leave no gradient.
    loss = functional.nll_loss(log_class_probabilities(scaled), label)
    loss = loss + (precision / 2 * parameters.square()).sum()
    (gradient,) = torch.autograd.grad(loss, parameters)
    return loss.item(), gradient.numpy()
