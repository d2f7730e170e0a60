"""`neurofuse audit`: proves that the audit trail is whole, and gives it out; reads the database, needs no running service."""

import argparse
import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Final, TextIO

from rich.console import Console

from app.administration.audit_event import audit_event
from app.administration.records_here import OF_THE_DATABASE, records_here
from app.administration.verbs import add_verb
from app.settings import Settings

OK: Final = 0
BROKEN: Final = 1
EXAMPLES: Final = """examples:
  neurofuse audit verify
  neurofuse audit verify --head 3f9a64d0c1b2e875...
  neurofuse audit export --since 2026-11-01 --out november.ndjson"""


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse names this type in private
    """Adds the command to the parser's."""
    audit = commands.add_parser(
        "audit",
        help="verify or export the audit trail",
        epilog=EXAMPLES,
        description=OF_THE_DATABASE,
    )
    verbs = audit.add_subparsers(required=True, metavar="VERB")
    verify = add_verb(verbs, "verify", "find the first line that was changed", EXAMPLES, _verify)
    verify.add_argument(
        "--head",
        metavar="DIGEST",
        help="a digest that this command printed earlier and that you kept elsewhere: the trail must still hold it",
    )
    words = "write the lines as FHIR R4 AuditEvents, one JSON object a line"
    export = add_verb(verbs, "export", words, EXAMPLES, _export)
    export.add_argument("--since", type=_day, metavar="DATE", help="from this day on (UTC)")
    export.add_argument("--until", type=_day, metavar="DATE", help="before this day (UTC)")
    export.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="file to write, not over another one; standard output by default",
    )
    export.add_argument(
        "--observer",
        metavar="NAME",
        default="NeuroFuse",
        help="what the site calls this service; NeuroFuse by default",
    )


def _day(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        raise argparse.ArgumentTypeError("expected a day such as 2026-11-01") from None


def _verify(arguments: argparse.Namespace, settings: Settings) -> int:
    console = Console(soft_wrap=True, highlight=False)
    with records_here(settings) as records:
        trail = records.audit
        verdict = trail.verify()
        if verdict.broken_at is not None:
            console.print(f"BROKEN at line {verdict.broken_at}: {verdict.found}.")
            return BROKEN
        if arguments.head and not trail.holds(arguments.head):
            console.print(
                "BROKEN: no line has the digest that was kept elsewhere. Either it is over its time, or the chain was made anew."
            )
            return BROKEN
    head = verdict.head
    console.print(f"whole: {verdict.lines} lines, {head.first} to {head.last}; head {head.digest}")
    return OK


def _export(arguments: argparse.Namespace, settings: Settings) -> int:
    with records_here(settings) as records, _written_to(arguments.out) as out:
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
