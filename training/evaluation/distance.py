"""Cases unlike those of training: the distance of an embedding, fitted here and served by `app.inference.calibration`.

Lee et al. 2018, arXiv:1807.03888. The score is the share of calibration cases that lie nearer, so a case of the cohort's own kind
is flagged with the chance that the threshold leaves, whatever the embedding's distribution.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float64

from training.evaluation.document import Distance
from training.files.whole_files import write_whole

FLAG_ABOVE = 0.99
"""Share of calibration cases that must lie nearer for a case to be flagged: one in a hundred of the cohort's own kind."""
EMBEDDING_FILE = "embedding.npz"
QUANTILES = 201
_SHRINKAGE = 0.1
_FLOOR = 1e-6


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

    def score(self, embedding: Float[np.ndarray, "N d"]) -> Float64[np.ndarray, " N"]:
        """Share of calibration cases that lie nearer, as the service scores it."""
        distance = _mahalanobis(embedding, self.mean, self.precision)
        nearer: Float64[np.ndarray, " N"] = np.interp(
            distance, self.quantiles, np.linspace(0, 1, len(self.quantiles))
        )
        return nearer

    def save(self, run: Path) -> Path:
        """Write the file that the package takes over as it is."""
        np.savez(file := io.BytesIO(), mean=self.mean, precision=self.precision, quantiles=self.quantiles)
        return write_whole(run / EMBEDDING_FILE, file.getbuffer())


def fit_distances(train: Float[np.ndarray, "N d"], calibration: Float[np.ndarray, "M d"]) -> Distances:
    """Fit the distance.

    The covariance is shrunk towards its diagonal so that its inverse is stable where d is not small against N. Quantiles stand at
    rank q (M + 1), so that a new case of the same kind lies beyond quantile q with probability 1 - q, and not a little oftener.

    Args:
        train: Embeddings of the training cases.
        calibration: Embeddings of cases the network has not seen.
    """
    mean = train.astype(np.float64).mean(axis=0)
    covariance = np.cov(train.astype(np.float64), rowvar=False).reshape(len(mean), len(mean))
    shrunk = (1 - _SHRINKAGE) * covariance + _SHRINKAGE * np.diag(np.diag(covariance))
    precision = np.linalg.inv(shrunk + _FLOOR * np.eye(len(mean)))
    distance = _mahalanobis(calibration, mean, precision)
    quantiles = np.quantile(distance, np.linspace(0, 1, QUANTILES), method="weibull")
    return Distances(mean, precision, quantiles)


def judge_distance(fitted: Distances, test: Float[np.ndarray, "N d"]) -> Distance:
    """Share flagged among held-out patients, which should be 1 %.

    Args:
        fitted: The distance.
        test: Embeddings of the held-out patients.
    """
    flagged = float((fitted.score(test) > FLAG_ABOVE).mean())
    return Distance(threshold=FLAG_ABOVE, flagged={"test": flagged})


def _mahalanobis(
    embedding: Float[np.ndarray, "N d"], mean: Float[np.ndarray, " d"], precision: Float[np.ndarray, "d d"]
) -> Float64[np.ndarray, " N"]:
    centred = embedding.astype(np.float64) - mean
    squared = np.einsum("nd,de,ne->n", centred, precision, centred)
    distance: Float64[np.ndarray, " N"] = np.sqrt(np.maximum(squared, 0.0))
    return distance
