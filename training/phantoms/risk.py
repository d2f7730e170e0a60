"""What both risk models share: exact outcome probabilities, draws from them, and records with holes."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int, Real
from scipy.special import expit

Column = Real[np.ndarray, " n"]
"""One value per patient; a category is its index in the schema, a yes/no is 0 or 1."""
Columns = dict[str, Column]


def bernoulli(log_odds: Real[np.ndarray, " n"], rng: np.random.Generator) -> Float[np.ndarray, " n"]:
    """Draws 0 or 1 for every patient, 1 with probability logistic(log_odds)."""
    return (rng.random(len(log_odds)) < expit(log_odds)).astype(np.float64)


def linear_predictor(terms: Mapping[str, Column], effects: Mapping[str, float]) -> Float[np.ndarray, " n"]:
    """Sums coefficient times term; the two tables must name the same effects.

    Raises:
        ValueError: When a term has no coefficient or a coefficient no term.
    """
    if terms.keys() != effects.keys():
        raise ValueError(
            f"terms and effects must agree; they differ in {sorted(terms.keys() ^ effects.keys())}"
        )
    total = np.sum([effects[name] * term for name, term in terms.items()], axis=0)
    return np.asarray(total, np.float64)


def ordinal_probabilities(
    predictor: Float[np.ndarray, " n"], cut_points: tuple[float, ...]
) -> Float[np.ndarray, "n k"]:
    """Class probabilities of a proportional-odds model (McCullagh 1980), P(class > c) = logistic(predictor - cut_c).

    Args:
        predictor: Larger is a better outcome.
        cut_points: Ascending; one fewer than there are classes.
    """
    exceeds = expit(predictor[:, None] - np.asarray(cut_points))
    return np.asarray(-np.diff(exceeds, axis=1, prepend=1.0, append=0.0))


def draw_class(probabilities: Float[np.ndarray, "n k"], rng: np.random.Generator) -> Int[np.ndarray, " n"]:
    """Draws one class index 0..k-1 for every row."""
    thresholds = np.cumsum(probabilities[:, :-1], axis=1)
    return np.asarray(np.sum(rng.random((len(probabilities), 1)) >= thresholds, axis=1))


def hide_fields(
    names: tuple[str, ...], shares: Mapping[str, float], rng: np.random.Generator
) -> dict[str, bool]:
    """Which fields of one record are missing: each at its own rate, at random and independent of everything else.

    Args:
        names: Fields in the order of the draw.
        shares: Probability that a field is missing.
        rng: Draws once for every field.
    """
    draws = rng.random(len(names))
    return {name: bool(draw < shares[name]) for name, draw in zip(names, draws, strict=True)}
