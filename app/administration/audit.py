"""`neurofuse audit`: proves that the audit trail is whole, and gives it out; reads the database, needs no running service."""

import argparse
import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console

from app.administration.audit_event import audit_event
from app.administration.records_here import evidence_here
from app.exit_status import FAILED, OK
from app.settings import Settings


def verify(arguments: argparse.Namespace, settings: Settings) -> int:
    """Finds the first line that was changed."""
    console = Console(soft_wrap=True, highlight=False)
    with evidence_here(settings) as records:
        trail = records.audit
        verdict = trail.verify()
        if verdict.broken_at is not None:
            console.print(f"BROKEN at line {verdict.broken_at}: {verdict.found}.")
            return FAILED
        if arguments.head and not trail.holds(arguments.head):
            console.print(
                "BROKEN: no line has the digest that was kept elsewhere. Either it is over its time, or the chain was made anew."
            )
            return FAILED
    head = verdict.head
    console.print(f"whole: {verdict.lines} lines, {head.first} to {head.last}; head {head.digest}")
    return OK


def export(arguments: argparse.Namespace, settings: Settings) -> int:
    """Writes the lines as FHIR events."""
    with evidence_here(settings) as records, _written_to(arguments.out) as out:
        for line in records.audit.lines(arguments.since, arguments.until):
            out.write(json.dumps(audit_event(line, arguments.observer), ensure_ascii=False) + "\n")
    return OK


@contextmanager
def _written_to(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    # An export is evidence: none is written over, and one that was cut off does not pass for a whole one.
    path.open("x").close()
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with partial.open("x", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise
