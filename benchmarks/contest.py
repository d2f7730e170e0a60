"""Contenders in processes of their own, asked in turns."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Final, cast

from benchmarks.job import Job

ROOT: Final = Path(__file__).resolve().parents[1]


class Contender:
    """One worker.

    Attributes:
        name: Of its module in `benchmarks.contenders`.
    """

    def __init__(self, name: str, python: Path) -> None:
        self.name = name
        command = [str(python), "-W", "ignore", "-m", "benchmarks.worker", name]
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, order: str, job: Job, where: Path | None = None) -> dict[str, Any]:
        """Give an order of `benchmarks.worker.ORDERS` and wait for the answer.

        Raises:
            RuntimeError: The worker has ended.
        """
        request = {"order": order, "job": asdict(job), "where": None if where is None else str(where)}
        print(json.dumps(request), file=self._process.stdin, flush=True)
        line = cast("IO[str]", self._process.stdout).readline()
        if not line:
            raise RuntimeError(
                f"The worker of {self.name} ended. Run `python -m benchmarks.worker {self.name}` to see why."
            )
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the worker."""
        self._process.communicate()


@contextmanager
def contenders(names: dict[str, Path]) -> Iterator[list[Contender]]:
    """Start workers, and end them afterwards.

    Args:
        names: Interpreter by contender.
    """
    with ExitStack() as running:
        started = []
        for name, python in names.items():
            contender = Contender(name, python)
            running.callback(contender.close)
            started.append(contender)
        yield started
