"""The replicas that hold the graphs: tensors in, tensors out, for every package of their node's store.

A package is made ready as in a service of one process (`app.serving.start`), so what gathers cases into batches is the same: measured
sizes, the more urgent first, and a case that fails none but itself. Ray's own `serve.batch` knows neither urgency nor deadlines, and fails
a batch as a whole.

Errors travel as values: what Ray raises on the other side is a class of its own, with a traceback for its text.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import ray
import structlog

from app.errors import NeuroFuseError, NotReadyError
from app.inference.graph_session import RawOutputs
from app.inference.ticket import AbandonedError, Ticket
from app.model_package.store import ModelStore
from app.serving.start import start_as_set
from app.serving.trial import PackageTrial
from app.settings import Settings
from app.telemetry import configure_logging, describe_exception, log_fault
from deploy.ray.graphs import Graphs
from deploy.ray.wire import OpenedPackage, PackageKey, Question

THREADS: Final = 128
"""Cases that can wait before the graphs of one replica; the bound that an operator sets is `max_ongoing_requests`."""

log = structlog.stdlib.get_logger(__name__)
Result = TypeVar("Result")


class PredictorReplica:
    """A process with the graphs, and a GPU where the deployment asks for one.

    What is in the store when it begins is made ready before it counts as running; what comes later, when it is first asked for, and
    then a process of its own tries it first (`app.serving.trial`).

    Args:
        _release: Another one makes another replica; see `deploy.ray.application.Arguments`.
    """

    def __init__(self, _release: str = "") -> None:
        settings = Settings()
        configure_logging(settings.log_level, settings.log_format)
        store = ModelStore(settings.model_store)
        self._graphs = Graphs(store, start_as_set(settings, cpus=_own_cpus()), PackageTrial(settings))
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="case")
        for reference in store.references():
            try:
                key = PackageKey.of(store.load(reference.name, reference.version))
                self._graphs.opened(key, tried_first=False)
            except Exception as error:  # noqa: BLE001 - the others are served; why this one is not, is told to whoever asks for it
                log.warning("package-not-ready", model=str(reference), **describe_exception(error))

    async def open(self, key: PackageKey) -> OpenedPackage | NeuroFuseError:
        """Make a package ready, where it is not yet.

        Args:
            key: Which one.

        Returns:
            What is known of it, or why it is not served here.
        """
        return await self._told(lambda: self._graphs.opened(key))

    async def answer(self, question: Question) -> RawOutputs | NeuroFuseError:
        """Run a graph.

        Args:
            question: The tensors; dropped before they cost a run where the caller cancels, or their time is over.

        Returns:
            The answer with the seconds it waited, or why there is none.
        """
        until_s = None if question.remaining_s is None else time.monotonic() + question.remaining_s
        ticket = Ticket(question.urgency, until_s)
        try:
            return await self._told(lambda: self._graphs.answer(question, ticket))
        except asyncio.CancelledError:
            ticket.gone.set()
            raise

    async def check_health(self) -> None:
        """Run the golden case of every package; Ray calls this now and then, and replaces the replica where it raises.

        Raises:
            NeuroFuseError: A graph gave another answer than where it was made, or none.
        """
        await asyncio.get_running_loop().run_in_executor(self._threads, self._graphs.check)

    async def _told(self, work: Callable[[], Result]) -> Result | NeuroFuseError:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except NeuroFuseError as error:
            return error.with_traceback(None)
        except AbandonedError:
            return NotReadyError("Expected somebody who waits for the answer; nobody does.")
        except Exception as error:  # noqa: BLE001 - its text may quote a value, and Ray would write it to a log
            log_fault(log, "predictor-fault", error)
            return NotReadyError(
                "Expected an answer of the graph, found a fault of the software; see the log."
            )


def _own_cpus() -> int:
    """CPUs that Ray reserved for this replica; it keeps nobody from using more, and the others would feel it."""
    reserved = ray.get_runtime_context().get_assigned_resources().get("CPU", 1)
    return max(1, int(reserved))
