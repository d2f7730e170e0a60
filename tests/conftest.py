"""Fixtures every test may use."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A deadline would make every property a timed test, and a busy machine a failure.
settings.register_profile("neurofuse", deadline=None)
settings.load_profile("neurofuse")

pytest_plugins = [
    "tests.support.fixtures",
    "tests.support.oidc",
    "tests.support.postgres",
    "tests.support.s3",
    "tests.support.small_disk",
]


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real images; absent on most machines, required wherever CI is set."""
    folder = os.environ.get("NEUROFUSE_SAMPLES")
    if folder and Path(folder).is_dir():
        return Path(folder).resolve()
    if os.environ.get("CI"):
        pytest.fail("CI must set NEUROFUSE_SAMPLES to the folder of real images")
    pytest.skip("real images are not here: set NEUROFUSE_SAMPLES to their folder")


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Programs that a test starts can be interrupted: what a shell starts in the background has SIGINT ignored, and passes that on."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
