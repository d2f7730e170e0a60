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
