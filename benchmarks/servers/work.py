"""What every contender does between a request and its answer, and what the environment chooses of it.

`BENCH_PORT` is the port, `BENCH_PACKAGE` the folder of the package, `BENCH_READING` says who reads: `ours`, by
`app.imaging`, `app.ehr` and `app.inference`, or `theirs`, as the users of such servers write it.
"""

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

CORES: Final = 2
"""What each of them is given to run on: as processes with a thread each, or as threads of one process."""


class Work(Protocol):
    """Reading and inference, apart from each other because some servers run them apart."""

    def prepare(self, image: bytes, ehr: str) -> Any:  # noqa: ANN401 - whatever `infer` of the same class takes
        """Read a zip of DICOM and the JSON text of a record."""

    def infer(self, cases: Sequence[Any]) -> list[dict[str, float]]:
        """Probabilities by class of each prepared case, in one run of the graph."""


def make_work(threads: int) -> Work:
    """The work that the environment asks for.

    Args:
        threads: Of one run of the graph.
    """
    module = import_module(f"benchmarks.servers.{os.environ['BENCH_READING']}")
    work: Work = module.Reader(Path(os.environ["BENCH_PACKAGE"]), threads)
    return work


def port() -> int:
    """Where to listen, on the loopback."""
    return int(os.environ["BENCH_PORT"])
