"""A loader that does what a file tells it to: what codecs do to a process at their worst. Runs inside workers."""

import ctypes
import os
import resource
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from app.errors import ArchiveTooLargeError, MixedSeriesError
from app.imaging.decoding_errors import decoding
from app.imaging.limits import DEFAULT_LIMITS, ReadLimits
from app.imaging.load import LoadedCase, load_case
from app.imaging.model_grid import ModelGrid
from app.imaging.volume import Volume


def hang() -> None:
    """Waits for a signal inside C, without giving the interpreter back."""
    ctypes.PyDLL(None).pause()


def crash() -> None:
    """Reads the address 0."""
    ctypes.string_at(0)


def litter_and_die() -> None:
    """Leaves a file in the temporary folder and is killed, as by the kernel when memory runs out."""
    descriptor, _ = tempfile.mkstemp()
    os.write(descriptor, b"Secret^Name")
    os.kill(os.getpid(), signal.SIGKILL)


def hoard() -> None:
    """Takes more and more memory, little by little, and gives none back."""
    held = []
    while True:
        held.append(np.empty(1 << 17))


def crowd() -> None:
    """Leaves no room for the stack of a thread, in this and every later case."""
    threading.stack_size(1 << 30)


def lack() -> None:
    """Meets the limit while decoding."""
    with decoding("The file"):
        np.ones(1 << 40)


def refuse() -> None:
    """Raises a named error with all its parts."""
    raise ArchiveTooLargeError("Expected less, found more. Send less.", limit=7, known=["a", "b"])


def fail() -> None:
    """Has a defect, and a patient's value in hand."""
    raise LookupError("Secret^Name")


def describe() -> None:
    """Tells what this process is."""
    raise MixedSeriesError(
        "as asked",
        pid=os.getpid(),
        modules=sorted(sys.modules),
        core_limit=resource.getrlimit(resource.RLIMIT_CORE),
        temporary_folder=tempfile.gettempdir(),
        out_of_memory_score=out_of_memory_score(),
    )


def out_of_memory_score() -> int | None:
    """How early the kernel takes this process when memory runs out (proc(5)); None on other systems."""
    score = Path("/proc/self/oom_score_adj")
    return int(score.read_text(encoding="ascii")) if score.exists() else None


ACTS: dict[str, Callable[[], None]] = {
    act.__name__: act for act in (hang, crash, litter_and_die, hoard, crowd, lack, refuse, fail, describe)
}


def act_or_load(
    paths: Sequence[Path],
    spec: ModelGrid,
    series: str | None = None,
    *,
    limits: ReadLimits = DEFAULT_LIMITS,
    seen: Callable[[Volume], object] = lambda _volume: None,
) -> LoadedCase:
    """Does what the first file's name says, and loads the case of the others, or of all where it says nothing."""
    if paths[0].name in ACTS:
        ACTS[paths[0].name]()
        paths = paths[1:]
    return load_case(paths, spec, series, limits=limits, seen=seen)
