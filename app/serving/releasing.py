"""Gives back sessions once nobody uses them: a request holds its predictor, and the last one to let go of it ends the session.

Counting holders by hand would need every user of a predictor to take part; the interpreter counts references anyway. What it calls then may
run in any thread at any moment, so it only writes down what is to be closed, and a thread of its own does the closing.
"""

import ctypes
import threading
import weakref
from collections.abc import Callable
from queue import SimpleQueue
from types import TracebackType
from typing import Final, Self

import structlog

from app.inference.graph_session import GraphSession
from app.inference.predictor import Predictor
from app.telemetry import log_fault

END_S: Final = 5.0
"""Longest time that the end of the service waits for sessions that are being closed."""

log = structlog.stdlib.get_logger(__name__)


class Releaser:
    """A thread that closes sessions whose predictor is gone; `close` ends it."""

    def __init__(self) -> None:
        # `SimpleQueue.put` is made to be called from a finaliser, whatever lock the interrupted thread holds.
        self._done_with: SimpleQueue[tuple[GraphSession, str] | None] = SimpleQueue()
        self._trim = _trimmer()
        self._thread = threading.Thread(target=self._work, name="session-releaser", daemon=True)
        self._thread.start()

    def watch(self, predictor: Predictor) -> None:
        """Close the session of a predictor once the last reference to the predictor is gone."""
        name = str(predictor.package.manifest.reference)
        finalizer = weakref.finalize(predictor, self._done_with.put, (predictor.session, name))
        finalizer.atexit = False

    def close(self) -> None:
        """Close what is to be closed by now, then end."""
        self._done_with.put(None)
        self._thread.join(END_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _work(self) -> None:
        while (item := self._done_with.get()) is not None:
            session, model = item
            try:
                session.close()
            except Exception as error:  # noqa: BLE001 - one session must not keep the others open
                log_fault(log, "session-fault", error, model=model)
            else:
                log.info("session-released", model=model)
            del session, item
            self._trim()


def _trimmer() -> Callable[[], object]:
    """What gives freed memory back to the system.

    glibc keeps it in an arena for each thread, so that a process that loads and unloads under load would come to hold several times what it
    uses; malloc_trim(3) empties them all. Other C libraries do not have it.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return lambda: None
    return lambda: trim(0)
