"""The commands for operators, such as `neurofuse keys`: what each takes, and the name of what it does (`app.later`)."""

import argparse
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Final

from app.later import later
from app.security.principal import ROLES

DAYS: Final = 365.0
"""How long a key is good, where nobody says."""
OF_THE_DATABASE: Final = """Works on the database that NEUROFUSE_DATABASE_URL or NEUROFUSE_DATA names, whether a service runs on it or not."""
MODELS_EXAMPLES: Final = """examples:
  neurofuse models

Of a running service, with its token in NEUROFUSE_ADMIN_TOKEN or an admin's key in NEUROFUSE_API_KEY:
  neurofuse models list --server https://neurofuse.example
  neurofuse models load gos@3
  neurofuse models alias gos@production 2
  neurofuse models shadow gos@production 3
  neurofuse models canary gos@production 3 --share 0.1
  neurofuse models alias gos@production 3
  neurofuse models rollback gos@production
  neurofuse models unload gos@1"""
KEYS_EXAMPLES: Final = """examples:
  neurofuse keys create "PACS router" --role system > router.key
  neurofuse keys list
  neurofuse keys revoke 3f9a64d0c1b2e875"""
SESSIONS_EXAMPLES: Final = """examples:
  neurofuse sessions list
  neurofuse sessions end oidc:5f1d3c0c1b2e87559a64d03f9a64d0c1"""
AUDIT_EXAMPLES: Final = """examples:
  neurofuse audit verify
  neurofuse audit verify --head 3f9a64d0c1b2e875...
  neurofuse audit export --since 2026-11-01 --out november.ndjson"""
COPY_EXAMPLE: Final = (
    "example: NEUROFUSE_DATABASE_URL=postgresql://neurofuse@db/neurofuse neurofuse copy-records"
)
REPLAY_EXAMPLE: Final = "example: neurofuse replay 0193c2f4-6a00-7a31-9c2e-5d1f0b7e8a90"


def add_models_to(commands: Any) -> None:  # noqa: ANN401 - argparse names this type in private
    """Adds the command to the parser's."""
    models = commands.add_parser(
        "models",
        help="list the packages and test each; move those of a running service",
        description="Without a verb: lists the packages of the store here and tests each.",
        epilog=MODELS_EXAMPLES,
    )
    models.set_defaults(run=later("app.administration.packages_here:list_packages"))
    verbs = models.add_subparsers(metavar="VERB")
    _verb(verbs, "list", "list the packages and aliases of a running service")
    load = _verb(verbs, "load", "serve a version that lies in its store")
    unload = _verb(verbs, "unload", "serve a version no longer")
    for parser in (load, unload):
        parser.add_argument("package", metavar="NAME@VERSION", help="of a package in the service's store")
    alias = _verb(verbs, "alias", "point an alias to a version; its canary and its shadow end")
    canary = _verb(verbs, "canary", "give a share of an alias's cases to another version")
    canary.add_argument(
        "--share", type=float, help="of the cases, above 0 and below 1; the same case always gets the same"
    )
    shadow = _verb(verbs, "shadow", "compare another version in the background")
    rollback = _verb(verbs, "rollback", "end an alias's canary, else go back to its version before")
    for parser in (alias, canary, shadow, rollback):
        parser.add_argument("alias", metavar="NAME@ALIAS", help="of a package and a name of yours")
    for parser in (alias, canary, shadow):
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("version", nargs="?", type=int, metavar="VERSION", help="of the package")
        what.add_argument("--end", action="store_true", help="have none any longer")


def _verb(verbs: Any, name: str, words: str) -> argparse.ArgumentParser:  # noqa: ANN401 - as above
    parser = _add_verb(verbs, name, words, MODELS_EXAMPLES, "app.administration.command:run")
    parser.add_argument(
        "--server", metavar="URL", help="of the service; NEUROFUSE_HOST and NEUROFUSE_PORT by default"
    )
    parser.set_defaults(act=name)
    return parser


def add_keys_to(commands: Any) -> None:  # noqa: ANN401 - argparse names this type in private
    """Adds the command to the parser's."""
    keys = commands.add_parser(
        "keys",
        help="make, list and revoke API keys",
        epilog=KEYS_EXAMPLES,
        description=OF_THE_DATABASE,
    )
    verbs = keys.add_subparsers(required=True, metavar="VERB")
    create = _add_verb(
        verbs, "create", "make a key and print it, this once", KEYS_EXAMPLES, "app.administration.keys:create"
    )
    create.add_argument("name", metavar="NAME", help="what the key is for; no patient's and no person's name")
    create.add_argument(
        "--role",
        action="append",
        required=True,
        choices=ROLES,
        help="what it may do; may be given more than once",
    )
    create.add_argument("--days", type=float, default=DAYS, help=f"how long it is good; {DAYS:g} by default")
    _add_verb(
        verbs, "list", "list every key, without its secret", KEYS_EXAMPLES, "app.administration.keys:list_all"
    )
    revoke = _add_verb(
        verbs, "revoke", "take a key back, at once", KEYS_EXAMPLES, "app.administration.keys:revoke"
    )
    revoke.add_argument("id", metavar="ID", help="as `neurofuse keys list` shows it")


def add_sessions_to(commands: Any) -> None:  # noqa: ANN401 - argparse names this type in private
    """Adds the command to the parser's."""
    sessions = commands.add_parser(
        "sessions",
        help="show who is signed in on the page, and sign people out",
        epilog=SESSIONS_EXAMPLES,
        description=OF_THE_DATABASE,
    )
    verbs = sessions.add_subparsers(required=True, metavar="VERB")
    _add_verb(
        verbs,
        "list",
        "list every session, the latest first",
        SESSIONS_EXAMPLES,
        "app.administration.sessions:list_all",
    )
    end = _add_verb(
        verbs,
        "end",
        "sign somebody out everywhere, at once",
        SESSIONS_EXAMPLES,
        "app.administration.sessions:end",
    )
    end.add_argument(
        "subject", metavar="SUBJECT", help="as `neurofuse sessions list` and the audit trail show it"
    )


def add_audit_to(commands: Any) -> None:  # noqa: ANN401 - argparse names this type in private
    """Adds the command to the parser's."""
    audit = commands.add_parser(
        "audit",
        help="verify or export the audit trail",
        epilog=AUDIT_EXAMPLES,
        description=OF_THE_DATABASE,
    )
    verbs = audit.add_subparsers(required=True, metavar="VERB")
    verify = _add_verb(
        verbs,
        "verify",
        "find the first line that was changed",
        AUDIT_EXAMPLES,
        "app.administration.audit:verify",
    )
    verify.add_argument(
        "--head",
        metavar="DIGEST",
        help="a digest that this command printed earlier and that you kept elsewhere: the trail must still hold it",
    )
    words = "write the lines as FHIR R4 AuditEvents, one JSON object a line"
    export = _add_verb(verbs, "export", words, AUDIT_EXAMPLES, "app.administration.audit:export")
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


def add_replay_to(commands: Any) -> None:  # noqa: ANN401 - argparse names this type in private
    """Adds the command to the parser's."""
    replay = commands.add_parser(
        "replay",
        help="repeat a kept case and compare it with its answer",
        description="Asks the package that answered again, on this machine, and says how far apart the two answers are.",
        epilog=REPLAY_EXAMPLE,
    )
    replay.add_argument(
        "id", metavar="ID", help="`id` of an answer whose case is still kept (NEUROFUSE_CASE_HOURS)"
    )
    replay.set_defaults(run=later("app.administration.replay:replay"))


def add_copying_to(commands: Any) -> None:  # noqa: ANN401 - argparse names this type in private
    """Adds the command to the parser's."""
    copying = commands.add_parser(
        "copy-records",
        help="take the answers of the SQLite file into PostgreSQL",
        description="Fills an empty PostgreSQL database with all that the SQLite file in NEUROFUSE_DATA holds. Stop the service first.",
        epilog=COPY_EXAMPLE,
    )
    copying.set_defaults(run=later("app.administration.copying:copy"))


def _add_verb(
    verbs: Any,  # noqa: ANN401 - argparse names this type in private
    name: str,
    words: str,
    examples: str,
    work: str,
) -> argparse.ArgumentParser:
    """Add a verb to a command.

    Args:
        verbs: Of the command's parser.
        name: As it is typed.
        words: What it does, beginning with a verb.
        examples: Of the command, a line each; the first of this verb is shown with it.
        work: Carries it out (`later`).
    """
    example = next(line.strip() for line in examples.splitlines() if name in line.split()[2:3])
    parser: argparse.ArgumentParser = verbs.add_parser(
        name, help=words, description=f"{words[0].upper()}{words[1:]}.", epilog=f"example: {example}"
    )
    parser.set_defaults(run=later(work))
    return parser
