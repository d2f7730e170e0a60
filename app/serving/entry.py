"""One package of a process, and how far it has come."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.errors import NotReadyError
from app.inference.predictor import Predictor
from app.model_package.manifest import Manifest
from app.model_package.naming import Reference
from app.model_package.package import Package

RETRY_AFTER_S: Final = 5

StartPredictor = Callable[[Package], Predictor]
"""Opens the session of a package and runs its golden case; raises where the package must not be served."""
TryPackage = Callable[[Package], None]
"""Does the same where nothing is lost by it; raises where that ended the process it was done in (`app.serving.trial`)."""


class State(StrEnum):
    """How far a package has come."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"
    UNLOADED = "unloaded"
    """It lies in the store and is not served."""


@dataclass(frozen=True)
class Entry:
    """One package of the store.

    Attributes:
        reference: Name and version.
        state: Only `ready` packages answer.
        package: Present once its files were verified.
        predictor: Present once it is ready.
        code: Why it failed, as a problem code.
        detail: Why it failed, in words.
    """

    reference: Reference
    state: State = State.LOADING
    package: Package | None = None
    predictor: Predictor | None = None
    code: str | None = None
    detail: str | None = None

    @property
    def manifest(self) -> Manifest | None:
        """What the package says of itself, once verified."""
        return self.package.manifest if self.package else None


def stopping() -> NotReadyError:
    """The error of a package that is not made ready any more."""
    return NotReadyError("Expected a running service; it is stopping. Load the package again afterwards.")


def require_ready(entry: Entry) -> Predictor:
    """The predictor of a package.

    Raises:
        NotReadyError: The package is still loading, or failed, or is not served.
    """
    if entry.predictor is None:
        # What was unloaded comes back when an operator says so, which nobody can foresee.
        again = {} if entry.state is State.UNLOADED else {"retry_after_s": RETRY_AFTER_S}
        raise NotReadyError(
            f"Expected package {entry.reference} to be ready; it is {entry.state}. See GET /models.",
            model=str(entry.reference),
            **again,
        )
    return entry.predictor
