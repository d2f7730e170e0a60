"""Runs schemathesis against a service of its own, in which there is something to find."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from app.records.store import RecordStore
from app.security.keys import make_key
from app.security.principal import ROLES
from tests.service.jobs import ASYNC, accepted, ended, send
from tests.service.server import Server, serving
from tests.support.synthetic_head import CT_HU, write_head
from tests.support.tiny_package import build_tiny_package
from tests.support.waiting import LONGEST_S

HERE: Final = Path(__file__).parent
CHECKS: Final = (
    "no_fault_of_the_service", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "unsupported_method",
)  # fmt: skip
PHASES: Final = "examples,coverage,fuzzing"
TOKEN: Final = "a-token-of-tests-0123456789"  # noqa: S105 - of this service alone
WHO: Final = ("everybody", "a key", "nobody")
Who = Literal["everybody", "a key", "nobody"]
"""Who asks: anybody, where authentication is off; a key of every role, or nobody, where it is on."""

IDENTIFIERS: Final = """
[parameters]
"path.prediction_id" = "{prediction}"
"path.job_id" = "{job}"
"path.batch_id" = "{batch}"
"path.upload_id" = "{upload}"
"path.name" = "gos"
"path.version" = 1

# What is deleted, unloaded or moved is something else: the rest is to find what it asks for.
[[operations]]
include-method = "DELETE"
[operations.parameters]
"path.prediction_id" = "{spare}"
"path.upload_id" = "{spare}"
"path.batch_id" = "{spare}"

[[operations]]
include-path-regex = "^/admin/"
include-method = ["POST", "PUT", "PATCH", "DELETE"]
[operations.parameters]
"path.name" = "ad"
"path.version" = 1
"""


@contextmanager
def something_to_find(folder: Path, who: Who) -> Iterator[tuple[Server, dict[str, str], Path]]:
    """A service with answers, a job, a batch and an upload; the headers to ask it with, and schemathesis' configuration.

    Args:
        folder: Empty.
        who: Who asks.
    """
    store = folder / "store"
    for task in ("gos", "ad"):
        build_tiny_package(store, task)
    image = write_head(folder / "head.nii.gz", CT_HU)
    settings: dict[str, Any] = {
        "admin_token": TOKEN,
        "requests_per_minute": 0,
        "job_limit": 20,
    }
    headers = {"Authorization": f"Bearer {TOKEN}"}
    if who != "everybody":
        settings |= {"authentication": "on"}
        headers = {"Authorization": f"Bearer {_key(folder / 'var')}"}
    with serving(store, folder / "var", **settings) as server:
        server.client.headers.update(headers)
        made = _made(server, image)
        configuration = folder / "schemathesis.toml"
        configuration.write_text(IDENTIFIERS.format(**made), encoding="utf-8")
        yield server, {} if who == "nobody" else headers, configuration


def _key(data: Path) -> str:
    """A key of every role."""
    kept, key = make_key("fuzzing", set(ROLES), 1, datetime.now(UTC))
    data.mkdir()
    with closing(RecordStore(data / "records.sqlite3")) as records:
        records.api_keys.add(kept)
    return key


def _made(server: Server, image: Path) -> dict[str, str]:
    answers = [
        server.predict(image, task="gos", keep="image").raise_for_status().json()["id"] for _ in range(2)
    ]
    job = accepted(send(server, image, ASYNC, task="gos"))
    ended(server, job)
    upload = server.predict(image, path="/uploads", task="gos").raise_for_status().json()["id"]
    batch = server.client.post("/batches", json={"task": "gos"}).raise_for_status().json()["id"]
    return {"prediction": answers[0], "spare": answers[1], "job": job, "upload": upload, "batch": batch}


def fuzz(folder: Path, who: Who, seconds: int, seed: int, phases: str = PHASES) -> tuple[bool, str]:
    """Ask everything for so long.

    Args:
        folder: Empty.
        who: Who asks.
        seconds: At most.
        seed: Another one asks other things.
        phases: Of schemathesis: the document's examples, every bound of every schema once, at random.

    Returns:
        Whether every check held, and what schemathesis prints.
    """
    with something_to_find(folder, who) as (server, headers, configuration):
        command: list[str | Path] = [
            sys.executable, "-m", "schemathesis.cli", "--config-file", configuration,
            "run", f"{server.client.base_url}/openapi.json",
            "--checks", ",".join(CHECKS), "--phases", phases, "--max-time", str(seconds),
            "--seed", str(seed), "--continue-on-failure", "--generation-database", "none", "--warnings", "off",
            "--suppress-health-check", "all", "--no-color",
            *(word for name, value in headers.items() for word in ("--header", f"{name}: {value}")),
        ]  # fmt: skip
        hooks = {"SCHEMATHESIS_HOOKS": "tests.api_fuzz.checks", "PYTHONPATH": str(HERE.parents[1])}
        ran = subprocess.run(  # noqa: S603 - our own words
            command,
            env=os.environ | hooks,
            cwd=folder,
            check=False,
            capture_output=True,
            text=True,
            timeout=seconds + LONGEST_S,
        )
        faults = [line for line in server.log.read_text().splitlines() if '"request-fault"' in line]
    printed = "\n".join([ran.stdout, ran.stderr, *faults])
    return ran.returncode == 0 and not faults, printed
