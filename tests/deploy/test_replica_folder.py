"""Every replica of a node has a folder, and one that was killed leaves nothing that nobody sweeps."""

import signal
import subprocess
import sys
from pathlib import Path

from deploy.ray.replica_folder import ReplicaFolder

HOLD = """
import sys, time
from pathlib import Path
from deploy.ray.replica_folder import ReplicaFolder
print(ReplicaFolder(Path(sys.argv[1])).path, flush=True)
time.sleep(600)
"""


def test_two_replicas_have_two_folders(tmp_path: Path) -> None:
    folders = [ReplicaFolder(tmp_path), ReplicaFolder(tmp_path)]
    assert [each.path.name for each in folders] == ["replica-0", "replica-1"]
    folders[0].release()
    again = ReplicaFolder(tmp_path)
    assert again.path.name == "replica-0"
    for each in (folders[1], again):
        each.release()


def test_the_folder_of_a_killed_replica_goes_to_the_next(tmp_path: Path) -> None:
    holder = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    held = Path(holder.stdout.readline().strip())
    beside = ReplicaFolder(tmp_path)
    assert held.name == "replica-0"
    assert beside.path.name == "replica-1"
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    after = ReplicaFolder(tmp_path)
    assert after.path == held
    for each in (beside, after):
        each.release()


def keep(folder: Path) -> list[Path]:
    """What `DataFolder` keeps of patients, and the records of a replica that is alone."""
    kept = [folder / name for name in ("cases/a/image.npy", "previews/b/0", "uploads/c/head.nii")]
    for path in (*kept, folder / "records.sqlite3"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return kept


def test_what_a_replica_that_is_gone_has_kept_is_removed_by_another_and_what_one_keeps_that_lives_is_not(
    tmp_path: Path,
) -> None:
    mine, gone, living = (ReplicaFolder(tmp_path) for _ in range(3))
    left, *kept = (keep(each.path) for each in (gone, mine, living))
    gone.release()
    mine.empty_left()
    assert not any(path.exists() for path in left)
    assert all(path.exists() for paths in kept for path in paths)
    assert (gone.path / "records.sqlite3").exists(), "no patient's image"
    again = ReplicaFolder(tmp_path)
    assert again.path == gone.path, "it is nobody's afterwards"
    for each in (mine, living, again):
        each.release()


def test_a_replica_that_ends_takes_what_it_has_kept_with_it(tmp_path: Path) -> None:
    folder = ReplicaFolder(tmp_path)
    kept = keep(folder.path)
    folder.empty()
    assert not any(path.exists() for path in kept)
    folder.release()
