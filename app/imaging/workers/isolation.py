"""Images are loaded in processes beside the service, so that a bomb, a hang or a crash costs one request.

Decoders are C code that meets whatever a client sends. Each worker is a process with a bound on its address space; each
case has a bound on its time. What passes a bound is killed with all it held, and the next case finds a new worker.

Workers are forked from a server process (`multiprocessing`'s forkserver) that has loaded `app.imaging` and nothing else:
a new one costs milliseconds, shares the libraries' memory, and inherits neither threads nor locks of the service. The
kernel ends the workers when the server ends, and the server ends with the service, however that ends.

Voxels come back in anonymous memory (memfd_create(2)), which has no name that could be left behind, is not bounded by the
size of /dev/shm, and is gone when the last array over it is dropped.
"""

import os
import sys
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from types import TracebackType
from typing import Final, ParamSpec, Self, TypeVar

import numpy as np
import structlog
from jaxtyping import Shaped

from app.errors import NeuroFuseError, NotReadyError, UnreadableImageError
from app.imaging.limits import DEFAULT_LIMITS, GIBIBYTE, ReadLimits
from app.imaging.load import LoadedCase, TellingLoader, VolumeTask, load_case
from app.imaging.model_grid import ModelGrid
from app.imaging.volume import Volume, without_voxels
from app.imaging.workers import worker
from app.imaging.workers.fork_server import LeanContext
from app.imaging.workers.pool import PoolClosedError, WorkerEndedError, WorkerPool
from app.imaging.workers.worker import Array, Done, Fault, Job
from app.scratch_folders import ScratchFolders

RETRY_AFTER_S: Final = 5

READER: Final = "image-reader"
CLEANER: Final = "image-cleaner"
P = ParamSpec("P")
Told = TypeVar("Told")
_context: Final = LeanContext(worker.__name__)
log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class WorkerLimits:
    """How many workers, and what one case may cost.

    Attributes:
        workers: Cases loaded at the same time.
        timeout_s: Seconds for one case, from the moment a worker takes it.
        memory_bytes: Address space a worker may take beyond its libraries; holds on Linux only.
        tasks_per_worker: After so many, each an image that was read or something that was made of one, a worker is replaced: what a library leaks stays small.
        name: What workers are called among processes.
        reading: Bounds on files, bytes and voxels of one case.
    """

    workers: int = 2
    timeout_s: float = 60.0
    memory_bytes: int = 4 * GIBIBYTE
    tasks_per_worker: int = 500
    name: str = READER
    reading: ReadLimits = DEFAULT_LIMITS


class WorkerFaultError(Exception):
    """A defect of ours inside a worker; its type and place are in the log."""


class ImageWorkers:
    """A `Loader` whose work is done by other processes; called from any thread, it blocks until the case is loaded.

    Args:
        limits: Bounds.
        scratch: Where each case gets a folder for whatever a library writes; the system's temporary folder by default.
        loader: What a worker runs; a function of a module.
    """

    def __init__(
        self, limits: WorkerLimits, scratch: Path | None = None, loader: TellingLoader = load_case
    ) -> None:
        self._limits = limits
        root = scratch or Path(gettempdir())
        self._scratch = ScratchFolders(root)
        self._loader = loader
        self._pool = WorkerPool(
            limits.workers,
            limits.tasks_per_worker,
            partial(worker.prepare, limits.memory_bytes, limits.name),
            _context,
            partial(worker.rehearse, root),
        )

    def __call__(
        self,
        paths: Sequence[Path],
        spec: ModelGrid,
        series: str | None = None,
        *,
        voxels: bool = True,
    ) -> LoadedCase:
        """Loads one case as `load_case` does.

        Raises:
            RequestError: As `load_case`, raised in the worker and again here.
            UnreadableImageError: A bound was met, or the worker ended.
            NotReadyError: The workers were closed.
            WorkerFaultError: A defect of ours.
        """
        with self._scratch.one() as scratch:
            stored, image = _Memory(scratch / "voxels") if voxels else None, _Memory(scratch / "image")
            job = Job(
                tuple(paths),
                spec,
                self._limits.reading,
                series,
                scratch,
                None if stored is None else stored.path,
                image.path,
            )
            loaded = _succeeded(self._outcome(worker.work, job, self._loader))
            case = replace(
                loaded.case, image=replace(loaded.case.image, array=_mapped(image.path, loaded.image))
            )
            if stored is None:
                return replace(case, volume=without_voxels(case.volume, loaded.voxels.shape))
            elsewhere = partial(self._do, case.volume, stored, loaded.voxels) if stored.stays else None
            acquired = replace(case.volume, voxels=_mapped(stored.path, loaded.voxels))
            return replace(case, volume=acquired, elsewhere=elsewhere)

    def _do(self, volume: Volume, stored: "_Memory", array: Array, task: VolumeTask) -> None:
        """Does something with a volume where the interpreter's lock holds up nobody else; the voxels stay where they are."""
        _succeeded(self._outcome(worker.do, volume, stored.path, array, task))

    def deidentify(self, paths: Sequence[Path], folder: Path, key: bytes) -> None:
        """Writes what may be kept of an upload, as `app.imaging.deidentify.upload` does.

        Raises:
            NeuroFuseError: As `__call__`.
        """
        _succeeded(self._outcome(worker.strip, tuple(paths), folder, key, self._limits.reading))

    def warm(self) -> None:
        """Waits until the workers are up and have rehearsed; without it the first cases pay for that.

        Raises:
            UnreadableImageError: One ended before it had.
        """
        try:
            self._pool.warm()
        except PoolClosedError:
            pass  # the service is told to stop before it has begun
        except WorkerEndedError as error:
            raise self._told(error) from None

    def begin(self) -> None:
        """The same where nobody waits for it: what cannot begin now is logged, and begins when it is needed."""
        try:
            self.warm()
        except UnreadableImageError:
            pass  # it is logged
        except (OSError, RuntimeError) as error:  # no process, file or thread is to be had
            log.error("image-workers-not-begun", error_type=type(error).__name__)  # noqa: TRY400 - no traceback text

    def close(self) -> None:
        """Ends the workers; cases that are being loaded end with `NotReadyError`."""
        self._pool.close()
        self._scratch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _outcome(self, do: Callable[P, Told], *args: P.args, **kwargs: P.kwargs) -> Told:
        limits = self._limits
        try:
            return self._pool.run(partial(do, *args, **kwargs), limits.timeout_s)
        except TimeoutError:
            raise UnreadableImageError(
                f"Expected an image that is read, or drawn, within {limits.timeout_s:g} seconds, found one that takes longer. "
                "Send one series, and only its files, or ask for no heatmap.",
                limit=limits.timeout_s,
            ) from None
        except PoolClosedError:
            raise NotReadyError(
                "Expected a running service; it is stopping. Try again later.", retry_after_s=RETRY_AFTER_S
            ) from None
        except WorkerEndedError as error:
            raise self._told(error) from None

    def _told(self, error: WorkerEndedError) -> UnreadableImageError:
        log.warning("image-worker-ended", status=error.status)
        return _ended(error.status, self._limits.memory_bytes)


def _succeeded(outcome: Done | NeuroFuseError | Fault) -> Done:
    if isinstance(outcome, NeuroFuseError):
        raise outcome
    if isinstance(outcome, Fault):
        log.error("image-worker-fault", error_type=outcome.error_type, where=outcome.where)
        if outcome.errno is not None:
            raise OSError(outcome.errno, os.strerror(outcome.errno))
        raise WorkerFaultError(outcome.error_type)
    return outcome


def _ended(status: int | None, memory_bytes: int) -> UnreadableImageError:
    if status == worker.OUT_OF_MEMORY:
        return UnreadableImageError(
            f"Expected an image that is read, or drawn, within {memory_bytes} bytes of memory, found one that needs more. "
            "Send one series, and only its files, or ask for no heatmap.",
            limit=memory_bytes,
        )
    return UnreadableImageError(
        "Expected an image that can be decoded and drawn, found one at which the process that does so ended abnormally. "
        "Export the series again, without compression, or ask for no heatmap."
    )


class _Memory:
    """Memory that workers write to and read by a path; it is gone with this object and the last array over it.

    Args:
        file: What does the same where the system has no anonymous memory.

    Attributes:
        path: What a worker opens.
        stays: Whether it is there as long as this object, and not only as long as the file is.
    """

    def __init__(self, file: Path) -> None:
        self.stays = sys.platform == "linux"
        self.path = file
        if sys.platform == "linux":
            descriptor = os.memfd_create(file.name)
            self.path = Path(f"/proc/{os.getpid()}/fd/{descriptor}")
            weakref.finalize(self, os.close, descriptor).atexit = False


def _mapped(memory: Path, array: Array) -> Shaped[np.ndarray, "..."]:
    """The array a worker wrote; no copy, and the memory lives as long as the array."""
    if 0 in array.shape:
        return np.empty(array.shape, array.dtype)  # nothing cannot be mapped
    return np.asarray(np.memmap(memory, array.dtype, "r+", shape=array.shape, order=array.order))
