"""`neurofuse audit`: proves that the audit trail is whole, and gives it out; reads the database, needs no running service."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TextIO

from rich.console import Console

from app.administration.audit_event import audit_event
from app.administration.records_here import records_here
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
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = audit.add_subparsers(required=True, metavar="VERB")
    verify = verbs.add_parser(
        "verify", help="find the first line that was changed", epilog=_example("verify")
    )
    verify.add_argument(
        "--head",
        metavar="DIGEST",
        help="a digest that this command printed earlier and that you kept elsewhere: the trail must still hold it",
    )
    verify.set_defaults(run=_verify)
    export = verbs.add_parser(
        "export", help="as FHIR R4 AuditEvents, one JSON object a line", epilog=_example("export")
    )
    export.add_argument("--since", type=_day, metavar="DATE", help="from this day on (UTC)")
    export.add_argument("--until", type=_day, metavar="DATE", help="before this day (UTC)")
    export.add_argument("--out", type=Path, help="file to write; standard output by default")
    export.add_argument("--observer", default="NeuroFuse", help="what the site calls this service")
    export.set_defaults(run=_export)


def _example(verb: str) -> str:
    return next(f"example: {line.strip()}" for line in EXAMPLES.splitlines() if f"audit {verb}" in line)


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


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
    with path.open("x", encoding="utf-8") as file:  # an export is evidence: none is written over
        yield file
