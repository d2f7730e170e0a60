"""`neurofuse replay`: asks the package of an earlier answer again, with what is kept of its case, and compares."""

import argparse
from typing import Final

from rich.console import Console
from rich.table import Table

from app import __version__
from app.administration.records_here import records_here
from app.data_folder.bounded_folders import KeepingLimits
from app.data_folder.case_store import CaseStore, KeptCase
from app.data_folder.layout import DataFolder
from app.ehr.encode import encode
from app.errors import PackageDigestError
from app.exit_status import FAILED, OK
from app.inference.predictor import Outputs
from app.model_package.store import store_at
from app.predictions.answer import Answer, require_answer
from app.serving.start import starter_alone
from app.settings import Settings

TOLERANCE: Final = 1e-3
"""Greatest difference of a probability between execution providers, as for golden cases (`app.inference.self_test`)."""
HOUR_S: Final = 3600.0


def replay(arguments: argparse.Namespace, settings: Settings) -> int:
    """Asks the package that answered again, and says how far apart the two answers are."""
    answer, case = _kept(arguments.id, settings)
    package = store_at(settings.model_store).load(answer.model.name, answer.model.version)
    if package.sha256 != answer.model.sha256:
        raise PackageDigestError(
            f"Expected package {answer.model.name}@{answer.model.version} as it answered; the one in the store has another digest."
        )
    predictor = starter_alone(settings)(package)
    outputs = predictor.predict(case.image, encode(case.record, package.manifest.ehr))
    return _compare(answer, outputs, predictor.session.provider)


def _kept(prediction_id: str, settings: Settings) -> tuple[Answer, KeptCase]:
    with records_here(settings) as records:
        answer = require_answer(records.predictions.get(prediction_id).document)
    limits = KeepingLimits(settings.case_hours * HOUR_S, settings.case_bytes)
    return answer, CaseStore(DataFolder(settings.data).cases, limits).case(prediction_id)


def _compare(answer: Answer, outputs: Outputs, provider: str) -> int:
    then, now = answer.prediction.probabilities, outputs.probabilities
    table = Table("class", "then", "now", "difference", title=f"{answer.model.name}@{answer.model.version}")
    for label, probability in then.items():
        table.add_row(label, f"{probability:.6f}", f"{now[label]:.6f}", f"{now[label] - probability:+.1e}")
    furthest = max(abs(now[label] - probability) for label, probability in then.items())
    is_same = furthest <= TOLERANCE and outputs.label == answer.prediction.label
    table.caption = (
        f"then by {f'release {answer.release}' if answer.release else 'a release before 0.2.0'} on {answer.model.provider}, "
        f"now by {__version__} on {provider}: "
        f"{'the same to the last digit' if furthest == 0 else f'at most {furthest:.1e} apart'}"
    )
    console = Console(highlight=False)
    console.print(table)
    console.print("repeated" if is_same else "DIFFERS: the answer cannot be repeated here.")
    return OK if is_same else FAILED
