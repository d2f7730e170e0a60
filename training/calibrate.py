"""After training: temperature or Platt scaling of the head's logits, fitted on the validation split.

Prediction sets and distances are fitted on the calibration split, which neither training nor early stopping has seen
(`training.evaluation.sets`, `training.evaluation.distance`). The test split is touched by none of this.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64
from scipy.optimize import minimize
from torch import Tensor
from torch.nn import functional

from training.networks.heads import class_probabilities

_WIDEST_LOG_SLOPE = 5.0
"""Validation cases without one mistake would have the slope grow for ever."""


@dataclass(frozen=True)
class Scaling:
    """Affine change of the head's logits, inside the exported graph: logits * slope + intercept."""

    slope: float
    intercept: float


def fit_scaling(logits: Tensor, label: Tensor, *, intercept_sd: float = 0.0) -> Scaling:
    """Fit the scaling that minimises the negative log-likelihood.

    A temperature (slope 1/T) where there is no intercept, Platt scaling with a normal prior on the intercept where there is.

    Args:
        logits: [N, L] of the head.
        label: [N] class indices.
        intercept_sd: How far from 0 the intercept of the network's own logits is expected, before these cases are seen
            (`prior_intercept_sd`); 0 fits none, infinity trusts these cases alone.
    """
    start = np.zeros(2 if intercept_sd else 1)
    bounds = [(-_WIDEST_LOG_SLOPE, _WIDEST_LOG_SLOPE), (None, None)][: len(start)]
    precision = 1 / (intercept_sd**2 * len(label)) if intercept_sd else 0.0
    fit = minimize(
        _loss_and_gradient, start, args=(logits.double(), label, precision), jac=True, bounds=bounds
    )
    return Scaling(slope=math.exp(fit.x[0]), intercept=float(fit.x[1]) if intercept_sd else 0.0)


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
    scaling: Float64[np.ndarray, " P"], logits: Tensor, label: Tensor, precision: float
) -> tuple[float, Float64[np.ndarray, " P"]]:
    """Negative log-likelihood of a case, and of the prior's share in it, at (log slope[, intercept])."""
    parameters = torch.tensor(scaling, requires_grad=True)
    scaled = logits * parameters[0].exp() + parameters[1:].sum()
    loss = functional.nll_loss(class_probabilities(scaled).clamp_min(1e-9).log(), label)
    loss = loss + precision / 2 * parameters[1:].square().sum()
    (gradient,) = torch.autograd.grad(loss, parameters)
    return loss.item(), gradient.numpy()
