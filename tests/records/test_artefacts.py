"""Files are kept whole, durably and under names that cannot leave their place; in a folder as in an object store."""

import errno
import os
import shutil
import stat
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import NotReadyError, StorageUnavailableError
from app.records import remote_artefacts
from app.records.artefacts import LEFTOVER_S, UNFINISHED, Artefacts, FolderArtefacts
from app.records.remote_artefacts import open_artefacts
from tests.support.s3 import BUCKET, ObjectStore, SilentStore
from tests.support.small_disk import DISK_BYTES

ID = "0193c2f4-6a00-7a31-9c2e-5d1f0b7e8a90"
MakeSource = Callable[..., Path]


@pytest.fixture(params=["folder", "file", "memory", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of an empty place of each kind."""
    if request.param == "s3":
        store: ObjectStore = request.getfixturevalue("object_store")
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
        return f"s3://{BUCKET}/{uuid.uuid4()}"
    return {
        "folder": str(tmp_path / "kept"),
        "file": f"file://{tmp_path / 'kept'}",
        "memory": f"memory://{uuid.uuid4()}/",
    }[request.param]


@pytest.fixture
def artefacts(url: str, tmp_path: Path) -> Artefacts:
    (tmp_path / "scratch").mkdir()
    return open_artefacts(url, tmp_path / "data", tmp_path / "scratch")


@pytest.fixture
def source(tmp_path: Path) -> MakeSource:
    """Makes a file to put."""

    def make(content: bytes = b"content", name: str = "source") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return make


def test_what_was_put_is_found_and_was_moved(artefacts: Artefacts, source: MakeSource) -> None:
    path = source(b"heat")
    artefacts.put(f"heatmaps/{ID}.png", path)
    assert not path.exists()
    assert list(artefacts.names("heatmaps")) == [f"heatmaps/{ID}.png"]
    with artefacts.local(f"heatmaps/{ID}.png") as local:
        assert local.read_bytes() == b"heat"


def test_several_are_put_at_once(artefacts: Artefacts, source: MakeSource) -> None:
    artefacts.put_all({f"heatmaps/{ID}.{end}": source(end.encode(), end) for end in ("png", "nii.gz")})
    assert sorted(artefacts.names("heatmaps")) == [f"heatmaps/{ID}.nii.gz", f"heatmaps/{ID}.png"]


def test_a_folder_is_put_and_comes_back_as_it_was(artefacts: Artefacts, source: MakeSource) -> None:
    for number in range(40):
        source(f"{number}".encode(), f"upload/{number:06d}")
    folder = source(b"{}", "upload/request.json").parent
    artefacts.put(f"jobs/{ID}", folder)
    assert not folder.exists()
    with artefacts.local(f"jobs/{ID}") as local:
        assert {path.name: path.read_bytes() for path in local.iterdir()} == {
            "request.json": b"{}",
            **{f"{number:06d}": f"{number}".encode() for number in range(40)},
        }
    assert len(list(artefacts.names(f"jobs/{ID}"))) == 41


def test_what_is_absent_is_said_to_be(artefacts: Artefacts) -> None:
    name = f"heatmaps/{ID}.png"
    with pytest.raises(FileNotFoundError), artefacts.local(name):
        pytest.fail("there is none")
    artefacts.delete(name)
    artefacts.delete_all("heatmaps")
    assert list(artefacts.names("heatmaps")) == []


def test_what_was_deleted_is_gone_and_nothing_else(artefacts: Artefacts, source: MakeSource) -> None:
    for name in ("jobs/a/1", "jobs/a/2", "jobs/ab/1", "heatmaps/a.png"):
        artefacts.put(name, source())
    artefacts.delete("jobs/a/1")
    assert sorted(artefacts.names("jobs")) == ["jobs/a/2", "jobs/ab/1"]
    artefacts.delete_all("jobs/a")
    assert sorted(artefacts.names("jobs")) == ["jobs/ab/1"]
    artefacts.delete_all("jobs")
    assert list(artefacts.names("jobs")) == []
    assert list(artefacts.names("heatmaps")) == ["heatmaps/a.png"]


def test_another_process_sees_at_once_what_was_put_and_deleted(
    artefacts: Artefacts, url: str, tmp_path: Path, source: MakeSource
) -> None:
    other = open_artefacts(url, tmp_path / "data", tmp_path / "scratch")
    assert list(other.names("jobs")) == []
    artefacts.put("jobs/a/1", source())
    assert list(other.names("jobs")) == ["jobs/a/1"]
    artefacts.delete("jobs/a/1")
    assert list(other.names("jobs")) == []


def test_what_is_put_again_replaces_what_was_there(artefacts: Artefacts, source: MakeSource) -> None:
    artefacts.put("jobs/a/1", source(b"first"))
    artefacts.put("jobs/a/1", source(b"second"))
    with artefacts.local("jobs/a/1") as local:
        assert local.read_bytes() == b"second"


@pytest.mark.parametrize(
    "name",
    ["", "jobs", "jobs/", "/jobs/a", "jobs/../a", "jobs/a/..", "jobs/.hidden", "jobs/a/b/c/d", "jobs//a", "Jobs/a",
     "jobs/a\n", "jobs/a b", "../jobs/a", "jobs/a/", "jobs/%2e%2e", "jobs/ä"],
)  # fmt: skip
def test_a_name_of_another_form_is_refused(
    artefacts: Artefacts, source: MakeSource, tmp_path: Path, name: str
) -> None:
    path = source()
    with pytest.raises(ValueError, match="kind/id"):
        artefacts.put(name, path)
    with pytest.raises(ValueError, match="kind/id"):
        artefacts.delete(name)
    assert path.exists()
    assert sorted(each.name for each in tmp_path.iterdir() if each.name != "kept") == ["scratch", "source"]
    assert [each for each in (tmp_path / "kept").rglob("*") if each.name != UNFINISHED] == []


@pytest.mark.parametrize("prefix", ["", "/", "..", "jobs/..", "jobs/", "."])
def test_no_more_than_one_kind_can_be_deleted(artefacts: Artefacts, prefix: str) -> None:
    with pytest.raises(ValueError, match="kind/id"):
        artefacts.delete_all(prefix)


def test_a_copy_of_a_remote_file_has_the_time_of_the_original_and_goes_when_the_block_ends(
    tmp_path: Path, source: MakeSource, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in object_store.environment.items():
        monkeypatch.setenv(name, value)
    artefacts = open_artefacts(f"s3://{BUCKET}/times", tmp_path, tmp_path)
    artefacts.put("jobs/a/1", source())
    times = set()
    for _ in range(2):
        with artefacts.local("jobs/a/1") as local:
            times.add(local.stat().st_mtime_ns)
        assert list(tmp_path.iterdir()) == []
    assert len(times) == 1


def test_without_a_url_the_data_folder_is_the_place(tmp_path: Path, source: MakeSource) -> None:
    open_artefacts("", tmp_path / "data", tmp_path).put("heatmaps/a.png", source())
    assert (tmp_path / "data" / "heatmaps" / "a.png").read_bytes() == b"content"


def test_folders_are_for_their_owner_only(tmp_path: Path, source: MakeSource) -> None:
    FolderArtefacts(tmp_path / "data").put("jobs/a/1", source())
    for folder in ("data", "data/jobs", "data/jobs/a"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700


def test_what_a_killed_process_left_is_neither_listed_nor_kept(tmp_path: Path, source: MakeSource) -> None:
    artefacts = FolderArtefacts(tmp_path)
    artefacts.put("jobs/a/1", source())
    for age_s, name in ((0, "fresh"), (2 * LEFTOVER_S, "old")):
        left = source(b"half", f".unfinished/{name}/1").parent
        os.utime(left, times=(time.time() - age_s,) * 2)
    assert list(artefacts.names("jobs")) == ["jobs/a/1"]
    FolderArtefacts(tmp_path)
    assert [path.name for path in (tmp_path / ".unfinished").iterdir()] == ["fresh"]


def test_a_process_that_is_killed_while_it_deletes_leaves_no_folder_without_files(
    tmp_path: Path, source: MakeSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    artefacts = FolderArtefacts(tmp_path)
    artefacts.put("jobs/a/1", source())

    def killed(folder: Path) -> None:
        next(Path(folder).iterdir()).unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            artefacts.delete_all("jobs/a")
    assert list((tmp_path / "jobs").iterdir()) == []
    FolderArtefacts(tmp_path)
    assert list((tmp_path / ".unfinished").iterdir()) == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nowhere://x", "nowhere://"),
        ("S3://bucket", "S3://"),
        ("s3://", "place"),
        # A slash is missing: each would be a folder of this name, below wherever the service was started.
        ("s3:/bucket/path", "s3:"),
        ("file:/mnt/share", "file:"),
        ("file://mnt/share", "file://"),
    ],
)
def test_a_place_that_cannot_be_opened_stops_the_start_and_is_told(
    tmp_path: Path, url: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotReadyError, match=r"NEUROFUSE_ARTEFACTS") as raised:
        open_artefacts(url, tmp_path, tmp_path)
    assert told in raised.value.detail
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["data/uploads", "data/../data/uploads/kept", "file://{here}/data/uploads"])
def test_a_place_that_each_start_empties_is_refused(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotReadyError, match="emptied at each start"):
        open_artefacts(url.format(here=tmp_path), Path("data"), Path("data/uploads"))


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_bytes_are_on_the_disk_before_their_name_and_the_name_before_the_return(
    tmp_path: Path, source: MakeSource, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A power cut cannot be had here; the order in which the kernel is asked can."""
    asked: list[str] = []
    inodes: dict[int, str] = {}

    def name_of(descriptor: int) -> str:
        return inodes.get(os.fstat(descriptor).st_ino, "?")

    path = source(b"x", "upload/1")
    put = path if kind == "file" else path.parent
    inodes[path.stat().st_ino] = "bytes"
    inodes[path.parent.stat().st_ino] = "their folder"
    (tmp_path / "jobs").mkdir()
    inodes[(tmp_path / "jobs").stat().st_ino] = "the name"
    fsync, rename = os.fsync, Path.rename

    def note_fsync(descriptor: int) -> None:
        fsync(descriptor)
        asked.append(name_of(descriptor))

    def note_rename(self: Path, target: Path) -> Path:
        asked.append("rename")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "rename", note_rename)
    FolderArtefacts(tmp_path).put("jobs/a", put)
    before, after = asked[: asked.index("rename")], asked[asked.index("rename") + 1 :]
    assert "bytes" in before
    assert kind == "file" or "their folder" in before
    assert after == ["the name"]


def test_what_lies_on_another_disk_is_copied_whole(tmp_path: Path, source: MakeSource) -> None:
    memory = Path("/dev/shm")  # noqa: S108 - another file system, where there is one
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is only one file system here")
    place = memory / f"neurofuse-{uuid.uuid4().hex}"
    try:
        artefacts = FolderArtefacts(place)
        artefacts.put("jobs/a", source(b"1", "upload/1").parent)
        artefacts.put("jobs/b", source(b"2"))
        assert sorted(artefacts.names("jobs")) == ["jobs/a/1", "jobs/b"]
        assert list(tmp_path.iterdir()) == []
        assert list((place / ".unfinished").iterdir()) == []
    finally:
        shutil.rmtree(place)


def test_another_disk_that_is_full_says_so_and_keeps_no_half(small_disk: Path, source: MakeSource) -> None:
    artefacts = FolderArtefacts(small_disk)
    folder = source(bytes(DISK_BYTES + 1), "upload/1").parent
    with pytest.raises(OSError, match="No space") as raised:
        artefacts.put("jobs/a", folder)
    assert raised.value.errno == errno.ENOSPC
    assert (folder / "1").stat().st_size == DISK_BYTES + 1
    assert [path for path in small_disk.rglob("*") if path.is_file()] == []


def test_a_place_whose_empty_folders_were_tidied_up_goes_on(tmp_path: Path, source: MakeSource) -> None:
    artefacts = FolderArtefacts(tmp_path / "place")
    (tmp_path / "place" / UNFINISHED).rmdir()
    artefacts.put("jobs/a/1", source())
    assert list(artefacts.names("jobs")) == ["jobs/a/1"]


def test_a_place_whose_share_was_unmounted_is_unavailable_and_takes_nothing(
    tmp_path: Path, source: MakeSource
) -> None:
    place, away = tmp_path / "share", tmp_path / "away"
    artefacts = FolderArtefacts(place)
    artefacts.put("jobs/a/1", source())
    place.rename(away)
    place.mkdir()  # the mount point, as it lies below
    path, name = source(), "jobs/a/1"
    asked: list[Callable[[], object]] = [
        lambda: artefacts.put("jobs/b/1", path),
        lambda: artefacts.local(name).__enter__(),
        lambda: artefacts.delete(name),
        lambda: artefacts.delete_all("jobs/a"),
        lambda: list(artefacts.names("jobs")),
    ]
    for ask in asked:
        with pytest.raises(StorageUnavailableError):
            ask()
    assert path.exists()
    place.rmdir()  # there was nothing in it
    away.rename(place)
    assert list(artefacts.names("jobs")) == [name]


def test_a_store_that_does_not_answer_is_said_to_be_and_loses_nothing(
    tmp_path: Path, source: MakeSource, unreachable_store: str
) -> None:
    artefacts = open_artefacts(unreachable_store, tmp_path, tmp_path)
    path = source()
    with pytest.raises(StorageUnavailableError):
        artefacts.put("jobs/a/1", path)
    assert path.exists()
    with pytest.raises(StorageUnavailableError):
        artefacts.delete("jobs/a/1")


def test_a_silent_store_holds_nobody_for_ever_and_nothing_is_lost(
    tmp_path: Path, source: MakeSource, silent_store: SilentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_artefacts, "PATIENCE_S", 3)
    artefacts = open_artefacts(silent_store.url, tmp_path, tmp_path)
    path = source()
    with pytest.raises(StorageUnavailableError):
        artefacts.put("jobs/a/1", path)
    assert path.exists()
    silent_store.wait_until_hung_up()  # nothing goes on asking


def test_what_is_put_together_waits_for_a_silent_store_together(
    tmp_path: Path, source: MakeSource, silent_store: SilentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_artefacts, "PATIENCE_S", 3)
    artefacts = open_artefacts(silent_store.url, tmp_path, tmp_path)
    paths = [source(name=name) for name in ("png", "nii.gz")]
    with pytest.raises(StorageUnavailableError):
        artefacts.put_all({f"heatmaps/a.{path.name}": path for path in paths})
    assert all(path.exists() for path in paths)
    for _ in paths:
        silent_store.wait_until_hung_up()


def test_a_bucket_that_is_not_there_is_no_missing_file(
    tmp_path: Path, source: MakeSource, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in object_store.environment.items():
        monkeypatch.setenv(name, value)
    path = source()
    artefacts = open_artefacts("s3://nobodys-bucket/x", tmp_path, tmp_path)
    with pytest.raises(StorageUnavailableError):
        artefacts.put("jobs/a/1", path)
    assert path.exists()
    with pytest.raises(StorageUnavailableError):
        list(artefacts.names("jobs"))


def test_the_room_of_a_folder_is_that_of_its_own_disk(small_disk: Path, tmp_path: Path) -> None:
    found = open_artefacts(str(small_disk), tmp_path, tmp_path / "uploads").room()
    usage = shutil.disk_usage(small_disk)
    assert found == (usage.free, usage.total)
    assert open_artefacts("memory://room", tmp_path, tmp_path).room() is None
