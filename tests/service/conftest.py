"""Servers for all tests that do not change their stores or their limits."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.access_table import guarded
from tests.service.server import Server, serving
from tests.support.oidc import Provider, running


@pytest.fixture(scope="package")
def server(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service with the tiny packages, ready."""
    data = tmp_path_factory.mktemp("service") / "var"
    with serving(tiny_store, data, own=True, read_workers=2) as running:
        yield running


@pytest.fixture(scope="package")
def provider() -> Iterator[Provider]:
    """Of those who come to `door`."""
    with running() as one:
        yield one


@pytest.fixture(scope="package")
def door(
    tiny_store: Path, provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, dict[str, dict[str, str]]]]:
    """A service that asks everybody, and what each kind of caller shows it."""
    with guarded(tiny_store, tmp_path_factory.mktemp("guarded") / "var", provider) as running_there:
        yield running_there
