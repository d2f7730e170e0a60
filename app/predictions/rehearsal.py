"""Before a package takes cases its golden case walks the whole road, once through every reader: the first patient is no one's rehearsal."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from app.errors import StorageUnavailableError
from app.imaging.limits import ReadLimits
from app.imaging.load import Loader
from app.inference.predictor import Predictor
from app.model_package.golden import read_golden_case
from app.predictions.answer import Answer
from app.predictions.explain import Case, explain
from app.predictions.service import row_of
from app.records.audit import Deed
from app.records.predictions import PredictionRecords


def rehearse(
    predictor: Predictor, loader: Loader, limits: ReadLimits, readers: int, records: PredictionRecords
) -> None:
    """Answer the golden case with all that an answer has, and keep nothing of it.

    Args:
        predictor: A package that has given its golden answer.
        loader: Where images are read.
        limits: Bounds on what is read.
        readers: Cases that the loader reads at the same time; so many are sent, and each of its processes gets one.
        records: Where answers are kept; this one is written there and taken back.

    Raises:
        NeuroFuseError: As `app.predictions.explain.explain`: the package would not answer its first case either.
    """
    golden = read_golden_case(predictor.package)
    case = Case(tuple(golden.paths(predictor.package)), golden.record)

    def answer(_reader: int) -> Answer:
        with TemporaryDirectory(prefix="neurofuse-") as folder:
            return explain(case, predictor, Path(folder), limits, loader=loader).answer

    with ThreadPoolExecutor(readers, thread_name_prefix="rehearsal") as pool:
        answers = list(pool.map(answer, range(readers)))
    with suppress(StorageUnavailableError):  # no fault of the package either; the first case will be told
        records.rehearse(row_of(answers[0], case), Deed("service", "service", "rehearsal"))
