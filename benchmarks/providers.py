"""The packages of the store on every execution provider: whether it can be had here, what it answers, and how many cases it takes.

Run it first on a machine with a GPU: on such a one nothing of this project has run yet.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Final, NamedTuple

import onnxruntime as ort
from rich.table import Table

from app.ehr.encode import encode
from app.errors import NeuroFuseError
from app.imaging.load import load_case
from app.inference.batching import BatchedSession
from app.inference.onnx_runtime.providers import Provider
from app.inference.predictor import Outputs, Predictor
from app.model_package.golden import read_golden_case
from app.model_package.package import Package
from app.model_package.store import ModelStore
from app.serving.start import start_with
from app.settings import Settings
from app.telemetry import configure_logging
from benchmarks.measure import Times, in_turns

ROUNDS: Final = 9
CALLERS: Final = 16
CASES: Final = 64
"""Of all callers in a round."""
CPU: Final = "cpu"
WAYS: Final[Mapping[str, tuple[Provider, bool]]] = {
    CPU: ("cpu", False),
    "cuda": ("cuda", False),
    "cuda, graphs": ("cuda", True),
    "tensorrt": ("tensorrt", False),
}
"""Provider, and whether CUDA graphs are tried; they are kept where a run gains by them."""
COLUMNS: Final = (
    "package",
    "provider",
    "ready after",
    "batch",
    "differs",
    "one case",
    "cases a second",
    "to the CPU",
)
NOTE: Final = (
    "The graph with its batches, as the service opens it; the golden case of each package, {rounds} rounds in turns, ONNX Runtime {version}. "
    "batch: largest that was chosen. differs: largest difference of a probability from the stored answer. cases a second: of {callers} "
    "callers. graphs: kept where a run gains by them, else as without. to the CPU: cases a second, median of the quotients within a round. What cannot be had here, or must not be served, is told by its code."
)


class Opened(NamedTuple):
    """A package on a provider.

    Attributes:
        predictor: Ready.
        ready_s: Seconds until it was, its golden case answered.
    """

    predictor: Predictor
    ready_s: float


def run(rounds: int) -> Table:
    """Compare the providers with the newest version of each package of the store.

    Args:
        rounds: Rounds that count.
    """
    configure_logging("ERROR", "json")
    store = ModelStore(Settings().model_store)
    names = sorted({reference.name for reference in store.references()})
    return compared([store.load(name) for name in names], rounds)


def compared(packages: Sequence[Package], rounds: int) -> Table:
    """Time packages on every provider.

    Args:
        packages: Each with its golden case.
        rounds: Rounds that count.
    """
    note = NOTE.format(rounds=rounds, version=ort.__version__, callers=CALLERS)
    table = Table(title="Execution providers", caption=note)
    for number, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if number > 1 else "left")
    for package in packages:
        for row in _rows(package, rounds):
            table.add_row(str(package.manifest.reference), *row)
    return table


def _rows(package: Package, rounds: int) -> Iterator[Sequence[str]]:
    refused: dict[str, str] = {}
    with _opened(package, refused) as opened:
        expected = read_golden_case(package).probabilities
        asked = {way: _question(each.predictor) for way, each in opened.items()}
        alone = in_turns(asked, rounds)
        together = in_turns({way: partial(_at_once, ask) for way, ask in asked.items()}, rounds)
        for way in WAYS:
            if way in refused:
                yield way, refused[way]
                continue
            session = opened[way].predictor.session
            batch = session.policy.max_batch if isinstance(session, BatchedSession) else 1
            found = asked[way]().probabilities
            yield (
                way,
                f"{opened[way].ready_s:.1f} s",
                str(batch),
                f"{max(abs(found[label] - expected[label]) for label in expected):.0e}",
                f"{alone[way].p50_ms:.1f} ms",
                f"{CASES / median(together[way].seconds):.0f}",
                f"{_gain(together[way], together[CPU]):.2f} x",
            )


@contextmanager
def _opened(package: Package, refused: dict[str, str]) -> Iterator[dict[str, Opened]]:
    """The package on every provider that takes it; the others are written into `refused`, each with its code."""
    opened: dict[str, Opened] = {}
    try:
        for way, (provider, graphs) in WAYS.items():
            began_s = time.perf_counter()
            try:
                predictor = start_with(provider, 0, cuda_graphs=graphs)(package)
            except NeuroFuseError as error:
                refused[way] = error.code
            else:
                opened[way] = Opened(predictor, time.perf_counter() - began_s)
        yield opened
    finally:
        for each in opened.values():
            each.predictor.session.close()


def _question(predictor: Predictor) -> Callable[[], Outputs]:
    package = predictor.package
    case, manifest = read_golden_case(package), package.manifest
    image = load_case(case.paths(package), manifest.image).image.array
    return partial(predictor.predict, image, encode(case.record, manifest.ehr))


def _at_once(ask: Callable[[], Outputs]) -> None:
    with ThreadPoolExecutor(CALLERS) as callers:
        for answer in [callers.submit(ask) for _ in range(CASES)]:
            answer.result()


def _gain(ours: Times, cpu: Times) -> float:
    return median(other / own for own, other in zip(ours.seconds, cpu.seconds, strict=True))
