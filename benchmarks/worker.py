"""One contender in a process of its own: `python -m benchmarks.worker CONTENDER`, a line of JSON in, a line out.

Imports nothing of the project but what a peer's environment can import; starting the interpreter is not timed.
"""

import gc
import json
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TextIO

import numpy as np

from benchmarks.job import Answer, Job
from benchmarks.memory import peak_bytes
from benchmarks.stages import shares

Run = Callable[[Job], Answer]


def timed(run: Run, job: Job, _where: str | None) -> dict[str, object]:
    """Seconds of one run, on the wall and of all cores together (children that ended included)."""
    gc.collect()
    wall, cpu = time.perf_counter(), _cpu_s()
    run(job)
    return {"wall_s": time.perf_counter() - wall, "cpu_s": _cpu_s() - cpu}


def kept(run: Run, job: Job, where: str | None) -> dict[str, object]:
    """Run once, leave the tensor in a file."""
    answer = run(job)
    if where is not None and answer.tensor is not None:
        np.save(where, answer.tensor)
    affine = None if answer.affine is None else answer.affine.tolist()
    return {"affine": affine, "decoded_bytes": answer.decoded_bytes}


def weighed(run: Run, job: Job, _where: str | None) -> dict[str, object]:
    """Peak of the memory."""
    return {"peak_bytes": peak_bytes(lambda: run(job))}


def watched(run: Run, job: Job, _where: str | None) -> dict[str, object]:
    """Shares of the stages."""
    return {"shares": shares(lambda: run(job))}


ORDERS: Mapping[str, Callable[[Run, Job, str | None], dict[str, object]]] = {
    "time": timed,
    "keep": kept,
    "weigh": weighed,
    "watch": watched,
}


def answer_to(line: str, run: Run) -> dict[str, object]:
    """Carry out one order: `{"order": ..., "job": ..., "where": ...}`."""
    request = json.loads(line)
    try:
        return ORDERS[request["order"]](run, Job(**request["job"]), request.get("where"))
    except Exception as error:  # noqa: BLE001 - a peer may fail in any way; the table says so and goes on
        return {"failed": f"{type(error).__name__}: {error}"[:200]}


def main() -> None:
    """Serve until the input ends."""
    warnings.simplefilter("ignore")
    run: Run = import_module(f"benchmarks.contenders.{sys.argv[1]}").run
    with _own_output() as output:
        for line in sys.stdin:
            print(json.dumps(answer_to(line, run)), file=output, flush=True)


def _cpu_s() -> float:
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _own_output() -> TextIO:
    """Standard output for us alone; what libraries print goes to standard error."""
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return output


if __name__ == "__main__":
    main()
