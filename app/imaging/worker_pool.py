"""Processes that each do one thing at a time for whoever waits for it, and may be lost while they do.

The thread that wants something done borrows a process, writes to its pipe and waits at it: nobody else is between them. A process that ends, or is
ended because it took too long, costs its borrower an error and is followed by another.
"""

import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any, Final, TypeVar, cast

Told = TypeVar("Told")
ATTEMPTS: Final = 3
"""Processes that may end one after the other before they begin a task; the third shows that it is no accident of an idle one."""
END_S: Final = 2.0
"""Seconds that a process has to end once its pipe has; code that took one over could close its pipe and stay."""
FAULTY: Final = 1
"""Exit status of a process whose work raised, or gave what cannot be sent; its words stay with it, since they may quote a patient."""


class PoolClosedError(Exception):
    """The pool was closed before or while something was to be done."""


class WorkerEndedError(Exception):
    """A process ended before it answered.

    Attributes:
        status: Its exit status; negative is the signal that ended it, None where it did not end by itself.
    """

    def __init__(self, status: int | None) -> None:
        super().__init__(f"exit status {status}")
        self.status = status


class _NotBegunError(WorkerEndedError):
    """The process ended before it took the task."""


class WorkerPool:
    """A bounded number of processes, begun when they are first needed.

    Args:
        size: Processes at the same time.
        tasks_per_worker: After so many a process is replaced.
        prepare: Called once in each process before all else; a function of a module, or a `partial` of one.
        context: How processes are begun.
    """

    def __init__(
        self, size: int, tasks_per_worker: int, prepare: Callable[[], object], context: BaseContext
    ) -> None:
        self._size = size
        self._tasks_per_worker = tasks_per_worker
        self._prepare = prepare
        self._context = context
        self._places = threading.Semaphore(size)
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()

    def run(self, do: Callable[[], Told], timeout_s: float | None = None) -> Told:
        """Have something done, as soon as a process is free.

        Args:
            do: A function of a module, or a `partial` of one; it must not raise.
            timeout_s: Seconds from the moment a process has it; None waits as long as it takes.

        Raises:
            TimeoutError: It took longer; the process is gone.
            WorkerEndedError: The process ended.
            PoolClosedError: The pool is closed.
        """
        with self._places:
            for _ in range(ATTEMPTS - 1):
                try:
                    return self._done(do, timeout_s)
                except _NotBegunError:
                    pass  # it was ended while it was idle; the task is as it was
            return self._done(do, timeout_s)

    def warm(self, do: Callable[[], object]) -> None:
        """Begin every process that there may be, and have something done in each.

        Raises:
            WorkerEndedError: One cannot begin.
            PoolClosedError: The pool is closed, or was meanwhile.
        """
        for _ in range(self._size):
            with self._places:
                if len(self._all) < self._size:
                    self._asked(self._begun(), do, None)

    def close(self) -> None:
        """End every process and whatever it does; on return nobody waits for one any more."""
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
            idle, self._idle = self._idle, []
            busy = self._all.difference(idle)
        for worker in busy:
            worker.kill()  # whoever waits for it sees that, and drops it
        for worker in idle:
            self._drop(worker)
        for _ in range(self._size):
            self._places.acquire()
        self._places.release(self._size)

    def _done(self, do: Callable[[], Told], timeout_s: float | None) -> Told:
        with self._lock:
            worker = self._idle.pop() if self._idle else None
        return self._asked(worker or self._begun(), do, timeout_s)

    def _asked(self, worker: "_Worker", do: Callable[[], Told], timeout_s: float | None) -> Told:
        try:
            told = worker.do(do, timeout_s)
        except BaseException as error:
            self._drop(worker)
            if self._closed.is_set() and isinstance(error, WorkerEndedError):
                raise PoolClosedError from None
            raise
        self._give_back(worker)
        return cast("Told", told)

    def _begun(self) -> "_Worker":
        if self._closed.is_set():
            raise PoolClosedError
        worker = _Worker(self._context, self._prepare)
        with self._lock:
            self._all.add(worker)
            is_late = self._closed.is_set()
        if is_late:
            self._drop(worker)
            raise PoolClosedError
        return worker

    def _give_back(self, worker: "_Worker") -> None:
        with self._lock:
            is_spent = worker.tasks >= self._tasks_per_worker or len(self._all) > self._size
            if not is_spent and not self._closed.is_set():
                self._idle.append(worker)
                return
        self._drop(worker)

    def _drop(self, worker: "_Worker") -> None:
        worker.end()
        with self._lock:
            self._all.discard(worker)


class _Worker:
    """A process and the pipe to it; one thread at a time has it."""

    def __init__(self, context: BaseContext, prepare: Callable[[], object]) -> None:
        self.tasks = 0
        self._pipe, far_end = context.Pipe()
        with far_end:
            self._process: BaseProcess = context.Process(  # type: ignore[attr-defined]  # every kind of context has it
                target=_work, args=(far_end, prepare), daemon=True
            )
            self._process.start()

    def do(self, do: Callable[[], object], timeout_s: float | None) -> Any:  # noqa: ANN401 - whatever the task gives
        """Have a task done.

        Raises:
            TimeoutError: It took longer.
            WorkerEndedError: The process ended.
        """
        self.tasks += 1
        try:
            self._pipe.send(do)
            if not self._pipe.poll(timeout_s):
                raise TimeoutError
            return self._pipe.recv()
        except (BrokenPipeError, ConnectionResetError):
            # Linux says so, and not that the pipe has ended, where the process took nothing or only a part of what was sent (unix(7)).
            raise _NotBegunError(self._status()) from None
        except EOFError:
            raise WorkerEndedError(self._status()) from None

    def _status(self) -> int | None:
        self._process.join(END_S)
        return self._process.exitcode

    def kill(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()

    def end(self) -> None:
        """End the process and let go of it."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _work(pipe: Connection, prepare: Callable[[], object]) -> None:
    """What a process does as long as somebody is at the other end of its pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the program that waits
    try:
        prepare()
        while True:
            try:
                do = pipe.recv()
            except EOFError:
                return
            pipe.send(do())
    except BaseException:  # noqa: BLE001 - told by the exit status alone
        os._exit(FAULTY)
