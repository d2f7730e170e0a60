"""Processes that each do one thing at a time for whoever waits for it, and may be lost while they do.

The thread that wants something done borrows a process, writes to its pipe and waits at it: nobody else is between them. A process that ends, or is
ended because it took too long, costs its borrower an error and is followed by another. One that has done its share works on until its successor is
ready, so that nobody waits for that.
"""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
        rehearse: Done by a process as its first task where it is begun before somebody wants it.
    """

    def __init__(
        self,
        size: int,
        tasks_per_worker: int,
        prepare: Callable[[], object],
        context: BaseContext,
        rehearse: Callable[[], object] = os.getpid,
    ) -> None:
        self._size = size
        self._tasks_per_worker = tasks_per_worker
        self._prepare = prepare
        self._context = context
        self._rehearse = rehearse
        self._places = threading.Semaphore(size)
        self._warming = threading.Lock()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._succession: _Succession | None = None

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

    def warm(self) -> None:
        """Begin every process that there may be and have each rehearse; who calls it meanwhile waits for the same.

        Raises:
            WorkerEndedError: One cannot begin.
            PoolClosedError: The pool is closed, or was meanwhile.
        """
        with self._warming, ThreadPoolExecutor(self._size, thread_name_prefix="warming") as threads:
            for ended in [threads.submit(self._warm_one) for _ in range(self._size)]:
                ended.result()

    def close(self) -> None:
        """End every process and whatever it does; on return nobody waits for one any more."""
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
            idle, self._idle = self._idle, []
            busy = self._all.difference(idle)
            succession = self._succession
        if succession is not None:
            busy.add(succession.successor)
        for worker in busy:
            worker.kill()  # whoever waits for it sees that, and drops it
        for worker in idle:
            self._drop(worker)
        for _ in range(self._size):
            self._places.acquire()
        self._places.release(self._size)
        if succession is not None:
            succession.thread.join()

    def _warm_one(self) -> None:
        with self._places:
            with self._lock:
                worker = self._new() if len(self._all) < self._size else None
            if worker is not None:
                self._asked(worker, self._rehearse, None)

    def _done(self, do: Callable[[], Told], timeout_s: float | None) -> Told:
        with self._lock:
            # Who has a place and finds nobody idle is one of fewer than there may be.
            worker = self._idle.pop() if self._idle else self._new()
            worker.tasks += 1
        return self._asked(worker, do, timeout_s)

    def _new(self) -> "_Worker":
        """A process yet to be begun; the caller has the lock."""
        worker = _Worker(self._context, self._prepare)
        self._all.add(worker)
        return worker

    def _asked(self, worker: "_Worker", do: Callable[[], Told], timeout_s: float | None) -> Told:
        try:
            told = self._told(worker, do, timeout_s)
        except BaseException:
            self._drop(worker)
            raise
        self._give_back(worker)
        return told

    def _told(self, worker: "_Worker", do: Callable[[], Told], timeout_s: float | None) -> Told:
        try:
            worker.begin()
            if self._closed.is_set():  # perhaps before there was a process to kill
                raise PoolClosedError
            return cast("Told", worker.do(do, timeout_s))
        except WorkerEndedError:
            if self._closed.is_set():
                raise PoolClosedError from None
            raise

    def _give_back(self, worker: "_Worker") -> None:
        is_spent = worker.tasks >= self._tasks_per_worker
        with self._lock:
            is_kept = not self._closed.is_set() and not (is_spent and len(self._all) > self._size)
            if is_kept:
                self._idle.append(worker)
                if is_spent and self._succession is None:
                    self._succession = self._begun_succession()
            else:
                self._all.discard(
                    worker
                )  # at once: another that is given back must not take itself for one too many
        if not is_kept:
            self._drop(worker)

    def _begun_succession(self) -> "_Succession | None":
        """None where no file or thread is to be had now: what was done is done, and the next that is given back tries again."""
        try:
            succession = _Succession(self._succeed, _Worker(self._context, self._prepare))
            succession.thread.start()
        except (OSError, RuntimeError):
            return None
        return succession

    def _succeed(self, successor: "_Worker") -> None:
        """Have a process take the place of one that has done its share, once it has rehearsed."""
        retired: _Worker | None = successor
        try:
            self._told(successor, self._rehearse, None)
            with self._lock:
                retired = self._placed(successor)
        except (PoolClosedError, WorkerEndedError, OSError):
            pass  # the next process that has done its share and is given back tries again
        finally:
            if retired is not None:
                self._drop(retired)
            with self._lock:
                self._succession = None

    def _placed(self, successor: "_Worker") -> "_Worker | None":
        """Who has to go now; the caller has the lock."""
        spent = {each for each in self._all if each.tasks >= self._tasks_per_worker}
        if self._closed.is_set() or (not spent and len(self._all) >= self._size):
            return successor
        self._all.add(successor)
        self._idle.append(successor)
        for each in spent.intersection(self._idle):
            self._idle.remove(each)
            self._all.discard(each)
            return each
        return None  # it works, and goes when it is given back

    def _drop(self, worker: "_Worker") -> None:
        worker.end()
        with self._lock:
            self._all.discard(worker)


class _Worker:
    """A process and the pipe to it; one thread at a time has it."""

    def __init__(self, context: BaseContext, prepare: Callable[[], object]) -> None:
        self.tasks = 0
        self._pipe, self._far_end = context.Pipe()
        self._process: BaseProcess = context.Process(  # type: ignore[attr-defined]  # every kind of context has it
            target=_work, args=(self._far_end, prepare), daemon=True
        )

    def begin(self) -> None:
        """Begin the process, if it has not been."""
        if self._process.pid is None:
            self._process.start()
            self._far_end.close()

    def do(self, do: Callable[[], object], timeout_s: float | None) -> Any:  # noqa: ANN401 - whatever the task gives
        """Have a task done.

        Raises:
            TimeoutError: It took longer.
            WorkerEndedError: The process ended.
        """
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
        if self._process.pid is not None:
            self._process.kill()

    def end(self) -> None:
        """End the process and let go of it."""
        if self._process.pid is not None:
            self._process.kill()
            self._process.join()
        self._far_end.close()
        self._pipe.close()


class _Succession:
    """A process that is about to take another's place, and who sees to that."""

    def __init__(self, succeed: Callable[[_Worker], None], successor: _Worker) -> None:
        self.successor = successor
        self.thread = threading.Thread(target=succeed, args=(successor,), name="succession", daemon=True)


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
