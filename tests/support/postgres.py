"""A PostgreSQL server of the tests' own: a private cluster in a temporary folder, started once, gone afterwards."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from tests.support.frozen import frozen
from tests.support.ports import free_port
from tests.support.waiting import LONGEST_S, end

SUPERUSER: Final = "neurofuse"
PASSWORD: Final = "Pa55-CANARY-word"  # noqa: S105 - of a server that lives for one test run, looked for in logs
DEBIAN: Final = Path("/usr/lib/postgresql")
FAST: Final = ("fsync=off", "full_page_writes=off", "max_connections=100", "shared_buffers=32MB")
"""Nothing here outlives the run, so nothing waits for a disk."""


@dataclass
class Postgres:
    """A running server; it listens on loopback only and asks for a password.

    Attributes:
        binaries: Folder of `initdb` and `postgres`.
        folder: Of the cluster.
        port: On 127.0.0.1.
        process: Its postmaster.
    """

    binaries: Path
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    _free: list[str] = field(default_factory=list)

    def url(self, database: str = "postgres") -> str:
        """Where a database is, password and all."""
        return f"postgresql://{SUPERUSER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def make_database(self) -> str:
        """The URL of a new, empty database."""
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of an empty database; emptied and lent again afterwards, since making one copies 300 files."""
        url = self._free.pop() if self._free else self.make_database()
        yield url
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        self._free.append(url)

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        options = (f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", *FAST)
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own words
                [self.binaries / "postgres", "-D", self.folder / "data", *(f"-c{each}" for each in options)],
                stdout=log,
                stderr=log,
                **_unprivileged(),
            )
        deadline = time.monotonic() + LONGEST_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "server.log").read_text())
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it at once, its connections broken; the databases stay for the next start."""
        if self.process is not None:
            end(self.process, by=signal.SIGINT)  # "fast shutdown" in PostgreSQL's words

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It stands still while the block runs: connections stay, and nothing answers."""
        assert self.process is not None
        postmaster = self.process.pid
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text(encoding="ascii").split()
        with frozen([postmaster, *map(int, children)]):
            yield

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=LONGEST_S).close()
        except psycopg.OperationalError:
            return False
        return True


def start_postgres(folder: Path) -> Postgres:
    """Make a cluster in an empty folder, and start it.

    Its locale sorts otherwise than SQLite does and knows more letters: what the tests find equal is so by our own doing.
    """
    binaries = find_binaries()
    assert binaries is not None
    folder.chmod(0o700)
    user = _unprivileged()
    if user:
        shutil.chown(folder, user["user"], user["group"])
    words = folder / "password"
    words.write_text(PASSWORD)
    words.chmod(0o644)
    making: list[str | Path] = [
        binaries / "initdb", "-D", folder / "data", "-U", SUPERUSER, f"--pwfile={words}", "--auth=scram-sha-256",
        "--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US", "--no-sync",
    ]  # fmt: skip
    made = subprocess.run(making, capture_output=True, text=True, check=False, **user)  # noqa: S603 - as above
    if made.returncode:
        raise RuntimeError(made.stderr)
    server = Postgres(binaries, folder, free_port())
    server.start()
    return server


def find_binaries() -> Path | None:
    """Where PostgreSQL is installed: on the PATH, or where Debian keeps it; the newest."""
    if (found := shutil.which("initdb")) is not None:
        return Path(found).parent
    versions = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: its own user then, which its package made."""
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server, started by the first test that asks for it; required wherever CI is set."""
    if find_binaries() is None:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say("PostgreSQL is not installed: apt-get install postgresql")
    # Not pytest's own folder: its parents are closed to the user that the server runs as.
    with tempfile.TemporaryDirectory(prefix="neurofuse-postgres-") as folder:
        server = start_postgres(Path(folder))
        yield server
        server.stop()


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """An empty database."""
    with postgres.database() as url:
        yield url
