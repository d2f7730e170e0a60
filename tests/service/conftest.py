"""One server for all tests that do not change its store or its limits."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.server import Server, serving


@pytest.fixture(scope="package")
def server(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service with the tiny packages, ready."""
    with serving(tiny_store, tmp_path_factory.mktemp("service") / "var") as running:
        yield running
