"""Processes that begin with what training needs loaded: importing it takes far longer than what most of them do."""

import os
from collections.abc import Callable
from pathlib import Path

from app.imaging.workers.fork_server import LeanContext


def run_loaded(log: Path, function: Callable[..., object], *given: object) -> int:
    """Run a function in a process of its own, forked as an ablation's jobs are from one that has computed nothing.

    Args:
        log: All that it writes is appended here.
        function: Known by its name to whoever imports its module.
        given: To the function.

    Returns:
        How it ended: an exit status, or minus the number of a signal.
    """
    context = LeanContext("training.ablation.warm")
    process = context.Process(target=_logged, args=(log, dict(os.environ), function, *given))
    process.start()
    try:
        process.join()
    finally:
        process.kill()  # nothing to one that has ended; of a test that is cut off none stays, which pytest would wait for
    assert process.exitcode is not None
    return process.exitcode


def _logged(log: Path, environment: dict[str, str], function: Callable[..., object], *given: object) -> None:
    with log.open("ab") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    os.environ.clear()  # of the process it is forked from, which an earlier test may have begun
    os.environ.update(environment)
    function(*given)
