"""What turns calibrated probabilities into statements with a guarantee: prediction sets, and whether to speak at all.

Split conformal prediction (Vovk; Angelopoulos and Bates, arXiv:2107.07511): the thresholds were fitted on cases used
for nothing else, so the set holds the true class with the nominal coverage, as long as the case is of the kind that
the model was calibrated on (docs/concepts/uncertainty.md). The distance of the embedding (Lee et al., arXiv:1807.03888) watches over that condition.
"""

import zipfile
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64

from app.errors import PackageInvalidError
from app.model_package.package import Package

_PROBABILITY_ROUNDING = 1e-6
"""float32 rounding of a probability that lies exactly on the threshold."""


def set_members(
    probabilities: Float[np.ndarray, "*cases K"],
    threshold: float | Float[np.ndarray, "*#cases K"],
    *,
    ordinal: bool,
) -> Bool[np.ndarray, "*cases K"]:
    """Choose the classes that cannot be excluded at the calibrated coverage.

    Args:
        probabilities: Of each class, of one case or of many.
        threshold: A class whose probability reaches this is in the set; one for all classes, or one for each.
        ordinal: Fill the set between its ends.

    Returns:
        Which classes are in the set; the most likely one always is.
    """
    most_likely = np.arange(probabilities.shape[-1]) == probabilities.argmax(axis=-1)[..., np.newaxis]
    members: Bool[np.ndarray, "*cases K"] = (probabilities >= threshold - _PROBABILITY_ROUNDING) | most_likely
    if ordinal:
        from_below = np.logical_or.accumulate(members, axis=-1)
        from_above = np.logical_or.accumulate(members[..., ::-1], axis=-1)[..., ::-1]
        members = from_below & from_above
    return members


def mahalanobis(
    embedding: Float[np.ndarray, " d"], mean: Float[np.ndarray, " d"], precision: Float[np.ndarray, "d d"]
) -> float:
    """Distance of an embedding from the training cases, sqrt((x - mean)ᵀ precision (x - mean))."""
    offset = np.asarray(embedding, np.float64) - mean
    return float(np.sqrt(max(offset @ precision @ offset, 0.0)))


@dataclass(frozen=True)
class OodResult:
    """How unlike the training cases a case is.

    Attributes:
        score: Share of calibration cases that are closer, in [0, 1].
        threshold: Scores above are flagged.
        flagged: Whether it is.
    """

    score: float
    threshold: float
    flagged: bool


@dataclass(frozen=True)
class OutOfDistributionScorer:
    """Distances of the calibration cases, against which a new one is held.

    Attributes:
        mean: [d] of the embeddings of training.
        precision: [d, d], inverse of their covariance.
        quantiles: [q] sorted distances of the calibration cases at evenly spaced probabilities 0..1.
        threshold: Scores above are flagged.
    """

    mean: Float64[np.ndarray, " d"]
    precision: Float64[np.ndarray, "d d"]
    quantiles: Float64[np.ndarray, " q"]
    threshold: float

    @classmethod
    def from_package(cls, package: Package) -> "OutOfDistributionScorer":
        """Read the scorer of a package.

        Raises:
            PackageInvalidError: The file is no npz of numbers, or its arrays do not fit the manifest.
        """
        settings = package.manifest.out_of_distribution
        try:
            # opened here, because np.load leaves its own file open where the content is bad
            with (
                (package.path / settings.file).open("rb") as file,
                np.load(file, allow_pickle=False) as stored,
            ):
                mean, precision, quantiles = (
                    np.asarray(stored[name], np.float64) for name in ("mean", "precision", "quantiles")
                )
        except (
            OSError,
            EOFError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            zipfile.BadZipFile,
        ) as error:
            raise PackageInvalidError(
                f"{settings.file} should be an npz with mean, precision and quantiles"
            ) from error
        _check_arrays(mean, precision, quantiles, package.manifest.outputs.embedding_size)
        return cls(mean, precision, quantiles, settings.threshold)

    def __call__(self, embedding: Float[np.ndarray, " d"]) -> OodResult:
        """Score one embedding."""
        distance = mahalanobis(embedding, self.mean, self.precision)
        score = float(np.interp(distance, self.quantiles, np.linspace(0, 1, len(self.quantiles))))
        return OodResult(score, self.threshold, score > self.threshold)


def _check_arrays(mean: np.ndarray, precision: np.ndarray, quantiles: np.ndarray, size: int) -> None:
    shapes_fit = mean.shape == (size,) and precision.shape == (size, size)
    quantiles_fit = quantiles.ndim == 1 and len(quantiles) > 1 and bool((np.diff(quantiles) >= 0).all())
    if not (shapes_fit and quantiles_fit and all(np.isfinite(a).all() for a in (mean, precision, quantiles))):
        raise PackageInvalidError(
            f"the out-of-distribution file should hold finite mean [{size}], precision [{size}, {size}] and sorted "
            f"quantiles [q]; found {mean.shape}, {precision.shape}, {quantiles.shape}"
        )
