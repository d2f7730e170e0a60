"""A real, small file system, and how it is filled."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

DISK_BYTES = 8 << 20


@contextmanager
def mounted(folder: Path) -> Iterator[Path]:
    """A file system of a few megabytes below a folder, while the block runs."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(disk)]
    if (made := subprocess.run(mount, check=False, capture_output=True, text=True)).returncode:  # noqa: S603 - our own words
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)  # noqa: S603, S607 - as above


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Such a file system."""
    with mounted(tmp_path) as disk:
        yield disk


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
    try:
        yield
    finally:
        filler.unlink()
