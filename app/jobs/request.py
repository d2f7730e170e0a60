"""A case as a job keeps it: its wishes as JSON text, its files as artefacts; and what tells two requests apart, or the same."""

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, TypeVar

from app.errors import IdempotencyKeyReusedError
from app.predictions.case import Case
from app.records.batches import Batch
from app.records.jobs import Job

KIND: Final = "jobs"
"""Of artefacts."""
WISHES: Final = ("heatmap", "series", "explain", "keep_image")
Made = TypeVar("Made", Job, Batch)


def upload_name(job_id: str) -> str:
    """The name under which the files of a job are kept."""
    return f"{KIND}/{job_id}"


def write_request(case: Case) -> str:
    """What is asked of a case, but for its files."""
    wishes = {name: getattr(case, name) for name in WISHES}
    return json.dumps({"record": dict(case.record), **wishes})


def read_request(job: Job, folder: Path) -> Case:
    """The case of a job.

    Args:
        job: Not finished.
        folder: Of its files.
    """
    asked = json.loads(job.request or "")
    return Case(
        images=tuple(sorted(folder.iterdir())), reference=job.reference, caller=job.caller, id=job.id, **asked
    )


def fingerprint(fields: Mapping[str, str], images: Iterable[Path]) -> str:
    """A digest of all that a request says; the order and the names of its files say nothing.

    Args:
        fields: Everything but the files.
        images: The files.
    """
    digest = hashlib.sha256(json.dumps(dict(fields), sort_keys=True).encode())
    for each in sorted(_digest(path) for path in images):
        digest.update(each)
    return digest.hexdigest()


def require_same(made: Made, asked: str) -> Made:
    """What an earlier request made under a key, for one that comes under it now.

    Args:
        made: By the earlier one.
        asked: Digest of the one that comes now.

    Raises:
        IdempotencyKeyReusedError: They are two.
    """
    if not secrets.compare_digest(made.fingerprint or "", asked):
        raise IdempotencyKeyReusedError(
            "Expected the request that this Idempotency-Key was first used for; this is another one. "
            "Take a new key for a new request."
        )
    return made


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
