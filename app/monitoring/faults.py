"""A fault in what is watched of one package leaves the others' gauges right, and one of what removes things is counted."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from prometheus_client import Counter

from app.errors import StorageUnavailableError
from app.model_package.manifest import Manifest
from app.predictions.sweeping import Swept
from app.telemetry import describe_exception

log = structlog.stdlib.get_logger(__name__)


class CountedSweep:
    """A store whose sweeps that fail are counted; whoever sweeps hears of them all the same.

    Args:
        store: What is swept.
        faults: Where they are counted.
    """

    def __init__(self, store: Swept, faults: Counter) -> None:
        self._store = store
        self._faults = faults

    def sweep(self) -> int:
        """Sweep it; the number of things removed."""
        with self._faults.count_exceptions():
            return self._store.sweep()


@contextmanager
def faults_logged(manifest: Manifest) -> Iterator[None]:
    """Log a fault of the block and go on: the gauges of this package keep their last values.

    Args:
        manifest: Of the package.

    Raises:
        StorageUnavailableError: The database is away, for every package alike; the round ends.
    """
    try:
        yield
    except StorageUnavailableError:
        raise
    except Exception as error:  # noqa: BLE001 - a summary, a stored answer and the database may say anything
        # No message: it may hold a value.
        log.error("watch-fault", model=name_of(manifest), **describe_exception(error))  # noqa: TRY400


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
