"""Before a package takes cases: run every batch size once, see what larger batches bring on this machine, and choose."""

import time
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from jaxtyping import Float32

from app.inference.batching import BatchPolicy
from app.inference.graph_contract import blank_inputs
from app.inference.graph_session import GraphSession
from app.model_package.manifest import Manifest

SIZES: Final = (1, 2, 4, 8, 16)
RUNS: Final = 3
"""Runs that count of each size, after one that does not; the fastest says what the machine can do."""
LEAST_SAVING: Final = 0.2
"""Share of a case's time that a larger batch must save: less is not worth that cases wait for each other."""
LEAST_SAVING_S: Final = 0.001
"""And this many seconds; so graphs that take next to no time are answered one by one."""
LONGEST_RUN_S: Final = 0.5
"""No batch takes longer: an urgent case would have to wait for its end."""
WAIT_SHARE: Final = 0.25
"""Share of a single case's run that a batch with room may wait for others."""


def warm_up(session: GraphSession, manifest: Manifest, most: int = SIZES[-1]) -> BatchPolicy:
    """Measure a session and choose how its cases are gathered.

    A CPU answers two cases in twice the time of one, so it is given one at a time; a GPU is not full with one.

    Args:
        session: Nothing else may run on it meanwhile.
        manifest: Of its package.
        most: Cases of the largest batch that is tried.

    Returns:
        The choice, with what was measured. The largest size is chosen whose cases take less than those of the size chosen before by
        `LEAST_SAVING`; sizes are tried as long as they do.

    Raises:
        ServiceError: As `GraphSession.run`, for a single case; a size that the device has no memory for ends the trial.
    """
    run_s = {1: fastest_run_s(session, manifest, 1)}
    chosen = 1
    for size in (size for size in SIZES if 1 < size <= most):
        try:
            run_s[size] = fastest_run_s(session, manifest, size)
        except Exception:  # noqa: BLE001 - whatever a device says of too large a batch
            break
        if not _worth_it(run_s, size, chosen):
            break
        chosen = size
    wait_s = WAIT_SHARE * run_s[1] if chosen > 1 else 0.0
    return BatchPolicy(chosen, wait_s, run_s=run_s)


def exercise(session: GraphSession, manifest: Manifest, sizes: Iterable[int]) -> None:
    """Run every size once: the first run of a shape is the slow one, and no case shall be it.

    Raises:
        ServiceError: As `GraphSession.run`.
    """
    for size in sizes:
        session.run(*blank_inputs(manifest, size))


def _worth_it(run_s: Mapping[int, float], size: int, chosen: int) -> bool:
    before_s, after_s = run_s[chosen] / chosen, run_s[size] / size
    saving_s = before_s - after_s
    return run_s[size] <= LONGEST_RUN_S and saving_s >= max(LEAST_SAVING * before_s, LEAST_SAVING_S)


def fastest_run_s(session: GraphSession, manifest: Manifest, size: int) -> float:
    """Seconds of a run of so many cases, the fastest of a few after one that does not count.

    Raises:
        ServiceError: As `GraphSession.run`.
    """
    tensors = blank_inputs(manifest, size)
    session.run(*tensors)
    return min(_timed(session, tensors) for _ in range(RUNS))


def _timed(session: GraphSession, tensors: tuple[Float32[np.ndarray, "B ..."], ...]) -> float:
    began_s = time.perf_counter()
    session.run(*tensors)
    return time.perf_counter() - began_s
