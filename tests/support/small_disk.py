"""A real, small file system, and how it is filled."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

DISK_BYTES = 8 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    mounted = tmp_path / "disk"
    mounted.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(mounted)]
    if (made := subprocess.run(mount, check=False, capture_output=True, text=True)).returncode:  # noqa: S603 - our own words
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    yield mounted
    subprocess.run(["umount", "--lazy", str(mounted)], check=True)  # noqa: S603, S607 - as above


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Nothing can be written while the block runs."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as stream:
        for block in (bytes(1 << 16), bytes(1 << 12), b"0"):
            try:
                while stream.write(block):
                    pass
            except OSError:
                continue
    yield
    filler.unlink()
