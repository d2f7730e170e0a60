"""Whatever operators do in whatever order, on whichever process: names keep a meaning that answers, and processes agree."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app.errors import (
    GoldenMismatchError,
    MalformedRequestError,
    NothingToRollBackError,
    PackageInUseError,
    PackageRefusedError,
    UnknownModelError,
)
from app.inference.onnx_runtime.session import OnnxSession
from app.inference.predictor import Predictor
from app.model_package.naming import Reference
from app.model_package.package import Package
from app.model_package.store import ModelStore
from app.records.aliases import Alias, Canary
from app.records.store import RecordStore
from app.serving.catalogue import Catalogue
from app.serving.entry import State, require_ready
from app.serving.rollout import Rollout
from tests.support.records import tables_at
from tests.support.tiny_package import build_tiny_package

BROKEN = 4
EXAMPLES = 6
"""Histories of 12 steps; after a change of the rollout, try 200."""
KEYS = [f"case-{number}" for number in range(12)]
ALIASES = st.sampled_from(["production", "trial"])
VERSIONS = st.integers(1, BROKEN)
REFUSALS = (
    MalformedRequestError,
    PackageRefusedError,
    PackageInUseError,
    NothingToRollBackError,
    UnknownModelError,
)


def start(package: Package) -> Predictor:
    """Opens a package; one of them never gives its golden answer."""
    if package.manifest.version == BROKEN:
        raise GoldenMismatchError("the answer is another one")
    return Predictor(package, OnnxSession(package, threads=1))


class Operators(RuleBasedStateMachine):
    """Two processes over one database and one store; of four versions the last is broken."""

    store: Path

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        self._database = tables_at(Path(folder) / "records.sqlite3")
        self._processes: list[tuple[Catalogue, Rollout]] = []

    @initialize()
    def begin(self) -> None:
        # An operator who set `production` before anything else: then a bare name never moves by itself.
        for _ in range(2):
            self._start()
        self._processes[0][1].point(Alias("gos", "production", 1))
        self._follow()

    @rule(process=st.integers(0, 1), version=VERSIONS)
    def load(self, process: int, version: int) -> None:
        self._act(process, lambda rollout: rollout.load(Reference("gos", version)))

    @rule(process=st.integers(0, 1), version=VERSIONS)
    def unload(self, process: int, version: int) -> None:
        self._act(process, lambda rollout: rollout.unload(Reference("gos", version)))

    @rule(
        process=st.integers(0, 1),
        alias=ALIASES,
        version=VERSIONS,
        canary=st.none() | VERSIONS,
        shadow=st.none() | VERSIONS,
    )
    def point(self, process: int, alias: str, version: int, canary: int | None, shadow: int | None) -> None:
        wanted = Alias("gos", alias, version, Canary(canary, 0.5) if canary else None, shadow)
        self._act(process, lambda rollout: rollout.point(wanted))

    @rule(process=st.integers(0, 1), alias=ALIASES)
    def roll_back(self, process: int, alias: str) -> None:
        self._act(process, lambda rollout: rollout.roll_back("gos", alias))

    @rule(process=st.integers(0, 1))
    def forget_the_trial(self, process: int) -> None:
        self._act(process, lambda rollout: rollout.remove("gos", "trial"))

    @rule(process=st.integers(0, 1))
    def restart(self, process: int) -> None:
        catalogue, _ = self._processes.pop(process)
        catalogue.close()
        self._start()
        self._follow()

    @invariant()
    def every_name_answers_and_is_the_same_everywhere(self) -> None:
        for catalogue, _ in self._processes:
            assert catalogue.ready
            for model in ("gos", *map(str, catalogue.routing.aliases.values())):
                for key in KEYS:
                    assert require_ready(catalogue.entry(model, key)).package.manifest.version != BROKEN
        meanings = [self._meaning(catalogue) for catalogue, _ in self._processes]
        assert all(meaning == meanings[0] for meaning in meanings)

    @invariant()
    def nothing_broken_is_served(self) -> None:
        for catalogue, _ in self._processes:
            assert catalogue.state(Reference("gos", BROKEN)) is not State.READY

    def teardown(self) -> None:
        for catalogue, _ in self._processes:
            catalogue.close()
        self._stack.close()

    def _act(self, process: int, act: Callable[[Rollout], object]) -> None:
        before = [self._meaning(catalogue) for catalogue, _ in self._processes]
        try:
            act(self._processes[process][1])
        except REFUSALS:
            self._follow()
            assert [self._meaning(catalogue) for catalogue, _ in self._processes] == before
        self._follow()

    def _start(self) -> None:
        records = RecordStore(self._database)
        self._stack.callback(records.close)
        catalogue = Catalogue(ModelStore(self.store), start)
        rollout = Rollout(records.plan, catalogue)
        rollout.follow()
        self._processes.append((catalogue, rollout))

    def _follow(self) -> None:
        for _, rollout in self._processes:
            rollout.follow()

    def _meaning(self, catalogue: Catalogue) -> dict[str, list[Reference]]:
        names = ("gos", *map(str, catalogue.routing.aliases.values()))
        return {name: [catalogue.entry(name, key).reference for key in KEYS] for name in names}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("states")
    for version in range(1, BROKEN + 1):
        build_tiny_package(folder, "gos", version=version)
    return folder


def test_names_keep_a_meaning_that_answers(store: Path) -> None:
    Operators.store = store
    run_state_machine_as_test(Operators, settings=settings(max_examples=EXAMPLES, stateful_step_count=12))
