"""Which packages this process serves, and which of them have proved themselves here."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import structlog

from app.errors import NeuroFuseError, NotReadyError, UnknownModelError
from app.inference.predictor import Predictor
from app.model_package.manifest import Manifest, Task
from app.model_package.package import Package
from app.model_package.store import ModelStore, Reference
from app.predictions.releasing import Releaser
from app.predictions.routing import Routing
from app.telemetry import Metrics, describe_exception

RETRY_AFTER_S: Final = 5

log = structlog.stdlib.get_logger(__name__)

StartPredictor = Callable[[Package], Predictor]
"""Opens the session of a package and runs its golden case; raises where the package must not be served."""


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


@dataclass(frozen=True)
class _Now:
    """Everything a request sees, replaced as a whole: between what a name means and who answers nothing can come."""

    entries: Mapping[Reference, Entry]
    routing: Routing
    lagging: frozenset[str] = field(default_factory=frozenset)


class Catalogue:
    """The packages of this process. Found in the store when the process began, or loaded since; a store is never polled.

    Any thread may ask at any time. Changes are made by one thread at a time, `app.predictions.rollout` sees to that.

    Args:
        store: Where packages lie.
        start: Makes a package ready.
        metrics: Where choices and switches are counted.

    Attributes:
        found: What lay in the store when the process began.
    """

    def __init__(self, store: ModelStore, start: StartPredictor, metrics: Metrics | None = None) -> None:
        self._store = store
        self._start = start
        self._metrics = metrics or Metrics()
        self._releaser = Releaser()
        self.found = store.references()
        self._changing = threading.Lock()
        self._now = _Now(
            {reference: Entry(reference) for reference in self.found}, Routing(frozenset(self.found))
        )

    def entries(self) -> list[Entry]:
        """Every package, by name and version."""
        return [entry for _, entry in sorted(self._now.entries.items())]

    @property
    def routing(self) -> Routing:
        """What names mean now."""
        return self._now.routing

    @property
    def ready(self) -> bool:
        """Whether every name has a meaning that answers, nothing found at the start is still loading, and every change was followed."""
        now = self._now
        answering = now.routing.answering()
        states = {reference: entry.state for reference, entry in now.entries.items()}
        return (
            bool(answering)
            and not now.lagging
            and all(states.get(reference) is State.READY for reference in answering)
            and all(states.get(reference) is not State.LOADING for reference in now.routing.in_service)
        )

    def entry(self, model: str, key: str | None = None) -> Entry:
        """Find what `name`, `name@version` or `name@alias` means (`app.predictions.routing`).

        Args:
            model: The name.
            key: What stays the same when a case is sent again; without one, no case goes to a canary.

        Raises:
            UnknownModelError: There is no such package.
        """
        now = self._now
        meaning = now.routing.meaning(model, key)
        entry = now.entries.get(meaning.reference) if meaning else None
        if meaning is None or entry is None:
            raise UnknownModelError(
                "Expected the name of a package, name@version or name@alias; there is no such one. See GET /models.",
                known=[*map(str, sorted(now.entries)), *sorted(map(str, now.routing.aliases.values()))],
            )
        if meaning.alias is not None and key is not None:
            self._metrics.alias_cases.labels(str(meaning.alias), str(meaning.reference.version)).inc()
        return entry

    def entry_for_task(self, task: Task, key: str | None = None) -> Entry:
        """Find the package that answers a task: the one named after it, else the only one that does.

        Raises:
            UnknownModelError: None does, or several do and none bears the task's name.
        """
        names = self._now.routing.names()
        if task in names:
            return self.entry(task, key)
        answering = [name for name in sorted(names) if self._answers(name, task)]
        if len(answering) != 1:
            raise UnknownModelError(
                f"Expected one package for task `{task}`; {len(answering)} answer it. Name one in the part `model`.",
                known=answering,
            )
        return self.entry(answering[0], key)

    def shadows_of(self, reference: Reference) -> list[Predictor]:
        """The packages that are compared with the answers of this one, those that are ready."""
        now = self._now
        shadows = (now.entries.get(each) for each in now.routing.shadows_of(reference))
        return [entry.predictor for entry in shadows if entry and entry.predictor]

    def state(self, reference: Reference) -> State | None:
        """How far a package has come; None where it is not known here."""
        entry = self._now.entries.get(reference)
        return entry.state if entry else None

    def load(self) -> None:
        """Verify, open and test every package that was found; what fails is kept with its reason and stops nothing else."""
        for reference in self.found:
            self.prepare(reference)

    def prepare(self, reference: Reference) -> Entry:
        """Verify, open, warm and test one package; only then is it visible as ready. Takes seconds: never on the event loop.

        Returns:
            The entry, ready, or failed with its reason; one that is ready already is left alone.
        """
        entry = self._now.entries.get(reference)
        if entry is not None and entry.state is State.READY:
            return entry
        self._put(Entry(reference, State.LOADING))
        entry = self._loaded(reference)
        if entry.predictor is not None:
            self._releaser.watch(entry.predictor)
        self._put(entry)
        log.info("package-loaded", model=str(reference), state=entry.state, code=entry.code)
        return entry

    def look(self) -> None:
        """Take notice of packages that came into the store; they are listed, not served."""
        with self._changing:
            new = [each for each in self._store.references() if each not in self._now.entries]
            entries = {**self._now.entries, **{each: Entry(each, State.UNLOADED) for each in new}}
            self._now = _Now(entries, self._now.routing, self._now.lagging)

    def switch(self, routing: Routing, lagging: Set[str] = frozenset()) -> None:
        """Change what names mean, at once for every request that comes from now on, and let go of what is not named in it.

        Requests that are being answered keep the predictor they have; its session is closed after the last of them.

        Args:
            routing: The new meaning; what it does not serve is unloaded.
            lagging: Names of packages that mean here what they do because what they should mean cannot be loaded.
        """
        kept = routing.in_service.union(*(alias.needed for alias in routing.aliases.values()))
        with self._changing:
            before = self._now
            entries = {
                reference: entry
                if reference in kept or entry.state is State.FAILED
                else Entry(reference, State.UNLOADED, entry.package)
                for reference, entry in before.entries.items()
            }
            self._now = _Now(entries, routing, frozenset(lagging))
        for reference, entry in before.entries.items():
            if entry.state is State.READY and entries[reference].state is State.UNLOADED:
                log.info("package-unloaded", model=str(reference))
        for name in {reference.name for reference in before.routing.answering() ^ routing.answering()}:
            self._metrics.switches.labels(name).inc()

    def close(self) -> None:
        """Let go of every package; call once no more requests come."""
        with self._changing:
            self._now = _Now({}, Routing())
        self._releaser.close()

    def report(self) -> None:
        """Bring the gauges of packages up to date."""
        states = Counter(entry.state for entry in self._now.entries.values())
        for state in State:
            self._metrics.models_by_state.labels(state).set(states[state])
        self._metrics.models.set(states.total())
        self._metrics.models_ready.set(states[State.READY])

    def _answers(self, name: str, task: Task) -> bool:
        manifest = self.entry(name).manifest
        return manifest is not None and manifest.task == task

    def _put(self, entry: Entry) -> None:
        with self._changing:
            entries = {**self._now.entries, entry.reference: entry}
            self._now = _Now(entries, self._now.routing, self._now.lagging)

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
