"""Cases share a run where they meet, the urgent first, and nobody answers for a neighbour."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from app.errors import DeadlinePassedError, NotReadyError, OverloadedError
from app.inference import batching
from app.inference.batching import BatchedSession, BatchPolicy
from app.inference.graph_contract import OUTPUTS, input_shapes
from app.inference.graph_session import RawOutputs
from app.inference.onnx_runtime.session import OnnxSession
from app.inference.ticket import RETRY_AFTER_S, AbandonedError, Ticket, Urgency, holding
from app.model_package.store import ModelStore
from tests.support.slow_graph import REFUSED, SlowGraph, case
from tests.support.waiting import LONGEST_S, wait_until

STAT, ROUTINE, BATCH = Urgency


class Crowd:
    """Threads that ask a session, each with its ticket, in a known order."""

    def __init__(self, session: BatchedSession) -> None:
        self.session = session
        self.pool = ThreadPoolExecutor(32)

    def ask(self, pixel: float, ticket: Ticket | None = None) -> Future[RawOutputs]:
        def run() -> RawOutputs:
            with holding(ticket or Ticket()):
                return self.session.run(*case(pixel))

        arrived = self.session._arrived
        future = self.pool.submit(run)
        wait_until(lambda: self.session._arrived > arrived)
        return future


def pixels(futures: Sequence[Future[RawOutputs]]) -> list[float]:
    return [float(future.result(LONGEST_S).probabilities[0, 0]) for future in futures]


def test_who_comes_alone_is_answered_alone_and_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "LOOK_UP_S", 60.0)  # what is not done at once takes a minute
    graph = SlowGraph()
    session = BatchedSession([graph], BatchPolicy(max_batch=8))
    answer = session.run(*case(5))
    assert graph.runs == [[5.0]]
    assert answer.probabilities[0, 0] == 5
    assert answer.waited_s < 60


def test_those_who_came_meanwhile_share_the_next_run_and_each_gets_its_own() -> None:
    graph = SlowGraph()
    graph.gate.clear()
    crowd = Crowd(BatchedSession([graph], BatchPolicy(max_batch=3)))
    asked = [crowd.ask(pixel) for pixel in range(6)]
    graph.gate.set()
    assert pixels(asked) == list(range(6))
    assert graph.runs == [[0], [1, 2, 3], [4, 5]]
    for pixel, future in enumerate(asked):
        tensors = future.result().tensors()
        assert all(len(tensor) == 1 for tensor in tensors.values())
        assert (tensors["heatmap"] == pixel).all()
        assert (tensors["embedding"] == pixel).all()


def test_the_more_urgent_go_first_and_equals_in_the_order_they_came() -> None:
    graph = SlowGraph()
    graph.gate.clear()
    crowd = Crowd(BatchedSession([graph], BatchPolicy(max_batch=2)))
    urgencies = (ROUTINE, BATCH, ROUTINE, BATCH, STAT, ROUTINE)
    asked = [crowd.ask(pixel, Ticket(urgency)) for pixel, urgency in enumerate(urgencies)]
    graph.gate.set()
    assert pixels(asked) == list(range(6))
    assert graph.runs == [[0], [4, 2], [5, 1], [3]]


def test_a_case_whose_client_has_gone_costs_no_run() -> None:
    graph = SlowGraph()
    graph.gate.clear()
    crowd = Crowd(BatchedSession([graph], BatchPolicy(max_batch=2)))
    ticket = Ticket()
    first, left, last = crowd.ask(1), crowd.ask(2, ticket), crowd.ask(3)
    ticket.gone.set()
    graph.gate.set()
    assert pixels([first, last]) == [1, 3]
    with pytest.raises(AbandonedError):
        left.result(LONGEST_S)
    assert graph.runs == [[1], [3]]


def test_a_case_whose_time_is_over_is_told_so_before_the_run_ends_that_it_waits_for() -> None:
    graph = SlowGraph()
    graph.gate.clear()
    crowd = Crowd(BatchedSession([graph], BatchPolicy()))
    first, late = crowd.ask(1), crowd.ask(2, Ticket(deadline_s=time.monotonic() + 0.05))
    with pytest.raises(DeadlinePassedError):
        late.result(LONGEST_S)
    assert not first.done()
    graph.gate.set()
    assert pixels([first]) == [1]
    assert graph.runs == [[1]]


def test_a_batch_that_the_device_has_no_memory_for_is_answered_one_by_one() -> None:
    graph = SlowGraph(memory=2)
    graph.gate.clear()
    crowd = Crowd(BatchedSession([graph], BatchPolicy(max_batch=4)))
    asked = [crowd.ask(pixel) for pixel in range(5)]
    graph.gate.set()
    assert pixels(asked) == list(range(5))
    assert graph.runs == [[0], [1, 2, 3, 4], [1], [2], [3], [4]]


def test_what_fails_one_case_fails_no_neighbour_and_no_later_case() -> None:
    graph = SlowGraph()
    graph.gate.clear()
    crowd = Crowd(BatchedSession([graph], BatchPolicy(max_batch=4)))
    first, sound, broken, other = (crowd.ask(pixel) for pixel in (0, 1, REFUSED, 2))
    graph.gate.set()
    assert pixels([first, sound, other]) == [0, 1, 2]
    with pytest.raises(OverloadedError):
        broken.result(LONGEST_S)
    assert pixels([crowd.ask(7)]) == [7]


def test_a_batch_with_room_waits_for_others_no_longer_than_its_policy_says() -> None:
    graph = SlowGraph()
    crowd = Crowd(BatchedSession([graph], BatchPolicy(max_batch=2, max_wait_s=2 * LONGEST_S)))
    assert sorted(pixels([crowd.ask(1), crowd.ask(2)])) == [1, 2]
    assert sorted(graph.runs[0]) == [1, 2]
    graph = SlowGraph()
    assert BatchedSession([graph], BatchPolicy(max_batch=2, max_wait_s=0.01)).run(*case(3)).probabilities == 3


def test_a_request_of_many_rows_runs_alone() -> None:
    graph = SlowGraph()
    session = BatchedSession([graph], BatchPolicy(max_batch=2))
    many = [np.concatenate([part, part, part, part]) for part in case(4)]
    assert len(session.run(*many).probabilities) == 4
    assert graph.runs == [[4, 4, 4, 4]]


def test_runs_have_the_sizes_that_were_warmed_up_and_answers_those_that_were_asked() -> None:
    graph = SlowGraph()
    graph.gate.clear()
    crowd = Crowd(BatchedSession([graph], BatchPolicy(max_batch=4, sizes=(1, 4))))
    asked = [crowd.ask(pixel) for pixel in range(4)]
    graph.gate.set()
    assert pixels(asked) == [0, 1, 2, 3]
    assert graph.runs == [[0], [1, 2, 3, 3]]


@pytest.mark.parametrize(
    ("rows", "runs"), [(3, [[0, 1, 2, 2]]), (5, [[0, 1, 2, 3], [4]]), (6, [[0, 1, 2, 3], [4, 5, 5, 5]])]
)
def test_more_rows_than_the_largest_size_are_several_runs_of_sizes_that_were_warmed_up(
    rows: int, runs: list[list[float]]
) -> None:
    graph = SlowGraph()
    session = BatchedSession([graph], BatchPolicy(max_batch=4, sizes=(1, 4)))
    tensors = (np.concatenate(parts) for parts in zip(*map(case, range(rows)), strict=True))
    answer = session.run(*tensors)
    assert graph.runs == runs
    for tensor in answer.tensors().values():
        assert len(tensor) == rows
    assert answer.probabilities[:, 0].tolist() == [*range(rows)]


def test_runs_are_counted_by_their_cases() -> None:
    graph, counted = SlowGraph(), list[int]()
    graph.gate.clear()
    crowd = Crowd(BatchedSession([graph], BatchPolicy(max_batch=4), counted.append))
    asked = [crowd.ask(pixel) for pixel in range(4)]
    graph.gate.set()
    assert pixels(asked) == [0, 1, 2, 3]
    assert counted == [1, 3]


def test_every_lane_works() -> None:
    lanes = [SlowGraph(), SlowGraph()]
    for lane in lanes:
        lane.gate.clear()
    crowd = Crowd(BatchedSession(lanes, BatchPolicy()))
    asked = [crowd.ask(pixel) for pixel in range(2)]
    wait_until(lambda: all(lane.runs for lane in lanes))
    for lane in lanes:
        lane.gate.set()
    assert pixels(asked) == [0, 1]


def test_a_lane_that_is_free_takes_who_did_not_fit_into_the_batch_that_was_gathered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batching, "LOOK_UP_S", 2 * LONGEST_S)  # nobody looks up of itself
    lanes = [SlowGraph(), SlowGraph()]
    for lane in lanes:
        lane.gate.clear()
    session = BatchedSession(lanes, BatchPolicy(max_batch=2, max_wait_s=2 * LONGEST_S))
    crowd = Crowd(session)
    gathers = crowd.ask(1)
    wait_until(lambda: session._gathering)
    fits_not = crowd.pool.submit(session.run, *(np.concatenate([part, part]) for part in case(2)))
    wait_until(lambda: all(lane.runs for lane in lanes))
    for lane in lanes:
        lane.gate.set()
    assert pixels([gathers, fits_not]) == [1, 2]


def test_closing_lets_those_who_came_before_finish_and_takes_no_other() -> None:
    graph = SlowGraph()
    graph.gate.clear()
    session = BatchedSession([graph], BatchPolicy())
    crowd = Crowd(session)
    asked = [crowd.ask(pixel) for pixel in range(3)]
    closing = threading.Thread(target=session.close)
    closing.start()
    wait_until(lambda: session._closed)
    with pytest.raises(NotReadyError) as refused:
        session.run(*case(9))
    assert refused.value.fields["retry_after_s"] == RETRY_AFTER_S
    assert not graph.closed
    graph.gate.set()
    closing.join(LONGEST_S)
    assert pixels(asked) == [0, 1, 2]
    assert graph.closed


def test_a_crowd_gets_the_answers_that_each_gets_alone(tiny_store: Path) -> None:
    package = ModelStore(tiny_store).load("gos", 1)
    direct = OnnxSession(package, threads=1)
    session = BatchedSession([OnnxSession(package, threads=1)] * 2, BatchPolicy(4, 0.001))
    image, values, missing = input_shapes(package.manifest).values()
    rng = np.random.default_rng(2112)
    cases = [
        (
            rng.uniform(-100, 200, (1, *image)).astype(np.float32),
            rng.uniform(0, 100, (1, *values)).astype(np.float32),
            rng.integers(0, 2, (1, *missing)).astype(np.float32),
        )
        for _ in range(24)
    ]
    with ThreadPoolExecutor(8) as pool:
        crowd = list(pool.map(lambda tensors: session.run(*tensors), cases))
    for tensors, answer in zip(cases, crowd, strict=True):
        alone = direct.run(*tensors)
        for name in OUTPUTS:
            np.testing.assert_allclose(getattr(answer, name), getattr(alone, name), atol=1e-6)
