"""Every test of this folder states a fault and what the service does then, and notes what it saw."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.faults.outcomes import Outcome, write_table
from tests.service.server import Server, serving

TOKEN: Final = "a-token-of-tests-0123456789"  # noqa: S105 - of these tests alone
HEADERS: Final = "app.api.connection_bounds.HEADER_TIMEOUT_S"
LOCK: Final = "app.records.sqlite.BUSY_TIMEOUT_S"
HURRIED_S: Final = 2
"""For which `server` waits for headers, and another for a database that is locked: a test waits as long."""
WRITE: Final = "NEUROFUSE_WRITE_FAULT_TABLE"
"""Set by `make faults`, which puts what was seen into the reference."""


@pytest.fixture(scope="session")
def _outcomes() -> Iterator[list[Outcome]]:
    outcomes: list[Outcome] = []
    yield outcomes
    if os.environ.get(WRITE):
        write_table(outcomes)


@pytest.fixture
def outcome(request: pytest.FixtureRequest, _outcomes: list[Outcome]) -> Outcome:
    """What this test saw."""
    marker = request.node.get_closest_marker("fault")
    fault, stated = marker.args
    outcome = Outcome(fault, stated, request.node.originalname)
    _outcomes.append(outcome)
    return outcome


@pytest.fixture(scope="package")
def store(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of `server`, to which a test may add."""
    return shutil.copytree(tiny_store, tmp_path_factory.mktemp("faults") / "store")


@pytest.fixture(scope="package")
def server(store: Path) -> Iterator[Server]:
    """A service that survives what is done to it, and waits for headers less long than it would."""
    limits: dict[str, Any] = {"max_concurrent": 2, "queue_limit": 6, "read_workers": 2}
    hurried = {HEADERS: HURRIED_S}
    with serving(store, store.with_name("var"), constants=hurried, admin_token=TOKEN, **limits) as running:
        yield running
