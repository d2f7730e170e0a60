"""Packages move under traffic; what is broken is refused; other processes and the next start see the same."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import anyio
import pytest

from app.errors import PackageInUseError, PackageRefusedError, UnknownModelError
from app.inference.self_test import self_test
from app.model_package.naming import Reference
from app.model_package.store import ModelStore
from app.records.aliases import Alias, Canary
from app.records.store import RecordStore
from app.serving.catalogue import Catalogue
from app.serving.entry import State, require_ready
from app.serving.rollout import Rollout, follow_once, keep_following
from app.serving.start import Gathering, start_with
from tests.support.postgres import Postgres
from tests.support.records import tables_at
from tests.support.tiny_package import build_tiny_package

GOS_1, GOS_2, GOS_3 = (Reference("gos", version) for version in (1, 2, 3))


class Process:
    """What one process of a service has: a catalogue and a rollout over the common database, and what it tried first."""

    def __init__(self, store: Path, database: Path | str) -> None:
        self._records = RecordStore(database)
        self.tried: list[str] = []
        self.catalogue = Catalogue(
            ModelStore(store),
            start_with("cpu", threads=1, gathering=Gathering(max_batch=1)),
            trial=lambda package: self.tried.append(f"{package.manifest.name}@{package.manifest.version}"),
        )
        self.rollout = Rollout(self._records.plan, self.catalogue)
        self.rollout.follow()

    def close(self) -> None:
        self.catalogue.close()
        self._records.close()

    def meaning(self, model: str, key: str | None = None) -> str:
        return str(self.catalogue.entry(model, key).reference)

    def states(self) -> dict[str, State]:
        return {str(entry.reference): entry.state for entry in self.catalogue.entries()}


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """gos@3, which is not in the store yet."""
    return build_tiny_package(tmp_path_factory.mktemp("later"), "gos", version=3, image_weight=5.0)


@pytest.fixture
def store(tiny_store: Path, tmp_path: Path) -> Path:
    """gos@1 and gos@2, to be changed."""
    shutil.copytree(tiny_store / "gos", tmp_path / "store" / "gos")
    return tmp_path / "store"


@pytest.fixture
def start(store: Path, tmp_path: Path) -> Iterator[Callable[[], Process]]:
    database = tables_at(tmp_path / "records.sqlite3")
    with ExitStack() as running:

        def started() -> Process:
            process = Process(store, database)
            running.callback(process.close)
            return process

        yield started


def copy_in(later: Path, store: Path, *, broken: bool = False) -> None:
    folder = shutil.copytree(later, store / "gos" / "3")
    if broken:
        with (folder / "model.onnx").open("ab") as model:
            model.write(b"\0")


def test_a_version_that_is_loaded_is_what_the_bare_name_means(
    start: Callable[[], Process], store: Path, later: Path
) -> None:
    process = start()
    copy_in(later, store)
    assert process.meaning("gos") == "gos@2"
    assert process.rollout.load(GOS_3).state is State.READY
    assert process.meaning("gos") == "gos@3"
    assert process.catalogue.ready


def test_a_version_that_is_broken_is_refused_with_its_reason_and_changes_nothing(
    start: Callable[[], Process], store: Path, later: Path
) -> None:
    process = start()
    copy_in(later, store, broken=True)
    for ask in (
        lambda: process.rollout.load(GOS_3),
        lambda: process.rollout.point(Alias("gos", "production", 2, Canary(3, 0.5))),
    ):
        with pytest.raises(PackageRefusedError) as refused:
            ask()
        assert refused.value.fields["reason"]["code"] == "package-digest"
    assert process.states()["gos@3"] is State.FAILED
    assert process.meaning("gos") == "gos@2"
    assert process.catalogue.routing.aliases == {}
    assert process.catalogue.ready
    assert start().meaning("gos") == "gos@2", "and the next start does not find it a new version"


def test_a_version_that_was_mended_is_taken_after_all(
    start: Callable[[], Process], store: Path, later: Path
) -> None:
    process = start()
    copy_in(later, store, broken=True)
    with pytest.raises(PackageRefusedError):
        process.rollout.load(GOS_3)
    shutil.rmtree(store / "gos" / "3")
    copy_in(later, store)
    assert process.rollout.load(GOS_3).state is State.READY
    assert start().meaning("gos") == "gos@3"


def test_what_comes_after_the_start_is_tried_first_and_once(
    start: Callable[[], Process], store: Path, later: Path
) -> None:
    first, second = start(), start()
    copy_in(later, store)
    first.rollout.load(GOS_3)
    second.rollout.follow()
    for reference in (GOS_1, GOS_3):
        first.rollout.unload(reference)
        first.rollout.load(reference)
    assert (first.tried, second.tried) == (["gos@3"], ["gos@3"])
    assert start().tried == [], "what the start serves is opened at once"


def test_what_the_start_left_alone_is_tried_too(start: Callable[[], Process]) -> None:
    start().rollout.unload(GOS_2)
    again = start()
    again.rollout.load(GOS_2)
    assert again.tried == ["gos@2"]


def test_what_is_not_in_the_store_is_unknown(start: Callable[[], Process]) -> None:
    process = start()
    for act in (process.rollout.load, process.rollout.unload):
        with pytest.raises(UnknownModelError):
            act(Reference("gos", 9))
    assert "gos@9" not in process.states()


def test_production_holds_the_bare_name_whatever_comes(
    start: Callable[[], Process], store: Path, later: Path
) -> None:
    process = start()
    process.rollout.point(Alias("gos", "production", 1))
    copy_in(later, store)
    process.rollout.load(GOS_3)
    assert process.meaning("gos") == "gos@1"
    (store / "gos" / "3" / "manifest.json").write_text("{}")
    again = start()
    assert again.states()["gos@3"] is State.FAILED
    assert again.meaning("gos") == "gos@1"
    assert again.catalogue.ready, "a version that nothing means makes no process unready"


def test_an_older_version_stands_in_for_a_broken_one_only_where_an_operator_says_so(
    start: Callable[[], Process], store: Path
) -> None:
    (store / "gos" / "2" / "manifest.json").write_text("{}")
    process = start()
    assert process.meaning("gos") == "gos@2"
    assert not process.catalogue.ready
    process.rollout.unload(GOS_2)
    assert process.meaning("gos") == "gos@1"
    assert process.catalogue.ready


def test_an_alias_loads_what_it_needs_and_keeps_it(
    start: Callable[[], Process], store: Path, later: Path
) -> None:
    process = start()
    copy_in(later, store)
    process.rollout.point(Alias("gos", "production", 2, Canary(3, 0.5), shadow=1))
    assert process.states() == dict.fromkeys(("gos@1", "gos@2", "gos@3"), State.READY)
    assert {process.meaning("gos", f"case-{number}") for number in range(50)} == {"gos@2", "gos@3"}
    assert [each.package.manifest.version for each in process.catalogue.shadows_of(GOS_2)] == [1]
    with pytest.raises(PackageInUseError):
        process.rollout.unload(GOS_3)
    process.rollout.roll_back("gos", "production")
    assert {process.meaning("gos", f"case-{number}") for number in range(50)} == {"gos@2"}
    assert process.rollout.unload(GOS_3).state is State.UNLOADED


def test_going_back_loads_what_was_unloaded(start: Callable[[], Process]) -> None:
    process = start()
    process.rollout.point(Alias("gos", "production", 1))
    process.rollout.point(Alias("gos", "production", 2))
    process.rollout.unload(GOS_1)
    assert process.states()["gos@1"] is State.UNLOADED
    assert process.rollout.roll_back("gos", "production").version == 1
    assert process.states()["gos@1"] is State.READY
    assert process.meaning("gos") == "gos@1"


def test_what_is_unloaded_stays_so_at_the_next_start(start: Callable[[], Process]) -> None:
    start().rollout.unload(GOS_2)
    again = start()
    assert again.states() == {"gos@1": State.READY, "gos@2": State.UNLOADED}
    assert again.meaning("gos") == "gos@1"
    assert again.catalogue.ready


def test_a_case_that_is_being_answered_keeps_its_predictor(start: Callable[[], Process]) -> None:
    process = start()
    held = require_ready(process.catalogue.entry("gos@1"))
    process.rollout.unload(GOS_1)
    assert process.states()["gos@1"] is State.UNLOADED
    self_test(held)


def test_another_process_follows(start: Callable[[], Process], store: Path, later: Path) -> None:
    first, second = start(), start()
    copy_in(later, store)
    see_the_second_follow(first, second)


def test_another_process_follows_on_postgresql(postgres: Postgres, store: Path, later: Path) -> None:
    with (
        postgres.database() as url,
        closing(Process(store, url)) as first,
        closing(Process(store, url)) as second,
    ):
        copy_in(later, store)
        see_the_second_follow(first, second)


def see_the_second_follow(first: Process, second: Process) -> None:
    first.rollout.point(Alias("gos", "production", 3, Canary(1, 0.3)))
    assert second.meaning("gos") == "gos@2"
    second.rollout.follow()
    keys = [f"case-{number}" for number in range(50)]
    assert [first.meaning("gos", key) for key in keys] == [second.meaning("gos", key) for key in keys]
    first.rollout.roll_back("gos", "production")
    first.rollout.unload(GOS_1)
    second.rollout.follow()
    assert second.states()["gos@1"] is State.UNLOADED
    assert {second.meaning("gos", key) for key in keys} == {"gos@3"}


def test_a_process_that_cannot_follow_keeps_what_it_has_and_is_not_ready(
    start: Callable[[], Process], store: Path, later: Path
) -> None:
    first, second = start(), start()
    copy_in(later, store)
    first.rollout.load(GOS_3)
    (store / "gos" / "3" / "manifest.json").write_text("{}")
    second.rollout.follow()
    assert second.meaning("gos") == "gos@2"
    self_test(require_ready(second.catalogue.entry("gos")))
    assert not second.catalogue.ready
    first.rollout.unload(GOS_3)
    second.rollout.follow()
    assert second.states()["gos@3"] is State.UNLOADED
    assert second.catalogue.ready


def test_a_canary_that_a_start_does_not_find_is_taken_back_by_a_rollback(
    start: Callable[[], Process], store: Path, later: Path
) -> None:
    copy_in(later, store)
    start().rollout.point(Alias("gos", "production", 1, Canary(3, 0.5)))
    shutil.rmtree(store / "gos" / "3")
    process = start()
    assert not process.catalogue.ready
    process.rollout.roll_back("gos", "production")
    assert {process.meaning("gos", f"case-{number}") for number in range(50)} == {"gos@1"}
    assert process.catalogue.ready


def test_a_version_that_no_name_means_any_more_keeps_no_start_unready(
    start: Callable[[], Process], store: Path
) -> None:
    process = start()
    for version in (1, 2):
        process.rollout.point(Alias("gos", "production", version))
    shutil.rmtree(store / "gos" / "1")
    assert start().catalogue.ready


def test_a_failure_is_forgotten_when_its_version_is_unloaded(
    start: Callable[[], Process], store: Path, later: Path
) -> None:
    (store / "gos" / "2" / "manifest.json").write_text("{}")
    first, second = start(), start()
    copy_in(later, store, broken=True)
    with pytest.raises(PackageRefusedError):
        first.rollout.load(GOS_3)
    assert [first.states()[model] for model in ("gos@2", "gos@3")] == [State.FAILED, State.FAILED]
    for reference in (GOS_2, GOS_3):
        unloaded = first.rollout.unload(reference)
        assert (unloaded.state, unloaded.code, unloaded.detail) == (State.UNLOADED, None, None)
    second.rollout.follow()
    assert second.states()["gos@2"] is State.UNLOADED


def test_a_failure_is_kept_while_others_move(start: Callable[[], Process], store: Path, later: Path) -> None:
    process = start()
    copy_in(later, store, broken=True)
    with pytest.raises(PackageRefusedError):
        process.rollout.load(GOS_3)
    process.rollout.point(Alias("gos", "production", 1))
    process.rollout.unload(GOS_2)
    assert process.states()["gos@3"] is State.FAILED


def test_what_is_gone_from_the_store_is_listed_only_as_long_as_something_needs_it(
    start: Callable[[], Process], store: Path, later: Path
) -> None:
    process = start()
    copy_in(later, store, broken=True)
    with pytest.raises(PackageRefusedError):
        process.rollout.load(GOS_3)
    for version in (2, 3):
        shutil.rmtree(store / "gos" / str(version))
    process.catalogue.look()
    assert process.states() == dict.fromkeys(("gos@1", "gos@2"), State.READY)
    process.rollout.unload(GOS_2)
    process.catalogue.look()
    assert process.states() == {"gos@1": State.READY}


def test_a_version_whose_copy_is_late_stays_listed(
    start: Callable[[], Process], store: Path, later: Path
) -> None:
    first, second = start(), start()
    copy_in(later, store)
    first.rollout.load(GOS_3)
    shutil.rmtree(store / "gos" / "3")
    second.rollout.follow()
    second.catalogue.look()
    assert second.states()["gos@3"] is State.FAILED


def test_a_database_that_is_away_stops_no_service(
    start: Callable[[], Process], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process = start()
    (tmp_path / "records.sqlite3").unlink()
    (tmp_path / "records.sqlite3").mkdir()
    process._records.close()
    follow_once(process.rollout)
    assert "follow-fault" in capsys.readouterr().out
    assert process.meaning("gos") == "gos@2"


def test_a_database_that_stays_away_is_asked_less_and_less_often(
    start: Callable[[], Process], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each question is a line in the log. Once it answers, it is asked as before."""
    process, database = start(), tmp_path / "records.sqlite3"
    kept = database.rename(tmp_path / "kept")
    database.mkdir()
    process._records.close()
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 5:
            database.rmdir()
            kept.rename(database)
        if len(pauses) == 6:
            raise anyio.get_cancelled_exc_class()

    monkeypatch.setattr(anyio, "sleep", pause)

    async def followed() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(keep_following, process.rollout)

    anyio.run(followed)
    assert pauses == [4.0, 8.0, 16.0, 20.0, 20.0, 2.0]
