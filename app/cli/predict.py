"""`neurofuse predict`: one case here, or a table of them."""

import argparse
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from app.cohort.command import predict_cohort
from app.cohort.server_engine import remote_package
from app.errors import MalformedRequestError
from app.exit_status import OK
from app.imaging.files.folders import files_in
from app.imaging.load import load_case
from app.model_package.package import Package
from app.model_package.store import store_at
from app.predictions.answer import Answer
from app.predictions.answering import NIFTI_NAME, PNG_NAME, answer_case
from app.predictions.case import Case
from app.predictions.limits import read_limits
from app.predictions.record_text import parse_record
from app.serving.start import starter_alone
from app.settings import Settings

ANSWER_NAME: Final = "answer.json"


def predict(arguments: argparse.Namespace, settings: Settings) -> int:
    """Answers, and keeps nothing but what --out names."""
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
    loader = partial(load_case, limits=read_limits(settings))
    answer = answer_case(case, predictor, arguments.out, loader=loader, alone=lambda: True).answer
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
