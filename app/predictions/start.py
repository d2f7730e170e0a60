"""Make a package ready on the provider that was asked for."""

from app.inference.predictor import Predictor
from app.inference.self_test import self_test
from app.inference.session import OnnxSession, Provider
from app.model_package.package import Package
from app.predictions.catalogue import StartPredictor


def start_with(provider: Provider, threads: int) -> StartPredictor:
    """How this process makes packages ready.

    Args:
        provider: Execution provider; falling back to another one is refused, never silent.
        threads: Threads of one inference; 0 for one per usable CPU.

    Returns:
        A function from a verified package to a predictor that has given its golden answer.
    """

    def start(package: Package) -> Predictor:
        predictor = Predictor(package, OnnxSession(package, provider=provider, threads=threads or None))
        self_test(predictor)
        return predictor

    return start
