"""Before a package takes cases its golden case walks the whole road, through every reader at once and alone: the first patient is no one's rehearsal."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from app.errors import StorageUnavailableError
from app.heap import have_at_hand
from app.imaging.load import Loader
from app.inference.predictor import Predictor
from app.model_package.golden import read_golden_case
from app.predictions.answer import Answer
from app.predictions.answering import answer_case
from app.predictions.case import Case
from app.predictions.service import row_of
from app.records.audit import Deed
from app.records.predictions import PredictionRecords

USUAL_BYTES: Final = 24 * 2**20
"""What the blocks of an upload and the arrays of a case take in this process, beside the network."""


def rehearse(predictor: Predictor, loader: Loader, readers: int, records: PredictionRecords) -> None:
    """Answer the golden case with all that an answer has, and keep nothing of it.

    Args:
        predictor: A package that has given its golden answer.
        loader: Where images are read.
        readers: Cases that the loader reads at the same time; so many are sent, and each of its processes gets one.
        records: Where answers are kept; this one is written there and taken back.

    Raises:
        NeuroFuseError: As `app.predictions.answering.answer_case`: the package would not answer its first case either.
    """
    golden = read_golden_case(predictor.package)
    case = Case(tuple(golden.paths(predictor.package)), golden.record)

    def answer(_reader: int) -> Answer:
        with TemporaryDirectory(prefix="neurofuse-") as folder:
            return answer_case(case, predictor, Path(folder), loader=loader).answer

    with ThreadPoolExecutor(readers, thread_name_prefix="rehearsal") as pool:
        list(pool.map(answer, range(readers)))
    have_at_hand(USUAL_BYTES)
    # Cases that meet are run by other sessions than one that comes by itself (`app.inference.cpu_session`).
    alone = answer(readers)
    with suppress(StorageUnavailableError):  # no fault of the package either; the first case will be told
        records.rehearse(row_of(alone, case), Deed("service", "service", "rehearsal"))
