"""The command line: `neurofuse serve | predict | inspect | models | keys | sessions | audit | replay | copy-records | openapi | healthcheck`. Choices come from the same `NEUROFUSE_` variables."""

import argparse
import importlib.metadata
import json
import os
import ssl
import sys
from collections.abc import Sequence
from contextlib import closing, nullcontext, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Final, get_args

import structlog
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from rich.console import Console
from rich.table import Table

from app.administration.audit import add_to as add_audit_to
from app.administration.command import add_to as add_models_to
from app.administration.keys import add_to as add_keys_to
from app.administration.replay import add_to as add_replay_to
from app.administration.sessions import add_to as add_sessions_to
from app.api.body_blocks import BlocksProtocol
from app.api.failed_start import Server
from app.cohort.command import predict_cohort
from app.cohort.server_engine import remote_package
from app.errors import MalformedRequestError, NeuroFuseError, RequestError
from app.expendable import write_no_core_file
from app.heap import keep_freed_memory, keep_what_a_start_made
from app.imaging.folders import files_in
from app.inference.case import HeatmapChoice
from app.inspection.command import add_to as add_inspect_to
from app.main import DISTRIBUTION, create_app, read_limits
from app.model_package.manifest import Task
from app.model_package.package import Package
from app.model_package.store import store_at
from app.predictions.answer import Answer
from app.predictions.data_folder import DataFolder
from app.predictions.explain import NIFTI_NAME, PNG_NAME, Case, explain
from app.predictions.record_text import parse_record
from app.predictions.start import starter_alone
from app.records.copying import copy_records
from app.security.exposure import require_safe
from app.setting_values import unknown_settings
from app.settings import ENV_PREFIX, Settings
from app.telemetry import change_level_by_signal, configure_logging

OK: Final = 0
FAILED: Final = 1
REFUSED: Final = 2
ANSWER_NAME: Final = "answer.json"
HEALTHCHECK_TIMEOUT_S: Final = 5.0
GRACEFUL_SHUTDOWN_S: Final = 30
"""Seconds that cases have to finish once the process is told to stop; a client that stalls cannot hold it longer."""

EXPECTED: Final = {
    "Value error, ": "", "Input should be": "expected", "String should match": "expected",
}  # fmt: skip
"""Pydantic's words of an error, and ours."""

TLS_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2, the least that is spoken; all of 1.3 are good (RFC 9325, section 4.2)."""

DESCRIPTION = """Outcome from a head CT or brain MRI and the patient's record: one case, a table of them, or a service.

Everything that can be chosen is a NEUROFUSE_ variable (docs/reference/settings.md). A command ends with 0 when it is
done, 1 where the service or a package failed, 2 where what was asked cannot be answered."""
EXAMPLES = """examples:
  neurofuse serve
  neurofuse predict series/ --ehr record.json --task gos --out result/
  neurofuse COMMAND --help"""
SERVE_EXAMPLE = "example: neurofuse serve --port 8000"
PREDICT_EXAMPLES = """examples:
  neurofuse predict series/ --ehr record.json --task gos --out result/
  neurofuse predict --cohort patients.csv --task gos --out results.csv"""
COPY_EXAMPLE = "example: NEUROFUSE_DATABASE_URL=postgresql://neurofuse@db/neurofuse neurofuse copy-records"
OPENAPI_EXAMPLE = "example: neurofuse openapi > openapi.json"
HEALTHCHECK_EXAMPLE = "example: neurofuse healthcheck && echo ready"

log = structlog.stdlib.get_logger(__name__)


class _Parser(argparse.ArgumentParser):
    """Prints descriptions and examples as they are written; so do the parsers of its commands."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - as argparse takes them
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Without the program's name; those of the process by default.

    Returns:
        0 done, 1 the service or a package failed, 2 what was asked cannot be answered.
    """
    parsed = _parser().parse_args(arguments)
    write_no_core_file()
    try:
        settings = Settings()
        configure_logging(settings.log_level, settings.log_format)
        code: int = parsed.run(parsed, settings)
    except ValidationError as error:
        differing = map(_expected, error.errors(include_input=False))
        return _fail(REFUSED, "Expected settings as in docs/reference/settings.md; these differ.", *differing)
    except BrokenPipeError:
        # Whoever reads what is printed, such as `head`, has enough: nothing to say, and nobody to say it to. Python would
        # say so all the same when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        return _fail(REFUSED, ": ".join(str(part) for part in (error.filename, error.strerror) if part))
    except NeuroFuseError as error:
        fields = (f"  {name}: {value}" for name, value in error.fields.items())
        code = REFUSED if isinstance(error, RequestError) else FAILED
        return _fail(code, f"{error.code}: {error.detail}", *fields)
    return code


def _expected(found: ErrorDetails) -> str:
    """A setting and what is expected of it; neither Pydantic's words nor ours quote what it holds."""
    name, words = str(found["loc"][0]), found["msg"]
    for theirs, ours in EXPECTED.items():
        words = words.replace(theirs, ours)
    field = Settings.model_fields.get(name)
    return f"  {ENV_PREFIX}{name.upper()}: {words}. {field.description if field else ''}".rstrip()


def _fail(code: int, *lines: str) -> int:
    console = Console(stderr=True, soft_wrap=True)
    for line in lines:
        console.print(line, markup=False, highlight=False)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="neurofuse", description=DESCRIPTION, epilog=EXAMPLES)
    version = importlib.metadata.version(DISTRIBUTION)
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add_to in (
        _add_serve_to,
        _add_predict_to,
        add_inspect_to,
        add_models_to,
        add_keys_to,
        add_sessions_to,
        add_audit_to,
        add_replay_to,
    ):
        add_to(commands)
    copying = commands.add_parser(
        "copy-records",
        help="take the answers of the SQLite file into PostgreSQL",
        description="Fills an empty PostgreSQL database with all that the SQLite file in NEUROFUSE_DATA holds. Stop the service first.",
        epilog=COPY_EXAMPLE,
    )
    copying.set_defaults(run=_copy_records)
    openapi = commands.add_parser(
        "openapi",
        help="print the OpenAPI document",
        description="Prints the contract of the HTTP interface; needs no service.",
        epilog=OPENAPI_EXAMPLE,
    )
    openapi.set_defaults(run=_openapi)
    healthcheck = commands.add_parser(
        "healthcheck",
        help="ask a running service whether it is ready",
        description="Asks /readyz of the service on this machine, at NEUROFUSE_PORT; ends with 0 where it is ready, else with 1.",
        epilog=HEALTHCHECK_EXAMPLE,
    )
    healthcheck.set_defaults(run=_healthcheck)
    return parser


def _add_serve_to(commands: Any) -> None:  # noqa: ANN401 - argparse names this type in private
    serve = commands.add_parser(
        "serve",
        help="answer over HTTP",
        description="Answers over HTTP until it is stopped: the page at /, the interface at /docs.",
        epilog=SERVE_EXAMPLE,
    )
    serve.add_argument("--host", help="address to listen on; NEUROFUSE_HOST by default")
    serve.add_argument("--port", type=int, help="port to listen on; NEUROFUSE_PORT by default")
    serve.set_defaults(run=_serve)


def _add_predict_to(commands: Any) -> None:  # noqa: ANN401 - argparse names this type in private
    predict = commands.add_parser(
        "predict",
        help="answer one case, or a table of them",
        description="Answers in this process, unless --server or --ray says where; keeps nothing but what --out names.",
        epilog=PREDICT_EXAMPLES,
    )
    predict.add_argument("image", nargs="*", type=Path, help="NIfTI, DICOM or zip files, or folders of them")
    predict.add_argument(
        "--cohort", type=Path, metavar="TABLE", help="CSV file with a row a patient, instead of an image"
    )
    predict.add_argument(
        "--server",
        metavar="URL",
        help="with --cohort: a running service that answers, such as http://127.0.0.1:8000",
    )
    predict.add_argument(
        "--ray", metavar="ADDRESS", help="with --cohort: a Ray cluster whose machines answer, such as auto"
    )
    predict.add_argument(
        "--ehr", type=Path, metavar="FILE", help="JSON file with the record; an empty record by default"
    )
    which = predict.add_mutually_exclusive_group(required=True)
    which.add_argument("--task", choices=get_args(Task), help="what is asked")
    which.add_argument("--model", metavar="NAME[@VERSION]", help="a package, such as gos@1")
    predict.add_argument(
        "--heatmap",
        choices=get_args(HeatmapChoice),
        help="on which grid; the image's own by default, none with --cohort",
    )
    predict.add_argument(
        "--series", metavar="UID", help="Series Instance UID of the DICOM series that is meant"
    )
    predict.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="PATH",
        help="folder for answer.json and the heatmap; with --cohort, the CSV file of results",
    )
    predict.set_defaults(run=_predict)


def _serve(arguments: argparse.Namespace, settings: Settings) -> int:
    chosen = {
        name: getattr(arguments, name) for name in ("host", "port") if getattr(arguments, name) is not None
    }
    settings = Settings(**{**settings.model_dump(), **chosen})
    for unknown in unknown_settings(os.environ, ENV_PREFIX, [name.upper() for name in Settings.model_fields]):
        log.warning("setting-unknown", detail=unknown)
    require_safe(settings)
    store_at(settings.model_store)  # says so where there is none
    gettempdir()  # says which folders it has tried, where none can be written to; packages could not be made ready
    change_level_by_signal(settings.log_level)
    keep_freed_memory()
    application = create_app(settings)
    keep_what_a_start_made()
    server = Server(
        application,
        host=settings.host,
        port=settings.port,
        log_config=None,  # `configure_logging` has taken care of it
        access_log=False,  # uvicorn's would hold addresses; ours is `request-finished`
        server_header=False,
        # Whoever else sends X-Forwarded-For is not believed: refusals are counted by address.
        forwarded_allow_ips=settings.trusted_proxies,
        ssl_certfile=settings.tls_certificate or None,
        ssl_keyfile=settings.tls_key or None,
        ssl_ciphers=TLS_CIPHERS,
        http=BlocksProtocol,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
    )
    with suppress(KeyboardInterrupt):
        server.run()
    return FAILED if server.application.has_failed else OK


def _predict(arguments: argparse.Namespace, settings: Settings) -> int:
    if bool(arguments.image) == bool(arguments.cohort):
        raise MalformedRequestError("Expected image files, or --cohort and a table; give one of them.")
    if arguments.ray and not arguments.cohort:
        raise MalformedRequestError("Expected --cohort and a table beside --ray; one case is answered here.")
    if arguments.server and (arguments.ray or not arguments.cohort):
        raise MalformedRequestError("Expected --server beside --cohort and a table, and without --ray.")
    if arguments.cohort:
        if arguments.ehr or arguments.series or arguments.heatmap not in {None, "none"}:
            raise MalformedRequestError(
                "Expected --ehr, --series and --heatmap beside one case; the table of a cohort has a record in each row, and no heatmap comes of it."
            )
        where = arguments.server
        package = (
            remote_package(where, arguments.task, arguments.model, settings)
            if where
            else _package(arguments, settings)
        )
        return predict_cohort(arguments.cohort, arguments.out, package, settings, arguments.ray)
    record = parse_record(_text(arguments.ehr) if arguments.ehr else "{}")
    case = Case(files_in(arguments.image), record, arguments.heatmap or "native", arguments.series)
    predictor = starter_alone(settings)(_package(arguments, settings))
    _clear(arguments.out)
    answer = explain(case, predictor, arguments.out, read_limits(settings)).answer
    (arguments.out / ANSWER_NAME).write_text(answer.model_dump_json(indent=2) + "\n", encoding="utf-8")
    Console().print(_answer_table(answer))
    for caution in answer.warnings:
        Console(soft_wrap=True).print(f"{caution.code}: {caution.detail}", markup=False)
    return OK


def _clear(folder: Path) -> None:
    """Make the folder of an answer, without what an earlier case left there: this one may be refused, or have no heatmap."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (ANSWER_NAME, NIFTI_NAME, PNG_NAME):
        (folder / name).unlink(missing_ok=True)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise MalformedRequestError(f"Expected {file} to be text in UTF-8; save it as such.") from None


def _package(arguments: argparse.Namespace, settings: Settings) -> Package:
    store = store_at(settings.model_store)
    if arguments.task:
        return store.load_for_task(arguments.task)
    reference = store.resolve(arguments.model)
    return store.load(reference.name, reference.version)


def _answer_table(answer: Answer) -> Table:
    outcome = answer.prediction
    table = Table("class", "probability", "in the set", title=f"{answer.model.name}@{answer.model.version}")
    for label, probability in outcome.probabilities.items():
        table.add_row(label, f"{probability:.3f}", "yes" if label in outcome.prediction_set else "")
    if outcome.favourable is not None:
        table.add_section()
        table.add_row("favourable", f"{outcome.favourable:.3f}", "")
    table.caption = f"{outcome.coverage:.0%} prediction set; image share {answer.ehr.image_share:.2f}"
    return table


def _copy_records(_arguments: argparse.Namespace, settings: Settings) -> int:
    url = settings.database_url.get_secret_value()
    if not url:
        raise MalformedRequestError(
            "Expected NEUROFUSE_DATABASE_URL to name the database to fill; it is empty."
        )
    folder = DataFolder(settings.data)
    # Of a service that works there, all that it writes from now on would be left behind.
    with folder.held() if folder.lock.exists() else nullcontext():
        copied = copy_records(folder.database, url)
    for name, rows in copied.items():
        Console().print(f"{name}: {rows}", highlight=False)
    return OK


def _openapi(_arguments: argparse.Namespace, settings: Settings) -> int:
    json.dump(create_app(settings).openapi(), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
    return OK


def _healthcheck(_arguments: argparse.Namespace, settings: Settings) -> int:
    # Where the service listens on every address, loopback is one of them.
    host = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host  # noqa: S104 - compared, not bound  # nosec B104
    where = (host, settings.port)
    asking = (
        HTTPSConnection(*where, timeout=HEALTHCHECK_TIMEOUT_S, context=_own_certificate())
        if settings.tls_certificate
        else HTTPConnection(*where, timeout=HEALTHCHECK_TIMEOUT_S)
    )
    try:
        with closing(asking):
            asking.request("GET", "/readyz")
            return OK if asking.getresponse().status == HTTPStatus.OK else FAILED
    except (OSError, HTTPException):
        return FAILED


def _own_certificate() -> ssl.SSLContext:
    """Takes any certificate: it is asked of this very machine, whose address no certificate names, and nothing secret is sent."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


if __name__ == "__main__":
    sys.exit(main())
