"""Which packages this process serves, and which of them have proved themselves here."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog

from app.errors import NeuroFuseError, NotReadyError, UnknownModelError
from app.inference.predictor import Predictor
from app.model_package.manifest import Manifest, Task
from app.model_package.package import Package
from app.model_package.store import ModelStore, Reference
from app.telemetry import describe_exception

RETRY_AFTER_S: Final = 5

log = structlog.stdlib.get_logger(__name__)

StartPredictor = Callable[[Package], Predictor]
"""Opens the session of a package and runs its golden case; raises where the package must not be served."""


class State(StrEnum):
    """How far a package has come."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


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


class Catalogue:
    """Every package that was in the store when the process began; a package is looked for once, never polled.

    Args:
        store: Where packages lie.
        start: Makes a package ready.
    """

    def __init__(self, store: ModelStore, start: StartPredictor) -> None:
        self._store = store
        self._start = start
        self._entries = {reference: Entry(reference) for reference in store.references()}

    def load(self) -> None:
        """Verify, open and test every package; what fails is kept with its reason and stops nothing else."""
        for reference in self._entries:
            self._entries[reference] = entry = self._loaded(reference)
            log.info("package-loaded", model=str(reference), state=entry.state, code=entry.code)

    def entries(self) -> list[Entry]:
        """Every package, by name and version."""
        return list(self._entries.values())

    @property
    def ready(self) -> bool:
        """Whether there are packages and every one of them is ready."""
        return bool(self._entries) and all(entry.state is State.READY for entry in self._entries.values())

    def entry(self, model: str) -> Entry:
        """Find what `name` (its latest version) or `name@version` means.

        Raises:
            UnknownModelError: There is no such package.
        """
        name, at, version = model.partition("@")
        found = [
            entry
            for entry in self._entries.values()
            if entry.reference.name == name and (not at or str(entry.reference.version) == version)
        ]
        if not found:
            raise UnknownModelError(
                "Expected the name of a package, or name@version; there is no such one. See GET /models.",
                known=[str(reference) for reference in self._entries],
            )
        return max(found, key=lambda entry: entry.reference)

    def entry_for_task(self, task: Task) -> Entry:
        """Find the package that answers a task: the one named after it, else the only one that does.

        Raises:
            UnknownModelError: None does, or several do and none bears the task's name.
        """
        names = {entry.reference.name for entry in self._entries.values()}
        if task in names:
            return self.entry(task)
        answering = [name for name in sorted(names) if self._answers(name, task)]
        if len(answering) != 1:
            raise UnknownModelError(
                f"Expected one package for task `{task}`; {len(answering)} answer it. Name one in the part `model`.",
                known=answering,
            )
        return self.entry(answering[0])

    def _answers(self, name: str, task: Task) -> bool:
        manifest = self.entry(name).manifest
        return manifest is not None and manifest.task == task

    def _loaded(self, reference: Reference) -> Entry:
        package = None
        try:
            package = self._store.load(reference.name, reference.version)
            predictor = self._start(package)
        except NeuroFuseError as error:
            return Entry(reference, State.FAILED, package, None, error.code, error.detail)
        except Exception as error:  # noqa: BLE001 - one broken package must not stop the others
            log.error("package-fault", model=str(reference), **describe_exception(error))  # noqa: TRY400
            return Entry(
                reference, State.FAILED, package, None, NeuroFuseError.code, "Loading failed; see the log."
            )
        return Entry(reference, State.READY, package, predictor)


def require_ready(entry: Entry) -> Predictor:
    """The predictor of a package.

    Raises:
        NotReadyError: The package is still loading, or failed.
    """
    if entry.predictor is None:
        raise NotReadyError(
            f"Expected package {entry.reference} to be ready; it is {entry.state}. See GET /models.",
            model=str(entry.reference),
            retry_after_s=RETRY_AFTER_S,
        )
    return entry.predictor
