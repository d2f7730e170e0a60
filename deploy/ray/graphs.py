"""Every package of a store, ready on this machine, by its digest; asked from any thread."""

import threading
from collections.abc import Sequence
from pathlib import Path

from app.errors import PackageDigestError
from app.imaging.load import LoadedCase, load_case
from app.imaging.model_grid import ModelGrid
from app.inference.graph_session import RawOutputs
from app.inference.predictor import Predictor
from app.inference.self_test import self_test
from app.inference.ticket import Ticket, Urgency, holding
from app.model_package.package import Package
from app.model_package.store import ModelStore
from app.serving.entry import StartPredictor, TryPackage
from deploy.ray.wire import OpenedPackage, PackageKey, Question


class Graphs:
    """The packages that were asked for, each made ready once.

    Args:
        store: Where they lie on this machine.
        start: Makes one ready.
        trial: Finds out whether that would end this process; by default nobody does.
    """

    def __init__(self, store: ModelStore, start: StartPredictor, trial: TryPackage | None = None) -> None:
        self._store = store
        self._start = start
        self._trial = trial
        self._ready: dict[PackageKey, _Proven] = {}
        self._opening = threading.Lock()

    def opened(self, key: PackageKey, *, tried_first: bool = True) -> OpenedPackage:
        """Make a package ready, where it is not yet.

        Args:
            key: Which one.
            tried_first: This process has cases to lose.

        Raises:
            UnknownModelError: It is not in the store of this machine.
            PackageDigestError: Another of the same name and version is.
            NeuroFuseError: It must not be served here.
        """
        return OpenedPackage(self._proven(key, tried_first).predictor.session.provider)

    def answer(self, question: Question, ticket: Ticket) -> RawOutputs:
        """Run a graph, alone or in a batch with others.

        Raises:
            NeuroFuseError: As `opened`, and as `GraphSession.run`.
            AbandonedError: The ticket's client has gone.
        """
        with holding(ticket):
            session = self._proven(question.package).predictor.session
            return session.run(question.image, question.values, question.missing)

    def check(self) -> None:
        """Ask every graph for its golden answer again: a device can die under a process that lives.

        Raises:
            NeuroFuseError: One gave another answer, or none.
        """
        with holding(Ticket(Urgency.STAT)):  # a long queue is no sign of ill health
            for proven in list(self._ready.values()):
                proven.check()

    def _proven(self, key: PackageKey, tried_first: bool = True) -> "_Proven":
        found = self._ready.get(key)
        if found is None:
            with self._opening:
                found = self._ready.get(key) or self._open(key, tried_first)
        return found

    def _open(self, key: PackageKey, tried_first: bool) -> "_Proven":
        package = self._store.load(key.name, key.version)
        if package.sha256 != key.sha256:
            raise PackageDigestError(
                f"Expected the same {key} in the stores of all nodes; two differ. Copy one store to every node."
            )
        if tried_first and self._trial is not None:
            self._trial(package)
        self._ready[key] = proven = _Proven(package, self._start)
        return proven


class _Proven:
    """A package that has given its golden answer here, and can be asked for it again without its image being read again."""

    def __init__(self, package: Package, start: StartPredictor) -> None:
        self.predictor: Predictor = start(package)
        self._golden: LoadedCase | None = None
        self.check()

    def check(self) -> None:
        self_test(self.predictor, self._load_once)

    def _load_once(
        self,
        paths: Sequence[Path],
        spec: ModelGrid,
        series: str | None = None,
        *,
        voxels: bool = True,
    ) -> LoadedCase:
        self._golden = self._golden or load_case(paths, spec, series, voxels=voxels)
        return self._golden
