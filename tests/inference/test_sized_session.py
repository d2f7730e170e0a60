"""A graph is opened once for each size of a run, so that no run changes the shape that a session has met last."""

import pytest

from app.errors import OverloadedError
from app.inference.sized_session import SizedSession
from tests.support.slow_graph import SlowGraph, case


class Opened:
    """Opens graphs, as many as a device has memory for."""

    def __init__(self, most: int = 10) -> None:
        self.graphs: list[SlowGraph] = []
        self._most = most

    def __call__(self) -> SlowGraph:
        if len(self.graphs) == self._most:
            raise OverloadedError("the device has no memory left")
        self.graphs.append(SlowGraph())
        return self.graphs[-1]


def asked(session: SizedSession, *sizes: int) -> None:
    for size in sizes:
        image, values, missing = (tensor.repeat(size, axis=0) for tensor in case(7))
        assert len(session.run(image, values, missing).probabilities) == size


def test_each_session_meets_one_size_however_sizes_alternate() -> None:
    opened = Opened()
    asked(SizedSession(opened), 1, 2, 1, 4, 2, 1, 4)
    assert [{len(run) for run in graph.runs} for graph in opened.graphs] == [{1}, {2}, {4}]


def test_a_graph_that_cannot_be_opened_is_refused_at_once() -> None:
    with pytest.raises(OverloadedError):
        SizedSession(Opened(most=0))


def test_a_size_that_there_is_no_memory_for_leaves_the_others_as_they_are() -> None:
    opened = Opened(most=2)
    session = SizedSession(opened)
    asked(session, 1, 2)
    with pytest.raises(OverloadedError):
        asked(session, 4)
    asked(session, 2, 1)


def test_sizes_that_were_only_tried_are_closed() -> None:
    opened = Opened()
    session = SizedSession(opened)
    asked(session, 1, 2, 4)
    session.keep((1, 2))
    assert [graph.closed for graph in opened.graphs] == [False, False, True]
    asked(session, 1, 2)


@pytest.mark.parametrize("sizes", [(), (1, 2)])
def test_every_session_is_closed_in_the_end(sizes: tuple[int, ...]) -> None:
    opened = Opened()
    session = SizedSession(opened)
    asked(session, *sizes)
    session.close()
    assert all(graph.closed for graph in opened.graphs)


def test_its_provider_is_that_of_its_sessions() -> None:
    assert SizedSession(Opened()).provider == "ArithmeticProvider"
