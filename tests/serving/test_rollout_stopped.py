"""A service that is told to stop while it moves packages does not go on moving them."""

import threading
from contextlib import closing
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from app.inference.predictor import Predictor
from app.model_package.package import Package
from app.model_package.store import ModelStore
from app.records.store import RecordStore
from app.serving.catalogue import Catalogue
from app.serving.rollout import Rollout, keep_following
from app.serving.start import Gathering, start_with
from tests.support.records import tables_at
from tests.support.waiting import LONGEST_S


def test_a_service_that_is_stopped_while_it_starts_makes_no_further_package_ready(
    tiny_store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One takes seconds, or minutes where it is compiled: whoever stops a service would wait for all of them, or kill it."""
    begun, goes_on = threading.Event(), threading.Event()
    opened: list[Package] = []
    start_now = start_with("cpu", threads=1, gathering=Gathering(max_batch=1))

    def start_when_told(package: Package) -> Predictor:
        opened.append(package)
        begun.set()
        assert goes_on.wait(LONGEST_S)
        return start_now(package)

    async def stopped_at_the_first(rollout: Rollout) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(keep_following, rollout)
            assert await anyio.to_thread.run_sync(begun.wait, LONGEST_S)
            group.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                await anyio.wait_all_tasks_blocked()
                goes_on.set()

    with (
        closing(RecordStore(tables_at(tmp_path / "records.sqlite3"))) as records,
        closing(Catalogue(ModelStore(tiny_store), start_when_told)) as catalogue,
    ):
        anyio.run(stopped_at_the_first, Rollout(records.plan, catalogue))
    assert len(opened) == 1
    assert "fault" not in capsys.readouterr().out
