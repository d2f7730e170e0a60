"""Which packages this process serves, which of them have proved themselves here, and what names mean."""

import threading
from collections import Counter
from collections.abc import Set
from dataclasses import replace

import structlog

from app.errors import NeuroFuseError
from app.inference.lost_device import DEVICE_LOST
from app.inference.predictor import Predictor
from app.metrics import Metrics
from app.model_package.manifest import Task
from app.model_package.naming import Reference
from app.model_package.store import ModelStore
from app.serving.entry import Entry, StartPredictor, State, TryPackage
from app.serving.releasing import Releaser
from app.serving.routing import Meaning, Routing
from app.serving.snapshot import Snapshot
from app.telemetry import log_fault

log = structlog.stdlib.get_logger(__name__)


class Catalogue:
    """The packages of this process. Found in the store when the process began, or loaded since; a store is never polled.

    Any thread may ask at any time. Changes are made by one thread at a time, `app.serving.rollout` sees to that.

    Args:
        store: Where packages lie.
        start: Makes a package ready.
        metrics: Where choices and switches are counted.
        trial: Finds out whether making a package ready would end this process; by default nobody does.

    Attributes:
        found: What lay in the store when the process began.
    """

    def __init__(
        self,
        store: ModelStore,
        start: StartPredictor,
        metrics: Metrics | None = None,
        trial: TryPackage | None = None,
    ) -> None:
        self._store = store
        self._start = start
        self._trial = trial
        self._survived = set[str]()  # digests of packages that were ready in this process once
        self._metrics = metrics or Metrics()
        self._releaser = Releaser()
        self.found = store.references()
        self._changing = threading.Lock()
        self._now = Snapshot(
            {reference: Entry(reference) for reference in self.found}, Routing(frozenset(self.found))
        )

    def entries(self) -> list[Entry]:
        """Every package, by name and version."""
        return [entry for _, entry in sorted(self._now.entries.items())]

    def predictors(self) -> list[Predictor]:
        """The packages that are ready, by name and version."""
        return [entry.predictor for entry in self.entries() if entry.predictor is not None]

    @property
    def routing(self) -> Routing:
        """What names mean now."""
        return self._now.routing

    @property
    def ready(self) -> bool:
        """Whether this process answers whatever names mean; see `app.serving.snapshot.Snapshot.ready`. Without its GPU it does not."""
        return self._now.ready and not DEVICE_LOST.is_set()

    def entry(self, model: str, key: str | None = None) -> Entry:
        """Find what `name`, `name@version` or `name@alias` means (`app.serving.routing`).

        Args:
            model: The name.
            key: What stays the same when a case is sent again; without one, no case goes to a canary.

        Raises:
            UnknownModelError: There is no such package.
        """
        return self._counted(*self._now.find(model, key), key)

    def entry_for_task(self, task: Task, key: str | None = None) -> Entry:
        """Find the package that answers a task: the one named after it, else the only one that does.

        Raises:
            UnknownModelError: None does, or several do and none bears the task's name.
        """
        now = self._now
        return self._counted(*now.find(now.name_for_task(task), key), key)

    def shadows_of(self, reference: Reference) -> list[Predictor]:
        """The packages that are compared with the answers of this one, those that are ready."""
        return self._now.shadows_of(reference)

    def state(self, reference: Reference) -> State | None:
        """How far a package has come; None where it is not known here."""
        return self._now.state(reference)

    def load(self) -> None:
        """Verify, open and test every package that was found; what fails is kept with its reason and stops nothing else."""
        for reference in self.found:
            self.prepare(reference)

    def prepare(self, reference: Reference, *, tried_first: bool = False) -> Entry:
        """Verify, open, warm and test one package; only then is it visible as ready. Takes seconds: never on the event loop.

        Args:
            reference: Which one.
            tried_first: This process has cases to lose: a package that it never had ready goes through the trial before.

        Returns:
            The entry, ready, or failed with its reason; one that is ready already is left alone.
        """
        entry = self._now.entries.get(reference)
        if entry is not None and entry.state is State.READY:
            return entry
        self._put(Entry(reference, State.LOADING))
        entry = self._loaded(reference, tried_first)
        if entry.predictor is not None:
            self._releaser.watch(entry.predictor)
        self._put(entry)
        log.info("package-loaded", model=str(reference), state=entry.state, code=entry.code)
        return entry

    def look(self) -> None:
        """Take notice of what came into the store, which is listed, not served; and of what is gone from it and not needed."""
        with self._changing:
            listed = {each: Entry(each, State.UNLOADED) for each in self._store.references()}
            known = {
                reference: entry
                for reference, entry in self._now.entries.items()
                if reference in listed or self._now.holds(entry)
            }
            self._now = replace(self._now, entries={**listed, **known})

    def forget(self, reference: Reference) -> None:
        """Take a version that failed for one that was never tried: nobody wants it any more."""
        with self._changing:
            entry = self._now.entries.get(reference)
            if entry is not None and entry.state is State.FAILED:
                unloaded = Entry(reference, State.UNLOADED, entry.package)
                self._now = replace(self._now, entries={**self._now.entries, reference: unloaded})

    def switch(self, routing: Routing, lagging: Set[str] = frozenset()) -> None:
        """Change what names mean, at once for every request that comes from now on, and let go of what is not named in it.

        Requests that are being answered keep the predictor they have; its session is closed after the last of them. A failure is kept
        with its reason until its version, which was to be served, is to be served no longer.

        Args:
            routing: The new meaning; what it does not serve is unloaded.
            lagging: Names of packages that mean here what they do because what they should mean cannot be loaded.
        """
        kept = routing.needed()
        with self._changing:
            before = self._now
            settled = before.wanted() - {each for each in before.entries if each.name in lagging}
            entries = {
                reference: entry
                if reference in kept or (entry.state is State.FAILED and reference not in settled)
                else Entry(reference, State.UNLOADED, entry.package)
                for reference, entry in before.entries.items()
            }
            self._now = Snapshot(entries, routing, frozenset(lagging))
        for reference, entry in before.entries.items():
            if entry.state is State.READY and entries[reference].state is State.UNLOADED:
                log.info("package-unloaded", model=str(reference))
        for name in {reference.name for reference in before.routing.answering() ^ routing.answering()}:
            self._metrics.switches.labels(name).inc()

    def close(self) -> None:
        """Let go of every package; call once no more requests come."""
        with self._changing:
            self._now = Snapshot()
        self._releaser.close()

    def report(self) -> None:
        """Bring the gauges of packages and aliases up to date."""
        states = Counter(entry.state for entry in self._now.entries.values())
        for state in State:
            self._metrics.models_by_state.labels(state).set(states[state])
        self._metrics.models.set(states.total())
        self._metrics.models_ready.set(states[State.READY])
        self._metrics.alias_versions.clear()  # those that are forgotten
        for alias in self._now.routing.aliases.values():
            self._metrics.alias_versions.labels(str(alias)).set(alias.version)

    def _counted(self, entry: Entry, meaning: Meaning, key: str | None) -> Entry:
        if meaning.alias is not None and key is not None:
            self._metrics.alias_cases.labels(str(meaning.alias), str(entry.reference.version)).inc()
        return entry

    def _put(self, entry: Entry) -> None:
        with self._changing:
            self._now = replace(self._now, entries={**self._now.entries, entry.reference: entry})

    def _loaded(self, reference: Reference, tried_first: bool) -> Entry:
        package = None
        try:
            package = self._store.load(reference.name, reference.version)
            if tried_first and self._trial is not None and package.sha256 not in self._survived:
                self._trial(package)
            predictor = self._start(package)
            self._survived.add(package.sha256)
        except NeuroFuseError as error:
            return Entry(reference, State.FAILED, package, None, error.code, error.detail)
        except Exception as error:  # noqa: BLE001 - one broken package must not stop the others
            log_fault(log, "package-fault", error, model=str(reference))
            return Entry(
                reference, State.FAILED, package, None, NeuroFuseError.code, "Loading failed; see the log."
            )
        return Entry(reference, State.READY, package, predictor)
