"""Cases that meet before a graph are answered together: one run of a batch costs a GPU little more than one case.

There is no thread of its own and no clock that ticks: whoever finds a lane free runs the batch in its own thread, for itself and for those
who came meanwhile, the more urgent first. A lone case therefore pays nothing, and under load batches grow by themselves to what the graph
is slow enough to let gather. (Orca and vLLM call this continuous batching; here one run answers a case for good, so it stays this short.)
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from jaxtyping import Float32

from app.errors import NotReadyError
from app.inference.graph_contract import OUTPUTS
from app.inference.graph_session import Features, GraphSession, Images, RawOutputs
from app.inference.ticket import RETRY_AFTER_S, Ticket, current_ticket

LOOK_UP_S: Final = 0.25
"""How often a case that waits asks whether its client is still there and its time not over; nothing else tells."""

Tensors = tuple[Images, Features, Features]


@dataclass(frozen=True)
class BatchPolicy:
    """How cases are gathered.

    Attributes:
        max_batch: Most cases of one run; a single request with more rows has no other one beside it.
        max_wait_s: Longest time that a batch with room waits for others.
        sizes: Sizes of runs, ascending; a batch between two is filled up by repeating its last case, and more rows than the
            largest are several runs, since GPUs tune (and TensorRT compiles) for every shape they meet. Empty: any size.
        run_s: Seconds of a run by its number of cases, as measured before the choice.
    """

    max_batch: int = 1
    max_wait_s: float = 0.0
    sizes: tuple[int, ...] = ()
    run_s: Mapping[int, float] = field(default_factory=dict)


@dataclass(eq=False)
class _Waiting:
    """One call of `run`, from its arrival to its answer."""

    tensors: Tensors
    ticket: Ticket
    number: int
    arrived_s: float = field(default_factory=time.monotonic)
    outcome: RawOutputs | Exception | None = None

    @property
    def rows(self) -> int:
        return len(self.tensors[0])


class BatchedSession:
    """A graph session over one or several equal ones.

    Args:
        lanes: What runs at the same time, at least one: one session a device, or one session several times where its
            provider gains by concurrent runs.
        policy: How cases are gathered.
        observe: Told the cases of every run that was gathered.

    Attributes:
        policy: As given.
        lanes: Their number.
    """

    def __init__(
        self,
        lanes: Sequence[GraphSession],
        policy: BatchPolicy,
        observe: Callable[[int], None] = lambda _cases: None,
    ) -> None:
        self.policy = policy
        self._observe = observe
        self._sessions = tuple(dict.fromkeys(lanes))
        self.lanes = len(lanes)
        self._free = list(lanes)
        self._waiting: list[_Waiting] = []
        self._changed = threading.Condition()
        self._arrived = 0
        self._gathering = False
        self._closed = False

    @property
    def provider(self) -> str:
        """Of its lanes, which are equal."""
        return self._sessions[0].provider

    def run(self, image: Images, values: Features, missing: Features) -> RawOutputs:
        """Answer a batch, alone or with others, as `GraphSession.run` does.

        Raises:
            AbandonedError: The client of the current ticket went away before its turn.
            DeadlinePassedError: The time of the current ticket was over before its turn.
            NeuroFuseError: As the session, for these cases alone: what fails one never fails its neighbours.
        """
        mine = self._enter((image, values, missing))
        batch, lane = self._wait(mine)
        if lane is not None:
            try:
                self._observe(sum(each.rows for each in batch))
                _answer(batch, lane, self.policy.sizes)
            finally:
                self._give_back(lane, batch)
        if isinstance(mine.outcome, RawOutputs):
            return mine.outcome
        assert mine.outcome is not None  # noqa: S101 - `_wait` and `_give_back` end with one  # nosec B101
        raise mine.outcome

    def close(self) -> None:
        """Take no more cases, wait for those that came before, and close every lane."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._waiting and len(self._free) == self.lanes)
        for session in self._sessions:
            session.close()

    def _enter(self, tensors: Tensors) -> _Waiting:
        with self._changed:
            if self._closed:
                raise NotReadyError(
                    "Expected a package that is served; it is being unloaded. Ask again.",
                    retry_after_s=RETRY_AFTER_S,
                )
            self._arrived += 1
            mine = _Waiting(tensors, current_ticket(), self._arrived)
            self._waiting.append(mine)
            self._changed.notify_all()  # a batch that is gathering may want it
            return mine

    def _wait(self, mine: _Waiting) -> tuple[list[_Waiting], GraphSession | None]:
        """Wait until `mine` is answered, or until it is its turn to answer a batch that it is part of."""
        with self._changed:
            while mine.outcome is None:
                if mine in self._waiting:
                    self._drop_if_useless(mine)
                    if self._is_turn_of(mine):
                        lane = self._free.pop()
                        self._gather(mine)
                        return self._take(mine), lane
                self._changed.wait(LOOK_UP_S)
            return [], None

    def _is_turn_of(self, mine: _Waiting) -> bool:
        return bool(self._free) and not self._gathering and mine is min(self._waiting, key=_order)

    def _drop_if_useless(self, mine: _Waiting) -> None:
        try:
            mine.ticket.check()
        except Exception:
            self._waiting.remove(mine)
            self._changed.notify_all()
            raise

    def _gather(self, mine: _Waiting) -> None:
        """Give others the time of the policy to come; waiting lets go of the lock."""
        if mine.rows >= self.policy.max_batch or not self.policy.max_wait_s:
            return
        self._gathering = True
        try:
            self._changed.wait_for(
                lambda: sum(each.rows for each in self._waiting) >= self.policy.max_batch,
                self.policy.max_wait_s,
            )
        finally:
            self._gathering = False

    def _take(self, mine: _Waiting) -> list[_Waiting]:
        """Take `mine` and the most urgent others that fit out of the queue."""
        self._waiting.remove(mine)
        batch, rows = [mine], mine.rows
        for other in sorted(self._waiting, key=_order):
            if rows + other.rows > self.policy.max_batch:
                break
            self._waiting.remove(other)
            try:
                other.ticket.check()
            except Exception as error:  # noqa: BLE001 - it is raised in the thread that waits
                other.outcome = error
            else:
                batch.append(other)
                rows += other.rows
        if self._free:
            self._changed.notify_all()  # who is next now had to wait for this batch to be gathered, not for a lane
        return batch

    def _give_back(self, lane: GraphSession, batch: Sequence[_Waiting]) -> None:
        with self._changed:
            for each in batch:
                each.outcome = each.outcome or NotReadyError(
                    "Expected an answer of the graph; the thread that ran it was ended. Ask again.",
                    retry_after_s=RETRY_AFTER_S,
                )
            self._free.append(lane)
            self._changed.notify_all()


def _order(waiting: _Waiting) -> tuple[int, int]:
    return waiting.ticket.urgency, waiting.number


def _answer(batch: Sequence[_Waiting], lane: GraphSession, sizes: Sequence[int]) -> None:
    """Run a batch; where it fails as a whole, each of its cases has a run of its own and fails or not by itself."""
    started_s = time.monotonic()
    try:
        columns = zip(*(each.tensors for each in batch), strict=True)
        together = _run(lane, [_joined(parts) for parts in columns], sizes)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is raised in the threads that wait
        if len(batch) == 1:
            batch[0].outcome = error
            return
        for each in batch:
            _answer([each], lane, sizes)
        return
    first = 0
    for each in batch:
        rows = slice(first, first + each.rows)
        first += each.rows
        tensors = {name: tensor[rows] for name, tensor in together.items()}
        each.outcome = RawOutputs(**tensors, waited_s=started_s - each.arrived_s)


def _run(
    lane: GraphSession, tensors: Sequence[Float32[np.ndarray, "B ..."]], sizes: Sequence[int]
) -> dict[str, Float32[np.ndarray, "B ..."]]:
    """Answer all rows, in as many runs as it takes where a run has one of `sizes`."""
    rows = len(tensors[0])
    most = sizes[-1] if sizes else rows
    parts = []
    for first in range(0, rows, most):
        part = [tensor[first : first + most] for tensor in tensors]
        answer = lane.run(*(_filled(tensor, sizes) for tensor in part))
        parts.append({name: tensor[: len(part[0])] for name, tensor in answer.tensors().items()})
    return {name: _joined([part[name] for part in parts]) for name in OUTPUTS}


def _joined(parts: Sequence[Float32[np.ndarray, "B ..."]]) -> Float32[np.ndarray, "B ..."]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _filled(tensor: Float32[np.ndarray, "B ..."], sizes: Sequence[int]) -> Float32[np.ndarray, "B ..."]:
    rows = len(tensor)
    size = next((size for size in sizes if size >= rows), rows)
    return tensor if size == rows else np.concatenate([tensor, np.repeat(tensor[-1:], size - rows, axis=0)])
