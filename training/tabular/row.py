"""What every tabular row offers, and how its file presents it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from jaxtyping import Float32

from app.model_package.naming import Task
from training.tabular.records import Records


class TabularRow(Protocol):
    """A model of the outcome from the record alone; a new one is a file that defines `ROW`."""

    def fit(self, train: Records, validation: Records) -> Self:
        """Fit.

        Args:
            train: The only patients whose values, means and outcomes may enter the fit.
            validation: For choosing when to stop, as networks do; most rows do not need them.
        """
        ...

    def logits(self, records: Records) -> Float32[np.ndarray, "N L"]:
        """CORN logits, or one binary logit (`training.networks.heads`); not calibrated."""
        ...

    @property
    def note(self) -> str:
        """What a reader of the table must know of this fit, such as an input that the cohort lacks; mostly empty."""
        ...


@dataclass(frozen=True)
class Tabular:
    """What a file of this folder defines as `ROW`.

    Attributes:
        name: As on the command line and in tables of results.
        number: Row of the model table (docs/concepts/method.md).
        title: In words, for people.
        make: The row, not fitted.
        place: Among the rows of one number.
        tasks: For which it has a meaning.
        readings: Whether it asks what a reader of the CT noted. For the other rows these columns of the table may hold anything.
    """

    name: str
    number: int
    title: str
    make: Callable[[], TabularRow]
    place: int = 0
    tasks: tuple[Task, ...] = ("gos", "ad")
    readings: bool = False
