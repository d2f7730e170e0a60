"""After training: temperature or Platt scaling, split conformal threshold, distance of embeddings.

Temperature is fitted on the validation split; the conformal threshold and the distances on the calibration split, which
neither training nor early stopping has seen. The test split is touched by none of this.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor
from torch.nn import functional

from training.networks.heads import class_probabilities

QUANTILES = 201


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
    log_slope = torch.zeros((), dtype=torch.float64, requires_grad=True)
    intercept = torch.zeros((), dtype=torch.float64, requires_grad=with_intercept)
    optimizer = torch.optim.LBFGS([log_slope, intercept] if with_intercept else [log_slope], max_iter=100)

    def closure() -> Tensor:
        optimizer.zero_grad()
        probabilities = class_probabilities(logits.double() * log_slope.exp() + intercept)
        loss = functional.nll_loss(probabilities.clamp_min(1e-9).log(), label)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return Scaling(slope=math.exp(log_slope.item()), intercept=intercept.item())


def conformal_threshold(
    probabilities: Float[np.ndarray, "N K"], label: Int[np.ndarray, " N"], coverage: float
) -> float:
    """Smallest probability a class needs to enter the prediction set.

    Split conformal prediction with the score 1 - p(true class) and the finite-sample quantile
    ceil((n + 1) * coverage) / n (Vovk et al. 2005; Sadinle et al. 2019).
    """
    scores = np.sort(1 - probabilities[np.arange(len(label)), label])
    rank = math.ceil((len(scores) + 1) * coverage)
    return 0.0 if rank > len(scores) else float(1 - scores[rank - 1])


@dataclass(frozen=True)
class Distances:
    """What the service needs to place an embedding among those of training.

    Attributes:
        mean: [d] of the training embeddings.
        precision: [d, d] inverse of their shrunk covariance.
        quantiles: [q] Mahalanobis distances of the calibration cases at evenly spaced probabilities 0..1, ascending.
    """

    mean: Float64[np.ndarray, " d"]
    precision: Float64[np.ndarray, "d d"]
    quantiles: Float64[np.ndarray, " q"]


def embedding_distances(train: Float[np.ndarray, "N d"], calibration: Float[np.ndarray, "M d"]) -> Distances:
    """Fit the distance of embeddings (Lee et al., arXiv:1807.03888).

    The covariance is shrunk towards its diagonal so that its inverse is stable where d is not small against N.

    Args:
        train: Embeddings of the training cases.
        calibration: Embeddings of cases the network has not seen.
    """
    mean = train.astype(np.float64).mean(axis=0)
    covariance = np.cov(train.astype(np.float64), rowvar=False)
    shrunk = 0.9 * covariance + 0.1 * np.diag(np.diag(covariance)) + 1e-6 * np.eye(len(mean))
    precision = np.linalg.inv(shrunk)
    centred = calibration - mean
    distances = np.sqrt(np.einsum("nd,de,ne->n", centred, precision, centred))
    return Distances(mean, precision, np.quantile(distances, np.linspace(0, 1, QUANTILES)))
