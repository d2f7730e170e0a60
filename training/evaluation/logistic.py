"""Logistic regression on every resample at once: Newton's method with one small system of equations per resample."""

import numpy as np
from jaxtyping import Bool, Float, Float64

from training.evaluation.bootstrap import Weights

_STEPS = 40
_CONVERGED = 1e-6
_RIDGE = 1e-6
"""Keeps the fit of a separable resample finite; moves no other by more than rounding."""


def fit_logistic(
    design: Float[np.ndarray, "N P"],
    event: Bool[np.ndarray, " N"],
    weights: Weights,
    offset: Float[np.ndarray, " N"] | float = 0.0,
) -> Float64[np.ndarray, "draws P"]:
    """Coefficients that maximise the likelihood of each resample.

    Newton's step is taken back to a quarter where it leads so far beyond the top that the likelihood falls more steeply there
    than it rose, as it can where a model is far too sure of itself.

    Args:
        design: One column for each coefficient.
        event: What happened.
        weights: Of the patients, one row a resample.
        offset: Added to the linear predictor as it is.
    """
    size = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), size * size)
    fit, step, rise = np.zeros((len(weights), size)), np.zeros((len(weights), size)), np.zeros(len(weights))
    for _ in range(_STEPS):
        p = sigmoid(fit @ design.T + offset)
        slope = (weights * (event - p)) @ design - _RIDGE * fit
        curvature = ((weights * p * (1 - p)) @ products).reshape(-1, size, size) + _RIDGE * np.eye(size)
        newton = np.linalg.solve(curvature, slope[:, :, None])[:, :, 0]
        too_far = (slope * step).sum(axis=1) < -rise
        move = np.where(too_far[:, None], -0.75 * step, newton)
        rise = np.where(too_far, rise / 4, (slope * newton).sum(axis=1))
        step = np.where(too_far[:, None], step / 4, newton)
        fit += move
        if np.abs(move).max() < _CONVERGED:
            break
    return fit


def sigmoid(x: Float[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    """1 / (1 + exp(-x)), without overflow."""
    p: Float64[np.ndarray, "*shape"] = 0.5 * (1 + np.tanh(0.5 * x))
    return p
