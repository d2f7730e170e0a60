"""Every test of this folder states a fault and what the service does then, and notes what it saw."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.faults.outcomes import Outcome, write_table
from tests.service.server import Server, serving

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
def server(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service that survives what is done to it."""
    limits: dict[str, Any] = {"max_concurrent": 2, "queue_limit": 6, "upload_timeout_s": 2}
    with serving(tiny_store, tmp_path_factory.mktemp("faults") / "var", **limits) as running:
        yield running
