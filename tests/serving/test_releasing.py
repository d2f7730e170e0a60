"""A session is closed after its last user let go of it, and not before."""

import threading
from pathlib import Path

from app.inference.graph_session import GraphSession
from app.inference.onnx_runtime.session import OnnxSession
from app.inference.predictor import Predictor
from app.model_package.store import ModelStore
from app.serving.releasing import Releaser
from tests.support.waiting import LONGEST_S


class Watched(OnnxSession):
    """A session that says when it is closed; it is what it is otherwise."""

    def __init__(self, store: Path) -> None:
        super().__init__(ModelStore(store).load("gos", 1))
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


class Stubborn(Watched):
    """A session that cannot be closed."""

    def close(self) -> None:
        super().close()
        raise RuntimeError("the device is gone")


def predictor(store: Path, session: GraphSession) -> Predictor:
    return Predictor(ModelStore(store).load("gos", 1), session)


def test_a_session_is_closed_after_its_last_user(tiny_store: Path) -> None:
    session = Watched(tiny_store)
    with Releaser() as releaser:
        held = predictor(tiny_store, session)
        releaser.watch(held)
        in_flight = [held]
        del held
        assert not session.closed.wait(0.1)
        in_flight.clear()
        assert session.closed.wait(LONGEST_S)


def test_one_session_that_cannot_be_closed_keeps_no_other_open(tiny_store: Path) -> None:
    first, second = Stubborn(tiny_store), Watched(tiny_store)
    with Releaser() as releaser:
        for session in (first, second):
            releaser.watch(predictor(tiny_store, session))
        assert first.closed.wait(LONGEST_S)
        assert second.closed.wait(LONGEST_S)


def test_letting_go_never_waits_for_the_closing(tiny_store: Path) -> None:
    let_go = threading.Event()
    in_time = list[bool]()

    class Slow(Watched):
        def close(self) -> None:
            in_time.append(let_go.wait(LONGEST_S))
            super().close()

    session = Slow(tiny_store)
    with Releaser() as releaser:
        held = predictor(tiny_store, session)
        releaser.watch(held)
        del held
        let_go.set()  # would come too late if the line above waited
        assert session.closed.wait(LONGEST_S)
    assert in_time == [True]
