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


def fit_scaling(logits: Tensor, label: Tensor, *, with_intercept: bool) -> Scaling:
    """Fit the scaling that minimises the negative log-likelihood.

    Args:
        logits: [N, L] of the head.
        label: [N] class indices.
        with_intercept: Platt (binary head) when true, temperature (slope 1/T, no intercept) when false.
    """
    start = np.zeros(2 if with_intercept else 1)
    bounds = [(-_WIDEST_LOG_SLOPE, _WIDEST_LOG_SLOPE), (None, None)][: len(start)]
    fit = minimize(_loss_and_gradient, start, args=(logits.double(), label), jac=True, bounds=bounds)
    return Scaling(slope=math.exp(fit.x[0]), intercept=float(fit.x[1]) if with_intercept else 0.0)


def _loss_and_gradient(
    scaling: Float64[np.ndarray, " P"], logits: Tensor, label: Tensor
) -> tuple[float, Float64[np.ndarray, " P"]]:
    """Negative log-likelihood at (log slope[, intercept])."""
    parameters = torch.tensor(scaling, requires_grad=True)
    scaled = logits * parameters[0].exp() + parameters[1:].sum()
    loss = functional.nll_loss(class_probabilities(scaled).clamp_min(1e-9).log(), label)
    (gradient,) = torch.autograd.grad(loss, parameters)
    return loss.item(), gradient.numpy()
