"""The commands of docs/how-to/backup.md, run as they stand there, bring a service back."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from app.records.store import RecordStore
from tests.service.jobs import accepted, ended, send
from tests.service.server import serving
from tests.support.postgres import Postgres, find_binaries

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "backup.md"
DOCKER = """#!/bin/sh
# In place of Docker: what would run in a container runs here.
while test $# -gt 0; do
  case $1 in
    exec | run) verb=$1 ;;
    stop | up) exit 0 ;;
    --entrypoint) entry=$2; shift ;;
    compose | -*) ;;
    *) break ;;
  esac
  shift
done
shift
test $verb = exec || set -- "${entry:-neurofuse}" "$@"
exec "$@"
"""
BLOCK = re.compile(r"^<!-- run: ([a-z-]+) -->\n```sh\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)


def run(block: str, environment: dict[str, str]) -> None:
    """Run a block of the page, to its end."""
    ran = tried(block, environment)
    assert ran.returncode == 0, f"{block}: {ran.stdout}{ran.stderr}"


def tried(block: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a block of the page as whoever types it in does, or a task that is done every night: a shell that goes on after an error."""
    blocks = dict(BLOCK.findall(PAGE.read_text(encoding="utf-8")))
    # Of a stand-in for Docker, of the environment under test, and of PostgreSQL's own tools.
    stand_in = environment.get("STAND_IN", "")
    folders = [stand_in, str(Path(sys.executable).parent), str(find_binaries() or ""), os.environ["PATH"]]
    return subprocess.run(  # noqa: S603 - the page's own words
        ["sh", "-c", blocks[block]],  # noqa: S607 - of the PATH
        env=os.environ | environment | {"PATH": os.pathsep.join(filter(None, folders))},
        check=False, capture_output=True, text=True, umask=0o022,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "compose"])
def test_a_service_comes_back_from_its_backup(
    kind: str, request: pytest.FixtureRequest, gos_store: Path, head_ct: Path, tmp_path: Path
) -> None:
    environment = {"NEUROFUSE_DATA": str(tmp_path / "var"), "BACKUP": str(tmp_path / "backup")}
    before, after = places(kind, request)
    if kind == "compose":
        environment |= containers(tmp_path, before["database_url"])
    with serving(gos_store, tmp_path / "var", **before) as server:
        answer = server.predict(head_ct, task="gos", keep="image").json()
        job_id = accepted(send(server, head_ct, task="gos"))
        ended(server, job_id)
        server.client.put(
            f"/predictions/{answer['id']}/feedback", json={"agreement": "agree"}
        ).raise_for_status()
        heatmap = server.client.get(answer["heatmap"]["nifti"]).content
        image = server.client.get(f"/predictions/{answer['id']}/image.nii.gz").content
        run(f"backup-{kind}", environment | database(before))
        late = server.predict(head_ct, task="gos").json()
    if kind != "compose":  # whose restore takes the place of what is there
        (tmp_path / "var").rename(tmp_path / "lost")
    run(f"restore-{kind}", environment | database(after))
    if kind != "compose":  # whose restore has done so
        run("verify", environment | database(after))
    with serving(gos_store, tmp_path / "var", **after) as server:
        assert server.client.get(f"/predictions/{answer['id']}").json() == answer
        assert server.client.get(answer["heatmap"]["nifti"]).content == heatmap
        assert server.client.get(f"/predictions/{answer['id']}/image.nii.gz").content == image
        said = server.client.get(f"/predictions/{answer['id']}/feedback").json()
        assert said["agreement"] == "agree"
        assert server.client.get(f"/jobs/{job_id}").json()["state"] == "done"
        assert server.client.get(f"/predictions/{late['id']}").status_code == 404
        assert server.predict(head_ct, task="gos").status_code == 200


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_backup_is_its_owners_alone_and_holds_no_file_of_a_former_database(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    data, backup = tmp_path / "var", tmp_path / "backup"
    environment = {"NEUROFUSE_DATA": str(data), "BACKUP": str(backup)}
    data.mkdir(mode=0o700)
    RecordStore(data / "records.sqlite3").close()  # with PostgreSQL, what `copy-records` has left
    if kind == "postgresql":
        environment["NEUROFUSE_DATABASE_URL"] = request.getfixturevalue("postgres_url")
    run(f"backup-{kind}", environment)
    assert others_may_read(backup) == []
    data.rename(tmp_path / "lost")
    run(f"restore-{kind}", environment)
    assert others_may_read(data) == []
    assert (data / "records.sqlite3").exists() == (kind == "sqlite")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "compose"])
def test_a_backup_without_its_database_is_none_and_its_status_says_so(kind: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for tool in ("sqlite3", "pg_dump", "docker"):
        (broken / tool).write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        (broken / tool).chmod(0o700)
    (tmp_path / "var").mkdir()
    environment = {"NEUROFUSE_DATA": str(tmp_path / "var"), "BACKUP": str(tmp_path / "backup")}
    ran = tried(
        f"backup-{kind}", environment | {"STAND_IN": str(broken), "NEUROFUSE_DATABASE_URL": "nowhere"}
    )
    assert ran.returncode != 0
    assert not (tmp_path / "backup" / "files.tar").exists()


def others_may_read(folder: Path) -> list[Path]:
    """What in a folder, itself included, is open to other users of the machine."""
    return [path for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o077]


def places(kind: str, request: pytest.FixtureRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings of the database that is backed up, and of the one that it is restored into; a Compose file knows one."""
    if kind == "sqlite":
        return {}, {}
    postgres: Postgres = request.getfixturevalue("postgres")
    before = {"database_url": postgres.make_database()}
    return before, before if kind == "compose" else {"database_url": postgres.make_database()}


def database(place: dict[str, Any]) -> dict[str, str]:
    """The same setting for a command."""
    return {"NEUROFUSE_DATABASE_URL": place["database_url"]} if place else {}


def containers(folder: Path, url: str) -> dict[str, str]:
    """A stand-in for Docker, and what its containers have in their environment."""
    parts = urlsplit(url)
    (folder / "docker").write_text(DOCKER, encoding="utf-8")
    (folder / "docker").chmod(0o700)
    (folder / "password").write_text(f"{parts.password}\n", encoding="utf-8")
    return {
        "STAND_IN": str(folder),
        "POSTGRES_USER": str(parts.username),
        "POSTGRES_DB": parts.path.removeprefix("/"),
        "POSTGRES_PASSWORD_FILE": str(folder / "password"),
        "PGHOST": str(parts.hostname),
        "PGPORT": str(parts.port),
    }


def test_nothing_is_restored_into_a_folder_with_the_database_of_a_killed_service(tmp_path: Path) -> None:
    """Its write-ahead log would be taken for a part of the backup."""
    data, backup = tmp_path / "var", tmp_path / "backup"
    environment = {"NEUROFUSE_DATA": str(data), "BACKUP": str(backup)}
    data.mkdir(mode=0o700)
    RecordStore(data / "records.sqlite3").close()
    run("backup-sqlite", environment)
    for left in ("records.sqlite3", "records.sqlite3-wal"):
        (data / "records.sqlite3").unlink()
        (data / left).write_text("of the killed one")
        ran = tried("restore-sqlite", environment)
        assert ran.returncode != 0
        assert "holds a database" in ran.stderr
        assert (data / left).read_text() == "of the killed one"


def test_a_database_that_is_not_named_is_not_taken_for_another(postgres: Postgres, tmp_path: Path) -> None:
    """Its address may lie in a file, NEUROFUSE_DATABASE_URL_FILE; PostgreSQL's tools then take whatever is at hand."""
    (tmp_path / "var").mkdir()
    at_hand = urlsplit(postgres.url())
    environment = {
        "NEUROFUSE_DATA": str(tmp_path / "var"),
        "BACKUP": str(tmp_path / "backup"),
        "NEUROFUSE_DATABASE_URL": "",
        "PGHOST": str(at_hand.hostname),
        "PGPORT": str(at_hand.port),
        "PGUSER": str(at_hand.username),
        "PGPASSWORD": str(at_hand.password),
        "PGDATABASE": "postgres",
    }
    assert tried("backup-postgresql", environment).returncode != 0
    assert not (tmp_path / "backup" / "files.tar").exists()


def test_of_a_folder_without_a_database_none_is_backed_up_and_none_is_made(tmp_path: Path) -> None:
    """Another folder than the service's, or one whose records went to PostgreSQL: the command `sqlite3` would make an empty file there."""
    data, backup = tmp_path / "var", tmp_path / "backup"
    data.mkdir()
    ran = tried("backup-sqlite", {"NEUROFUSE_DATA": str(data), "BACKUP": str(backup)})
    assert ran.returncode != 0
    assert "records.sqlite3" in ran.stderr
    assert [*data.iterdir(), *backup.iterdir()] == []


@pytest.mark.parametrize("broken", ["records.dump", "files.tar"])
def test_a_backup_that_was_cut_short_replaces_nothing(
    broken: str, postgres: Postgres, tmp_path: Path
) -> None:
    url, data, backup = postgres.make_database(), tmp_path / "var", tmp_path / "backup"
    environment = {"NEUROFUSE_DATA": str(data), "BACKUP": str(backup), **containers(tmp_path, url)}
    RecordStore(url).close()
    data.mkdir()
    (data / "kept").write_bytes(bytes(100_000))
    run("backup-compose", environment)
    os.truncate(backup / broken, (backup / broken).stat().st_size // 2)
    assert tried("restore-compose", environment).returncode != 0
    assert (data / "kept").read_bytes() == bytes(100_000)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM audit_head").fetchone() == (1,)
