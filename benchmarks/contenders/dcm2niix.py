"""dcm2niix: a series to a volume and no further; it reads, stacks, and writes an uncompressed NIfTI."""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import dcm2niix  # type: ignore[import-not-found]  # lives in the environment of the peers

from benchmarks.job import Answer, Job


def run(job: Job) -> Answer:
    """Convert into a folder in memory where there is one, so that no disk is timed."""
    with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:  # noqa: S108
        command = [dcm2niix.bin, "-z", "n", "-b", "n", "-v", "0", "-o", folder, job.unpacked]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - the peer's own binary
    return Answer()
