"""What is kept is bounded in time and bytes, and is complete or absent."""

import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.data_folder.bounded_folders import BoundedFolders, KeepingLimits
from app.identifiers import uuid7

HOUR_S = 3600.0
START_S = 1_800_000_000.0


class Clock:
    """Time that a test sets."""

    def __init__(self) -> None:
        self.now_s = START_S

    def __call__(self) -> float:
        return self.now_s

    def identifier(self, number: int = 0) -> str:
        """A UUID of version 7 made now; a later number sorts later within the same millisecond."""
        return str(uuid.UUID(int=(round(self.now_s * 1000) << 80) | (7 << 76) | (0b10 << 62) | number))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def folders(root: Path, clock: Clock, max_bytes: int = 1000) -> BoundedFolders:
    return BoundedFolders(root, KeepingLimits(HOUR_S, max_bytes), clock)


def keep(kept: BoundedFolders, identifier: str, size: int = 10) -> bool:
    with kept.writing() as folder:
        (folder / "file").write_bytes(bytes(size))
        return kept.keep(identifier, folder)


def names(root: Path) -> set[str]:
    return {path.name for path in root.iterdir()}


def test_what_is_kept_is_found_with_its_files(tmp_path: Path, clock: Clock) -> None:
    kept, identifier = folders(tmp_path, clock), clock.identifier()
    assert keep(kept, identifier)
    found = kept.find(identifier)
    assert found is not None
    assert (found / "file").read_bytes() == bytes(10)


def test_it_is_gone_when_its_time_is_over_swept_or_not(tmp_path: Path, clock: Clock) -> None:
    kept, identifier = folders(tmp_path, clock), clock.identifier()
    keep(kept, identifier)
    assert kept.expires_s(identifier) == START_S + HOUR_S
    clock.now_s += HOUR_S - 0.01
    assert kept.sweep() == 0
    assert kept.find(identifier) is not None
    clock.now_s += 0.01
    assert kept.find(identifier) is None
    assert kept.sweep() == 1
    assert names(tmp_path) == set()


def test_a_block_that_fails_leaves_nothing(tmp_path: Path, clock: Clock) -> None:
    def write_half(folder: Path) -> None:
        (folder / "file").write_bytes(b"half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), folders(tmp_path, clock).writing() as folder:
        write_half(folder)
    assert names(tmp_path) == set()


def test_what_a_killed_process_left_is_swept_and_what_it_kept_stays(tmp_path: Path, clock: Clock) -> None:
    killed, identifier = folders(tmp_path, clock), clock.identifier()
    keep(killed, identifier)
    (tmp_path / ".half-written").mkdir()
    (tmp_path / f".{clock.identifier(1)}").mkdir()  # its removal had begun
    later = folders(tmp_path, clock)
    with later.writing() as folder:
        assert later.sweep() == 2
        assert names(tmp_path) == {identifier, folder.name}


def test_a_later_process_counts_what_an_earlier_one_kept(tmp_path: Path, clock: Clock) -> None:
    first = clock.identifier()
    keep(folders(tmp_path, clock), first, 600)
    later = folders(tmp_path, clock)
    later.sweep()
    keep(later, clock.identifier(1), 600)
    assert names(tmp_path) == {clock.identifier(1)}


def test_a_sweep_counts_what_it_removes_where_less_may_be_kept_than_before(
    tmp_path: Path, clock: Clock
) -> None:
    earlier = folders(tmp_path, clock)
    for number in range(4):
        keep(earlier, clock.identifier(number), 200)
    assert set(earlier.names()) == {clock.identifier(number) for number in range(4)}
    later = folders(tmp_path, clock, max_bytes=400)
    assert later.sweep() == 2
    assert set(later.names()) == {clock.identifier(2), clock.identifier(3)}


def test_what_could_not_be_removed_at_the_end_of_its_block_is_swept(tmp_path: Path, clock: Clock) -> None:
    kept = folders(tmp_path, clock)
    with kept.writing() as folder:
        pass
    folder.mkdir()
    assert kept.sweep() == 1
    assert names(tmp_path) == set()


def test_a_folder_that_could_never_fit_drives_no_other_out(tmp_path: Path, clock: Clock) -> None:
    kept = folders(tmp_path, clock)
    keep(kept, clock.identifier())
    assert not keep(kept, clock.identifier(1), 1001)
    assert names(tmp_path) == {clock.identifier()}


def test_no_hours_mean_that_nothing_is_kept(tmp_path: Path, clock: Clock) -> None:
    kept = BoundedFolders(tmp_path, KeepingLimits(0.0, 1000), clock)
    assert not keep(kept, clock.identifier())
    assert names(tmp_path) == set()


@given(sizes=st.lists(st.integers(1, 1000), max_size=12))
def test_the_bytes_stay_bounded_and_the_youngest_are_the_ones_that_stay(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    root, clock = tmp_path_factory.mktemp("kept"), Clock()
    kept = folders(root, clock)
    for number, size in enumerate(sizes):
        assert keep(kept, clock.identifier(number), size)
        assert sum(path.stat().st_size for path in root.rglob("file")) <= 1000
    expected, total = set(), 0
    for number in reversed(range(len(sizes))):
        total += sizes[number]
        if total > 1000:
            break
        expected.add(clock.identifier(number))
    assert names(root) == expected


def test_a_folder_in_use_stays_until_its_user_is_done_but_is_found_no_more(
    tmp_path: Path, clock: Clock
) -> None:
    kept, identifier = folders(tmp_path, clock), clock.identifier()
    keep(kept, identifier)
    with kept.using(identifier) as folder, kept.using(identifier):
        assert folder is not None
        clock.now_s += 2 * HOUR_S
        kept.sweep()
        kept.delete(identifier)
        assert (folder / "file").is_file()
        assert kept.find(identifier) is None
    assert names(tmp_path) == set()


def test_a_folder_stays_for_its_last_user_and_for_those_to_come(tmp_path: Path, clock: Clock) -> None:
    kept, identifier = folders(tmp_path, clock), clock.identifier()
    keep(kept, identifier)
    with kept.using(identifier):
        pass
    with kept.using(identifier) as folder:
        with kept.using(identifier):
            kept.delete(identifier)
        assert folder is not None
        assert (folder / "file").is_file()
    assert names(tmp_path) == set()


def test_deleting_what_is_not_there_does_nothing(tmp_path: Path, clock: Clock) -> None:
    kept = folders(tmp_path, clock)
    for identifier in (clock.identifier(), "absent"):
        kept.delete(identifier)
        with kept.using(identifier) as folder:
            assert folder is None


@pytest.mark.parametrize(
    "identifier", ["", ".", "..", "../outside", "/etc", "0" * 32, str(uuid.uuid4()), str(uuid7()).upper()]
)
def test_only_an_identifier_of_ours_leads_to_a_folder(tmp_path: Path, clock: Clock, identifier: str) -> None:
    root = tmp_path / "inside"
    (tmp_path / "outside").mkdir()
    kept = folders(root, clock)
    assert kept.find(identifier) is None
    kept.delete(identifier)
    assert names(tmp_path) == {"inside", "outside"}
    with pytest.raises(ValueError, match="version 7"):
        kept.expires_s(identifier)


def test_nobody_else_may_look_into_the_folder(tmp_path: Path, clock: Clock) -> None:
    folders(tmp_path / "kept", clock)
    assert (tmp_path / "kept").stat().st_mode & 0o077 == 0
