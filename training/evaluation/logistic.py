"""Logistic regression on every resample at once: Newton's method with one small system of equations per resample."""

import numpy as np
from jaxtyping import Bool, Float, Float64

from training.evaluation.bootstrap import Weights

_STEPS = 30
_LONGEST_STEP = 3.0
_CONVERGED = 1e-6
_RIDGE = 1e-9
"""Keeps the fit of a separable resample finite; moves no other."""


def fit_logistic(
    design: Float[np.ndarray, "N P"],
    event: Bool[np.ndarray, " N"],
    weights: Weights,
    start: Float[np.ndarray, " P"],
    offset: Float[np.ndarray, " N"] | float = 0.0,
) -> Float64[np.ndarray, "draws P"]:
    """Coefficients that maximise the likelihood of each resample.

    Args:
        design: One column for each coefficient.
        event: What happened.
        weights: Of the patients, one row a resample.
        start: First guess; near the answer for models that are nearly calibrated.
        offset: Added to the linear predictor as it is.
    """
    size = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), size * size)
    fit = np.tile(np.asarray(start, np.float64), (len(weights), 1))
    for _ in range(_STEPS):
        p = sigmoid(fit @ design.T + offset)
        slope = (weights * (event - p)) @ design - _RIDGE * fit
        curvature = ((weights * p * (1 - p)) @ products).reshape(-1, size, size) + _RIDGE * np.eye(size)
        step = np.linalg.solve(curvature, slope[:, :, None])[:, :, 0]
        fit += np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        if np.abs(step).max() < _CONVERGED:
            break
    return fit


def sigmoid(x: Float[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    """1 / (1 + exp(-x)), without overflow."""
    p: Float64[np.ndarray, "*shape"] = 0.5 * (1 + np.tanh(0.5 * x))
    return p
