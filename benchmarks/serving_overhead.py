"""What HTTP, admission and the record add to the work itself: one client, then as many as keep both cores busy, and where the time goes."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

import anyio
from anyio.from_thread import start_blocking_portal
from rich.console import Group, RenderableType
from rich.table import Table

from app.heap import keep_freed_memory
from app.identifiers import uuid7
from app.inference.heatmap_choice import HeatmapChoice
from app.inference.predictor import Predictor
from app.main import create_app
from app.predictions.answering import answer_case
from app.predictions.case import Case
from app.serving.entry import require_ready
from app.settings import Settings
from app.telemetry import configure_logging
from benchmarks.cases import head_ct
from benchmarks.load import Body, Load, attack, case_body, p50_ms, zip_of
from benchmarks.service import MODEL, RECORD, Service, serving, store_of_one
from benchmarks.serving_stages import stages_table

ROUNDS: Final = 4
A_ROUND: Final = 4
"""Requests of one client in a round, and the calls beside them."""
CLIENTS: Final = 8
THREADS: Final = 2
SATURATED: Final[dict[HeatmapChoice, int]] = {"none": 96, "native": 24}
"""By heatmap: requests of all of them in a round, and the calls beside them; enough that the first and the last uploads, beside which nothing is
worked on, weigh little."""
HTTP, PARTS, LIBRARY = "HTTP", "same parts", "library"
ALONE_NOTE: Final = (
    "Medians of {rounds} rounds of {each} in turns, head CT; ratios are medians of the quotients within each round. same parts: the "
    "service's own, called without HTTP, that is read in a worker process, heatmap files, case and answer kept. library: as the command "
    "line, read in this process, heatmap files written, nothing kept. HTTP includes the upload ({megabytes:.0f} MB as files)."
)
BUSY_NOTE: Final = (
    "Cases a second of {clients} clients, and of loops over the same cases in one process: medians of {rounds} rounds of {each}. "
    "ratio: HTTP to the fastest loop, median of the quotients within each round."
)


@dataclass(frozen=True)
class Ways:
    """The ways to have a case answered.

    Attributes:
        service: Ours, over HTTP.
        parts: Its own parts, called in this process, nobody else at work.
        parts_in_turn: The same where others are at work, too.
        predictor: Of this process.
        scratch: For files.
    """

    service: Service
    parts: Callable[[Case], object]
    parts_in_turn: Callable[[Case], object]
    predictor: Predictor
    scratch: Path

    def library(self, case: Case, *, alone: bool = True) -> None:
        """As the command line does it."""
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            answer_case(case, self.predictor, Path(folder), alone=lambda: alone)


def run(rounds: int) -> RenderableType:
    """Time one head CT by every way.

    Args:
        rounds: Rounds that count; each takes some minutes.
    """
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        store = store_of_one(scratch / "store")
        with (
            serving(store, scratch / "var", queue_limit=CLIENTS) as service,
            in_process(store, scratch / "here") as (parts, parts_in_turn, predictor),
        ):
            ways = Ways(service, parts, parts_in_turn, predictor, scratch)
            images = {
                "28 files": head_ct().paths,
                "one zip": (zip_of(head_ct().paths, scratch / "case.zip"),),
            }
            tables = [
                _alone(ways, images, rounds),
                _busy(ways, images["one zip"], rounds),
                stages_table(service, scratch / "var", _bodies(images["one zip"], scratch), CLIENTS),
            ]
    return Group(*tables)


@contextmanager
def in_process(
    store: Path, data: Path
) -> Iterator[tuple[Callable[[Case], object], Callable[[Case], object], Predictor]]:
    """The service's own parts, without HTTP, in this process.

    Args:
        store: Holds one package.
        data: For what is kept.

    Yields:
        What answers and keeps a case; the same once it is its turn, which tells the service's parts of each other; and the predictor both use.
    """
    # as the service it is compared with
    configure_logging("ERROR", "json")
    keep_freed_memory()
    app = create_app(Settings(model_store=store, data=data))
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(app.router.lifespan_context(app)) as state,
    ):
        runtime = (state or {})["runtime"]
        while not runtime.catalogue.ready:
            time.sleep(0.1)
        predictor = require_ready(runtime.catalogue.entry(MODEL))

        def answer(case: Case) -> object:
            return runtime.predictions.predict(replace(case, id=str(uuid7())), predictor, 0.0)

        def answer_in_turn(case: Case) -> object:
            return portal.call(runtime.admission.work, lambda _waited_s: answer(case), anyio.sleep_forever)

        yield answer, answer_in_turn, predictor


def _alone(ways: Ways, images: Mapping[str, tuple[Path, ...]], rounds: int) -> Table:
    megabytes = sum(path.stat().st_size for path in images["28 files"]) / 1e6
    note = ALONE_NOTE.format(rounds=rounds, each=A_ROUND, megabytes=megabytes)
    columns = ("upload", "heatmap", HTTP, PARTS, LIBRARY, f"{HTTP} / {PARTS}", f"{HTTP} / {LIBRARY}")
    table = Table(*columns, title="POST /predict beside the same work in process, one client", caption=note)
    for upload, paths in images.items():
        for heatmap in SATURATED:
            table.add_row(upload, heatmap, *_row(ways, Case(paths, RECORD, heatmap), rounds))
    return table


def _row(ways: Ways, case: Case, rounds: int) -> list[str]:
    body = _body(case, ways.scratch)
    times = _in_turns(
        {
            HTTP: lambda: p50_ms(attack(f"{ways.service.url}/predict", body, Load(1, A_ROUND)).good),
            PARTS: partial(_loop_ms, ways.parts, case),
            LIBRARY: partial(_loop_ms, ways.library, case),
        },
        rounds,
    )
    ratios = (_quotient(times[HTTP], times[other]) for other in (PARTS, LIBRARY))
    return [*(f"{median(taken):.0f} ms" for taken in times.values()), *(f"{ratio:.2f} x" for ratio in ratios)]


def _busy(ways: Ways, paths: tuple[Path, ...], rounds: int) -> Table:
    note = BUSY_NOTE.format(clients=CLIENTS, rounds=rounds, each=" or ".join(map(str, SATURATED.values())))
    loops = {
        f"{PARTS}, {THREADS} threads": partial(_loops_per_s, ways.parts_in_turn, threads=THREADS),
        f"{LIBRARY}, {THREADS} threads": partial(
            _loops_per_s, partial(ways.library, alone=False), threads=THREADS
        ),
        f"{LIBRARY}, one": partial(_loops_per_s, ways.library, threads=1),
    }
    table = Table("heatmap", HTTP, *loops, "ratio", title="Throughput at saturation", caption=note)
    for heatmap in SATURATED:
        case = Case(paths, RECORD, heatmap)
        body = _body(case, ways.scratch)
        load = Load(CLIENTS, SATURATED[heatmap])
        rates = _in_turns(
            {
                HTTP: partial(_http_per_s, ways.service, body, load),
                **{name: partial(loop, case) for name, loop in loops.items()},
            },
            rounds,
        )
        # Not the fastest of each round: that would be the one that noise was kindest to.
        best = max(loops, key=lambda name: median(rates[name]))
        cells = (f"{median(rate):.1f}" for rate in rates.values())
        table.add_row(heatmap, *cells, f"{_quotient(rates[HTTP], rates[best]):.2f} x")
    return table


def _in_turns(ways: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """A number of each way in each round, after a round that does not count; the order turns every other round."""
    told: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name in list(ways)[:: 1 if number % 2 else -1]:
            found = ways[name]()
            if number:
                told[name].append(found)
    return told


def _loop_ms(answer: Callable[[Case], object], case: Case) -> float:
    seconds = []
    for _ in range(A_ROUND):
        began = time.perf_counter()
        answer(case)
        seconds.append(time.perf_counter() - began)
    return p50_ms(seconds)


def _loops_per_s(answer: Callable[[Case], object], case: Case, threads: int) -> float:
    count = SATURATED[case.heatmap]
    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(answer, [case] * count):
            pass
    return count / (time.perf_counter() - began)


def _http_per_s(service: Service, body: Body, load: Load) -> float:
    return attack(f"{service.url}/predict", body, load).per_s


def _bodies(paths: tuple[Path, ...], scratch: Path) -> dict[str, Body]:
    return {heatmap: _body(Case(paths, RECORD, heatmap), scratch) for heatmap in SATURATED}


def _body(case: Case, scratch: Path) -> Body:
    return case_body(
        scratch / f"{case.heatmap}.body", case.images, case.record, model=MODEL, heatmap=case.heatmap
    )


def _quotient(above: list[float], below: list[float]) -> float:
    return median(one / other for one, other in zip(above, below, strict=True))
