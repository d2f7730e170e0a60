"""Mutated uploads through the door, in worker processes: each ends in a tensor or a named refusal, soon and small.

Input `index` of run `seed` is always the same, so whatever is found can be made again from two numbers.
"""

import resource
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import TimeoutError as TooLateError
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from pebble import ProcessExpired, ProcessPool

from app.errors import RequestError
from app.imaging.limits import ReadLimits
from app.imaging.read import read_image
from app.imaging.resample import to_model_grid
from app.imaging.volume import Modality
from tests.fuzz.mutate import mutated
from tests.fuzz.seeds import Seed, seeds
from tests.imaging.making import CT_GRID, MR_GRID

LIMITS: Final = ReadLimits(max_files=200, max_archive_bytes=64 << 20, max_voxels=1 << 22)
MEMORY_BYTES: Final = 1 << 30
"""Address space a worker may add to what it has after its imports."""
SLOW_S: Final = 5.0
"""A single input that takes longer counts as a hang."""
BATCH: Final = 50
BATCH_TIMEOUT_S: Final = 120.0


@dataclass(frozen=True)
class Finding:
    """An input that broke the promise.

    Attributes:
        index: Of the input.
        what: Exception, crash, hang or memory.
        files: The upload.
    """

    index: int
    what: str
    files: tuple[bytes, ...]


@dataclass
class Tally:
    """What became of inputs.

    Attributes:
        outcomes: Count by error code; `answered` for volumes.
        findings: Broken promises.
        slowest_s: Longest single input.
        peak_mib: Greatest resident memory of a worker.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    slowest_s: float = 0.0
    peak_mib: float = 0.0

    def add(self, other: "Tally") -> None:
        """Take in the tally of a batch."""
        self.outcomes += other.outcomes
        self.findings += other.findings
        self.slowest_s = max(self.slowest_s, other.slowest_s)
        self.peak_mib = max(self.peak_mib, other.peak_mib)


@cache
def all_seeds() -> tuple[Seed, ...]:
    """The valid uploads, made once per process."""
    with TemporaryDirectory() as folder:
        return tuple(seeds(Path(folder)))


def make_input(seed: int, index: int) -> tuple[Seed, tuple[bytes, ...]]:
    """The upload of one index: a valid one with one file or all of them mutated."""
    rng = np.random.default_rng([seed, index])
    valid = all_seeds()[int(rng.integers(len(all_seeds())))]
    files = list(valid.files)
    others = [file for one in all_seeds() for file in one.files[:1]]
    which = range(len(files)) if rng.random() < 0.3 else [int(rng.integers(len(files)))]
    for n in which:
        files[n] = mutated(files[n], others, rng)
    return valid, tuple(files)


def try_input(seed: int, index: int) -> Tally:
    """Read one input here and now."""
    valid, files = make_input(seed, index)
    tally = Tally()
    with TemporaryDirectory() as folder:
        paths = []
        for n, data in enumerate(files):
            paths.append(Path(folder) / str(n))
            paths[-1].write_bytes(data)
        started = time.perf_counter()
        try:
            volume = read_image(paths, modality=valid.modality, limits=LIMITS)
            to_model_grid(volume, CT_GRID if valid.modality is Modality.CT else MR_GRID)
            outcome = "answered"
        except RequestError as error:
            outcome = error.code
        except Exception as error:  # noqa: BLE001 - what is looked for
            outcome = type(error).__name__
            tally.findings.append(Finding(index, f"{valid.name}: {error!r}", files))
        tally.slowest_s = time.perf_counter() - started
        left = [path for path in Path(folder).iterdir() if path not in paths]
    if tally.slowest_s > SLOW_S:
        tally.findings.append(Finding(index, f"{valid.name}: {tally.slowest_s:.1f} s", files))
    if left:
        tally.findings.append(Finding(index, f"{valid.name}: left files behind", files))
    tally.outcomes[outcome] += 1
    tally.peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return tally


def try_batch(seed: int, indices: Sequence[int]) -> Tally:
    """Read several inputs in this process."""
    tally = Tally()
    for index in indices:
        tally.add(try_input(seed, index))
    return tally


def fuzz(count: int, seed: int, workers: int) -> Iterator[Tally]:
    """Tallies of batches as they are done; a batch that kills or blocks its worker is looked through one by one."""
    batches = [range(first, min(first + BATCH, count)) for first in range(0, count, BATCH)]
    with ProcessPool(workers, initializer=_limit_memory, context=get_context("spawn")) as pool:
        futures = [pool.schedule(try_batch, args=(seed, batch), timeout=BATCH_TIMEOUT_S) for batch in batches]
        for batch, future in zip(batches, futures, strict=True):
            try:
                yield future.result()
            except (ProcessExpired, TooLateError):
                yield _one_by_one(pool, seed, batch)


def _one_by_one(pool: ProcessPool, seed: int, batch: Sequence[int]) -> Tally:
    tally = Tally()
    for index in batch:
        try:
            tally.add(pool.schedule(try_input, args=(seed, index), timeout=SLOW_S + 30).result())
        except (ProcessExpired, TooLateError) as error:
            tally.outcomes[type(error).__name__] += 1
            tally.findings.append(Finding(index, type(error).__name__, make_input(seed, index)[1]))
    return tally


def _limit_memory() -> None:
    all_seeds()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    used_kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmSize"))
    limit = used_kib * 1024 + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
