"""A fault in what is watched of one package leaves the others' gauges right."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from prometheus_client import Counter

from app.errors import StorageUnavailableError
from app.model_package.manifest import Manifest
from app.telemetry import log_fault

log = structlog.stdlib.get_logger(__name__)


@contextmanager
def faults_told(manifest: Manifest, faults: Counter) -> Iterator[None]:
    """Log and count a fault of the block and go on: the gauges of this package keep their last values.

    Args:
        manifest: Of the package.
        faults: Counts them.

    Raises:
        StorageUnavailableError: The database is away, for every package alike; the round ends.
    """
    try:
        yield
    except StorageUnavailableError:
        raise
    except Exception as error:  # noqa: BLE001 - a summary, a stored answer and the database may say anything
        # No message: it may hold a value.
        faults.inc()
        log_fault(log, "watch-fault", error, model=name_of(manifest))


def tell_unreadable(manifest: Manifest, count: int) -> None:
    """Log that stored answers of a package could not be read, as those of another release may be; nothing where all could.

    Args:
        manifest: Of the package.
        count: How many.
    """
    if count:
        log.warning("answers-unreadable", model=name_of(manifest), count=count)


def name_of(manifest: Manifest) -> str:
    """As a log line names a package."""
    return f"{manifest.name}@{manifest.version}"
