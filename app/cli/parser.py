"""What every command takes, and the name of what it does (`app.later`)."""

import argparse
from pathlib import Path
from typing import Any, get_args

from app import __version__
from app.administration.verbs import (
    add_audit_to,
    add_copying_to,
    add_keys_to,
    add_models_to,
    add_replay_to,
    add_sessions_to,
)
from app.imaging.modality import Modality
from app.inference.heatmap_choice import HeatmapChoice
from app.later import later
from app.model_package.naming import Task

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
INSPECT_EXAMPLE = "example: neurofuse inspect study/ --png overview.png"
OPENAPI_EXAMPLE = "example: neurofuse openapi > openapi.json"
HEALTHCHECK_EXAMPLE = "example: neurofuse healthcheck && echo ready"


class _Parser(argparse.ArgumentParser):
    """Prints descriptions and examples as they are written; so do the parsers of its commands."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - as argparse takes them
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)


def build_parser() -> argparse.ArgumentParser:
    """Of every command, with its verbs."""
    parser = _Parser(prog="neurofuse", description=DESCRIPTION, epilog=EXAMPLES)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add_to in (
        _add_serve_to,
        _add_predict_to,
        _add_inspect_to,
        add_models_to,
        add_keys_to,
        add_sessions_to,
        add_audit_to,
        add_replay_to,
        add_copying_to,
    ):
        add_to(commands)
    openapi = commands.add_parser(
        "openapi",
        help="print the OpenAPI document",
        description="Prints the contract of the HTTP interface; needs no service.",
        epilog=OPENAPI_EXAMPLE,
    )
    openapi.set_defaults(run=later("app.cli.openapi:print_document"))
    healthcheck = commands.add_parser(
        "healthcheck",
        help="ask a running service whether it is ready",
        description="Asks /readyz of the service on this machine, at NEUROFUSE_PORT; ends with 0 where it is ready, else with 1.",
        epilog=HEALTHCHECK_EXAMPLE,
    )
    healthcheck.set_defaults(run=later("app.cli.healthcheck:ask"))
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
    serve.set_defaults(run=later("app.cli.serve:serve"))


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
    predict.set_defaults(run=later("app.cli.predict:predict"))


def _add_inspect_to(commands: Any) -> None:  # noqa: ANN401 - argparse names this type in private
    inspect = commands.add_parser(
        "inspect",
        help="show what is read from image files, and why",
        description="Shows the series, the geometry, the findings and the head, as the service would see them; answers no case.",
        epilog=INSPECT_EXAMPLE,
    )
    inspect.add_argument("image", nargs="+", type=Path, help="NIfTI, DICOM or zip files, or folders of them")
    what = inspect.add_mutually_exclusive_group()
    what.add_argument("--task", choices=get_args(Task), help="read as this task's model does")
    what.add_argument(
        "--modality",
        choices=[str(one) for one in Modality],
        help="read as this; what the files hold by default",
    )
    inspect.add_argument("--series", metavar="UID", help="Series Instance UID of the series that is meant")
    inspect.add_argument("--png", type=Path, metavar="FILE", help="write an overview picture")
    inspect.add_argument("--json", action="store_true", help="print JSON instead of tables")
    inspect.set_defaults(run=later("app.inspection.command:run"))
