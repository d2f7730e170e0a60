"""What the cases of training were like, as shares of bins: a service holds its own cases against it (`app.monitoring`).

It is optional, `training_summary.json` beside the manifest and pinned by it. Nothing in it is one patient's: edges of bins are quantiles,
rounded to three digits, and a bin of a number holds many cases.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Annotated, Final, Literal, Self

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from app.errors import PackageInvalidError
from app.model_package.manifest import Probability
from app.model_package.package import Package

TRAINING_SUMMARY: Final = "training_summary.json"
Kind = Literal["record", "spacing", "intensity", "embedding", "score"]
"""What a distribution is of: a feature of the record, the image's voxels or values, or the model's answer."""
ShareKind = Literal["missing", "answer"]
MISSING: Final = "missing"
Taken = float | Literal["missing"]
"""What a network takes a value of the record for, where it is not taken as it is."""

MOST_BINS: Final = 10
CASES_A_BIN: Final = 20
EDGE_DIGITS: Final = 3
_ROUNDING: Final = 1e-6


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Distribution(_Frozen):
    """How one number or one category was distributed.

    Attributes:
        kind: What it is of.
        name: Within its kind, such as `age` or `slice_mm`.
        n: Cases whose value was known.
        edges: Between the bins of a number, ascending; a value on an edge lies above it. Empty for a category.
        categories: In the order of `shares`; empty for a number.
        shares: Of the known cases, one for each bin or category.
        limits: Of a number of the record: the network tells no values apart below the first and above the second; twice the same where it tells
            none apart at all, since training held but one value, and takes all for missing; null where none are stated.
    """

    kind: Kind
    name: str
    n: PositiveInt
    edges: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    shares: tuple[Probability, ...]
    limits: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _bins_fit(self) -> Self:
        bins = len(self.categories) or len(self.edges) + 1
        if (self.edges and self.categories) or len(self.shares) != bins:
            raise ValueError("there must be a share for each category, or one more than edges")
        if list(self.edges) != sorted(set(self.edges)) or abs(sum(self.shares) - 1) > _ROUNDING * bins:
            raise ValueError("edges must ascend and shares add up to 1")
        if self.limits is not None and (self.categories or not self.limits[0] <= self.limits[1]):
            raise ValueError("limits are of a number, the lower one first")
        return self

    def taken_as(self, value: float | str) -> Taken | None:
        """What the network takes a value for: the nearer limit, or missing where training could not teach it; None where it is taken as it is."""
        if isinstance(value, str):
            found = self.bin_of(value)
            return MISSING if found is not None and self.shares[found] == 0 else None
        low, high = self.limits or (-math.inf, math.inf)
        if low == high:
            return MISSING
        return None if low <= value <= high else min(max(value, low), high)

    def bin_of(self, value: float | str) -> int | None:
        """The bin of a value; None for a category that is not known here.

        Training holds numbers as float32, so a value is rounded to that before it is compared.
        """
        if isinstance(value, str):
            return self.categories.index(value) if value in self.categories else None
        return bisect_right(self.edges, float(np.float32(value)))


class Share(_Frozen):
    """How often something was the case.

    Attributes:
        kind: `missing`: a feature of the record was not known; `answer`: something about the model's answer.
        name: The feature, or `abstained`.
        n: Cases.
        share: Of them.
    """

    kind: ShareKind
    name: str
    n: PositiveInt
    share: Probability


class TrainingSummary(_Frozen):
    """`training_summary.json`.

    Attributes:
        schema_version: Version of this document's form.
        distributions: Each at most once by kind and name.
        shares: Each at most once by kind and name.
    """

    schema_version: Literal[1]
    distributions: tuple[Distribution, ...]
    shares: Annotated[tuple[Share, ...], Field(description="Expected shares.")]


def distribution_of_numbers(
    kind: Kind, name: str, values: Float[np.ndarray, " N"] | Sequence[float]
) -> Distribution:
    """Cut numbers at their quantiles.

    Args:
        kind: What they are of.
        name: Within its kind.
        values: Known ones, at least one. Ties share a bin, so there may be fewer bins than asked for.
    """
    known = np.asarray(values, np.float64)
    bins = max(1, min(MOST_BINS, len(known) // CASES_A_BIN))
    quantiles = np.quantile(known, np.arange(1, bins) / bins)
    edges = tuple(sorted({float(f"{edge:.{EDGE_DIGITS}g}") for edge in quantiles.tolist()}))
    counts = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
    return Distribution(
        kind=kind, name=name, n=len(known), edges=edges, shares=tuple((counts / len(known)).tolist())
    )


def distribution_of_categories(
    kind: Kind, name: str, indices: Sequence[int], categories: Sequence[str]
) -> Distribution:
    """Count categories, given by their index."""
    counts = np.bincount(np.asarray(indices, np.int64), minlength=len(categories))
    shares = tuple((counts / len(indices)).tolist())
    return Distribution(kind=kind, name=name, n=len(indices), categories=tuple(categories), shares=shares)


def load_training_summary(package: Package) -> TrainingSummary | None:
    """The summary of a package; None where it was exported without one.

    Raises:
        PackageInvalidError: It is there and breaks the format.
    """
    path = package.path / TRAINING_SUMMARY
    if not path.is_file():
        return None
    try:
        return TrainingSummary.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise PackageInvalidError(
            f"{TRAINING_SUMMARY} breaks the format that this program reads; serve the package with the release that made it, "
            "or export it again"
        ) from error
