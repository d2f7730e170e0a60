"""Cases side by side: images are read in processes of their own while the graph answers others, never more than a few in memory."""

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from app.cohort.table import Row, unreadable
from app.errors import NeuroFuseError
from app.imaging.files.folders import files_in
from app.imaging.load import Loader
from app.imaging.workers.isolation import ImageWorkers
from app.inference.predictor import Predictor
from app.model_package.package import Package
from app.predictions.answering import answer_case
from app.predictions.case import Case
from app.predictions.limits import worker_limits
from app.predictions.result_lines import Line, answered, failed
from app.serving.start import start_as_set
from app.settings import Settings
from app.telemetry import log_fault

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class Engine:
    """What answers.

    Attributes:
        predictor: A package that is ready.
        loader: Where images are read.
        workers: Cases at once; as many as the loader reads at once.
    """

    predictor: Predictor
    loader: Loader
    workers: int


@contextmanager
def engine_of(package: Package, settings: Settings, cpus: int | None = None) -> Iterator[Engine]:
    """An engine in this process and in processes beside it, until the block ends.

    Args:
        package: Which answers.
        settings: Provider, threads and bounds.
        cpus: CPUs that are ours, where the machine is shared; by default those this process may use.

    Raises:
        NeuroFuseError: The package is not fit to answer here.
    """
    predictor, limits = start_as_set(settings, cpus=cpus)(package), worker_limits(settings)
    with closing(ImageWorkers(limits)) as loader:
        yield Engine(predictor, loader, limits.workers)


def answered_here(rows: Sequence[tuple[Row, str]], package: Package, settings: Settings) -> Generator[Line]:
    """Answer rows on this machine, see `answer_rows`; closing it ends what is beside this process."""
    with engine_of(package, settings) as engine:
        yield from answer_rows(rows, engine)


def answer_rows(rows: Sequence[tuple[Row, str]], engine: Engine) -> Iterator[Line]:
    """Answer rows, in the order in which they are done; a row that cannot be answered is a line too and stops nothing.

    Args:
        rows: With their digests.
        engine: What answers.
    """
    with ThreadPoolExecutor(engine.workers, thread_name_prefix="case") as pool:
        waiting: set[Future[Line]] = set()
        try:
            for row, digest in rows:
                # One more than are worked on: a thread never waits for this loop, and memory is bounded.
                if len(waiting) > engine.workers:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
                waiting.add(pool.submit(_line, row, digest, engine))
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _line(row: Row, digest: str, engine: Engine) -> Line:
    try:
        row.image.stat()  # what is not there is told in words here; a worker process says only that it failed
        case = Case(files_in([row.image]), row.record, "none")
        # No heatmap is asked for, so nothing is written there.
        with TemporaryDirectory(prefix="neurofuse-") as folder:
            given = answer_case(case, engine.predictor, Path(folder), loader=engine.loader)
    except NeuroFuseError as error:
        return failed(row.name, digest, error)
    except OSError as error:
        return failed(row.name, digest, unreadable(error))
    except Exception as error:  # noqa: BLE001 - one case must not end ten thousand others
        log_fault(log, "case-fault", error)
        return failed(
            row.name, digest, NeuroFuseError("A fault of the software; the log holds its kind and place.")
        )
    return answered(row.name, digest, given.answer)
