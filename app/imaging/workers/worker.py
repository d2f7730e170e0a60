"""What runs inside an image worker: limits set on itself, then one case after another.

A worker holds nothing of the service: it imports `app.imaging` and what that needs. It answers with values: a named
error is one, so that no traceback text, which may quote a file, ever leaves it.
"""

import copy
import logging
import os
import resource
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, Literal, Self, TypeVar

import numpy as np
from jaxtyping import Shaped

from app.errors import NeuroFuseError, UnreadableImageError
from app.expendable import become_expendable
from app.heap import have_at_hand, keep_freed_memory
from app.imaging.deidentify.upload import deidentify
from app.imaging.limits import ReadLimits
from app.imaging.load import LoadedCase, TellingLoader, VolumeTask
from app.imaging.model_grid import ModelGrid
from app.imaging.volume import Volume
from app.imaging.workers import rehearsal

USUAL_BYTES: Final = 60 * 2**20
"""What a head CT of 512 x 512 x 30 voxels takes in real numbers, and its heatmap beside it; below `app.heap.LARGEST_KEPT_BYTES`."""
OUT_OF_MEMORY: Final = 3
"""Exit status of a worker that met its limit on memory: what it could not free must not burden the next case."""
NOTHING: Final = np.empty((0, 0, 0), np.float32)
"""Stands for an array that travels through memory instead of the pipe."""
Done = TypeVar("Done")


@dataclass(frozen=True)
class Job:
    """One case for a worker.

    Attributes:
        paths: The upload's files.
        spec: The grid to bring the image to.
        limits: Bounds on files, bytes and voxels.
        series: Series Instance UID that is meant, if one was named.
        scratch: Folder of this case alone; whatever is written to disk goes below it.
        voxels: Memory for the voxels as acquired, as a path; None where they are not wanted.
        image: Memory for the array on the model grid, as a path.
    """

    paths: tuple[Path, ...]
    spec: ModelGrid
    limits: ReadLimits
    series: str | None
    scratch: Path
    voxels: Path | None
    image: Path


@dataclass(frozen=True)
class Fault:
    """A defect of ours, or of the machine's, without its message, which may quote a value.

    Attributes:
        error_type: Name of the exception.
        where: Its frames, outermost first.
        errno: What the system said, such as that a disk is full; None where it said nothing.
    """

    error_type: str
    where: tuple[str, ...]
    errno: int | None


@dataclass(frozen=True)
class Array:
    """What is to be known of an array whose values lie in memory.

    Attributes:
        dtype: As numpy writes it.
        shape: In voxels.
        order: Whether the last axis or the first moves fastest in memory.
    """

    dtype: str
    shape: tuple[int, ...]
    order: Literal["C", "F"]

    @classmethod
    def of(cls, array: Shaped[np.ndarray, "..."]) -> Self:
        """Describe an array."""
        return cls(array.dtype.str, array.shape, "F" if is_fortran(array) else "C")


@dataclass(frozen=True)
class Loaded:
    """A case whose arrays do not come through the pipe.

    Attributes:
        case: Without its arrays.
        voxels: As acquired.
        image: On the model grid.
    """

    case: LoadedCase
    voxels: Array
    image: Array


Outcome = Loaded | NeuroFuseError | Fault
"""What a worker answers with."""


def prepare(memory_bytes: int, name: str) -> None:
    """Limits this process, before its first case.

    Args:
        memory_bytes: Address space it may take beyond what it has now, its libraries loaded.
        name: What it is called among processes.
    """
    # A decoder that hangs in C never comes back to a handler written in Python.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # What libraries print may quote a patient.
    logging.disable()
    warnings.simplefilter("ignore")
    become_expendable(name)
    keep_freed_memory()
    if sys.platform == "linux":
        # BLAS starts its threads at the first product; their stacks and buffers belong to what the process has.
        np.ones((256, 256)) @ np.ones((256, 256))
        limit = _address_space_bytes() + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _address_space_bytes() -> int:
    """Size of this process, the first number of proc(5)'s statm."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()


def rehearse(root: Path) -> None:
    """What a worker does before its first case, so that the case takes as long as any other; see `app.imaging.workers.rehearsal`.

    Args:
        root: Folder for files while that takes.
    """
    have_at_hand(USUAL_BYTES)
    _guarded(partial(rehearsal.rehearse, root))


def work(job: Job, load: TellingLoader) -> Outcome:
    """Loads one case and leaves its arrays in the memory that was offered."""
    tempfile.tempdir = str(job.scratch)
    case = _guarded(partial(_loaded, job, load))
    if not isinstance(case, LoadedCase):
        return case
    return Loaded(
        replace(case, volume=replace(case.volume, voxels=NOTHING), image=replace(case.image, array=NOTHING)),
        Array.of(case.volume.voxels),
        Array.of(case.image.array),
    )


def do(volume: Volume, voxels: Path, array: Array, task: VolumeTask) -> NeuroFuseError | Fault | None:
    """Does something with an image that was read before, by whichever worker.

    Args:
        volume: The image, without its voxels.
        voxels: Memory in which they lie, as a path.
        array: How they lie there.
        task: What is done.
    """
    return _guarded(partial(_done, volume, voxels, array, task))


def _done(volume: Volume, voxels: Path, array: Array, task: VolumeTask) -> None:
    stored = np.memmap(voxels, array.dtype, "r", shape=array.shape, order=array.order)
    task(replace(volume, voxels=np.asarray(stored)))


def strip(
    paths: tuple[Path, ...], folder: Path, key: bytes, limits: ReadLimits
) -> NeuroFuseError | Fault | None:
    """Writes what may be kept of an upload; see `app.imaging.deidentify.upload`."""
    return _guarded(partial(deidentify, paths, folder, key, limits))


def _guarded(do: Callable[[], Done]) -> Done | NeuroFuseError | Fault:
    """What a function answers, or why it does not: no exception leaves a worker."""
    try:
        return do()
    except (MemoryError, UnreadableImageError):
        os._exit(OUT_OF_MEMORY)
    except NeuroFuseError as error:
        return copy.copy(error)  # without its frames, which hold the image
    except Exception as error:  # noqa: BLE001 - told to the service, which logs it and answers 500
        frames = traceback.extract_tb(error.__traceback__)
        return Fault(
            type(error).__name__,
            tuple(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames),
            error.errno if isinstance(error, OSError) else None,
        )


def _loaded(job: Job, load: TellingLoader) -> LoadedCase:
    """Loads a case; its voxels are on their way while it is resampled, which costs more than they do."""
    written: list[Future[None]] = []
    with ThreadPoolExecutor(1) as writer:  # starts no thread that it does not need

        def seen(volume: Volume) -> None:
            if job.voxels is not None:
                try:
                    written.append(writer.submit(_write, job.voxels, volume.voxels))
                except RuntimeError:  # no thread can begin, as in `side_by_side`
                    _write(job.voxels, volume.voxels)

        case = load(job.paths, job.spec, job.series, limits=job.limits, seen=seen)
        _write(job.image, case.image.array)
        for each in written:
            each.result()
    return case


def _write(memory: Path, array: Shaped[np.ndarray, "..."]) -> None:
    """The values in the order in which `Array.of` says they lie."""
    laid = array.T if is_fortran(array) else array
    with memory.open("wb", buffering=0) as file:
        laid.tofile(file)


def is_fortran(array: Shaped[np.ndarray, "..."]) -> bool:
    """Whether the first axis moves fastest, and not the last as well."""
    return array.flags.f_contiguous and not array.flags.c_contiguous
