"""Before a package takes cases its golden case walks the whole road, once through every reader: the first patient is no one's rehearsal."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from app.imaging.limits import ReadLimits
from app.imaging.load import Loader
from app.inference.predictor import Predictor
from app.model_package.golden import read_golden_case
from app.predictions.explain import Case, explain


def rehearse(predictor: Predictor, loader: Loader, limits: ReadLimits, readers: int) -> None:
    """Answer the golden case with all that an answer has, and keep nothing of it.

    Args:
        predictor: A package that has given its golden answer.
        loader: Where images are read.
        limits: Bounds on what is read.
        readers: Cases that the loader reads at the same time; so many are sent, and each of its processes gets one.

    Raises:
        NeuroFuseError: As `app.predictions.explain.explain`: the package would not answer its first case either.
    """
    golden = read_golden_case(predictor.package)
    case = Case(tuple(golden.paths(predictor.package)), golden.record)

    def answer(_reader: int) -> None:
        with TemporaryDirectory(prefix="neurofuse-") as folder:
            explain(case, predictor, Path(folder), limits, loader=loader)

    with ThreadPoolExecutor(readers, thread_name_prefix="rehearsal") as pool:
        list(pool.map(answer, range(readers)))
