"""Our service beside other people's servers with the same package, one zip of a head CT a request, no heatmap."""

import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarks.cases import head_ct
from benchmarks.load import Answers, Body, Load, attack, case_body, p50_ms, percentile_ms, zip_of
from benchmarks.machine import versions_in
from benchmarks.processes import Process, free_port
from benchmarks.service import MODEL, RECORD, Service, serving, store_of_one

ROUNDS: Final = 2
ROOT: Final = Path(__file__).resolve().parents[1]
PEERS_PYTHON: Final = ROOT / ".venv-peers-serving" / "bin" / "python"
OURS: Final = "neurofuse"
PEERS: Final = {
    "litserve": "LitServe",
    "bentoml": "BentoML",
    "ray_serve": "Ray Serve",
    "mosec": "mosec",
    "fastapi_threads": "FastAPI, threads",
}
"""Title by module of `benchmarks.servers`."""
DISTRIBUTIONS: Final = ("litserve", "bentoml", "ray", "mosec", "fastapi", "monai", "onnxruntime")
CLIENTS: Final = (1, 4, 16)
MOST: Final = CLIENTS[-1]
MANY_CLIENTS: Final = {"threads": 1, "queue_limit": MOST}
"""Of ours, as docs/concepts/scheduling.md advises for many clients on a CPU; the others run the graph in one thread too, and refuse nobody."""
REQUESTS_OF_A_CLIENT: Final = {"ours": {1: 12, 4: 8, 16: 8}, "theirs": {1: 8, 4: 3, 16: 5}}
"""By reading and number of clients."""
WARM_UP: Final = Load(clients=4, requests=8)
PATIENCE_S: Final = 90.0
LOOK_S: Final = 0.2
READINGS: Final = {
    "ours": "Everybody reads with our code: the serving layer alone",
    "theirs": "Each reads as its users would: pydicom and MONAI's transforms",
}
NOTE: Final = (
    "{rounds} rounds in turns, every server alone on {cores} cores with the load generator. Latencies are those of all rounds "
    "together; CPU is the processor time of one request at most clients, everything the server started included; ours / theirs "
    "is the median of the quotients within each round, above 1 we are ahead. Only we keep the answer and the case, read in a "
    "process with bounds, and refuse what would wait too long; differs: largest difference of a probability from ours."
)
NO_PEERS: Final = "The peers are not installed: `make bench` does that."


@dataclass
class Score:
    """One contender over all rounds.

    Attributes:
        seconds: Latencies of good answers, by number of clients.
        per_s: Good answers a second in each round, by number of clients.
        p99_ms: At most clients, in each round.
        cpu_s: Processor time of a request then, in each round.
        failed: Requests without a good answer.
        probabilities: Of the case.
    """

    seconds: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    per_s: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    p99_ms: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    failed: int = 0
    probabilities: dict[str, float] = field(default_factory=dict)

    def add(self, clients: int, answers: Answers, cpu_s: float) -> None:
        """Count what a round told."""
        self.seconds[clients].extend(answers.good)
        self.per_s[clients].append(answers.per_s)
        self.failed += answers.failed
        if clients == MOST:
            self.p99_ms.append(percentile_ms(answers.good, 0.99))
            self.cpu_s.append(cpu_s / len(answers.statuses))


def run(rounds: int) -> RenderableType:
    """Compare, once with each way of reading.

    Args:
        rounds: Rounds that count; each takes about two and a half minutes with our reading and four with theirs.
    """
    tables: list[RenderableType] = [Text(f"peers: {versions_in(PEERS_PYTHON, DISTRIBUTIONS)}", style="dim")]
    with tempfile.TemporaryDirectory() as scratch:
        store = store_of_one(Path(scratch) / "store")
        body = zipped_case(Path(scratch))
        tables.extend(
            table(compare(reading, store, body, rounds, Path(scratch)), reading, rounds)
            for reading in READINGS
        )
    return Group(*tables)


def zipped_case(folder: Path) -> Body:
    """One zip of the head CT and the record: what every contender takes."""
    return case_body(
        folder / "case.body", [zip_of(head_ct().paths, folder / "case.zip")], RECORD, model=MODEL
    )


def compare(reading: str, store: Path, body: Body, rounds: int, scratch: Path) -> dict[str, Score]:
    """Start, ask and end every contender once a round; the order turns every other round."""
    names = [OURS, *(PEERS if PEERS_PYTHON.exists() else ())]
    scores = {name: Score() for name in names}
    for number in range(rounds):
        for name in names[:: -1 if number % 2 else 1]:
            print(f"{reading} reading, round {number + 1} of {rounds}: {name}", file=sys.stderr)
            with entrant(name, reading, store, scratch) as server:
                _ask(server, body, scores[name], REQUESTS_OF_A_CLIENT[reading])
    return scores


def _ask(server: Service, body: Body, score: Score, of_a_client: Mapping[int, int]) -> None:
    url = f"{server.url}/predict"
    score.probabilities = probabilities(url, body)
    attack(url, body, WARM_UP)
    for clients in CLIENTS:
        before = server.process.cpu_s()
        answers = attack(url, body, Load(clients, clients * of_a_client[clients]))
        score.add(clients, answers, server.process.cpu_s() - before)


@contextmanager
def entrant(name: str, reading: str, store: Path, scratch: Path) -> Iterator[Service]:
    """A contender alone on the machine.

    Args:
        name: `OURS` or one of `PEERS`.
        reading: One of `READINGS`; ours always reads with our code.
        store: Holds one package.
        scratch: For what we keep.

    Yields:
        It; it may not listen yet.
    """
    if name == OURS:
        with (
            tempfile.TemporaryDirectory(dir=scratch) as data,
            serving(store, Path(data) / "var", **MANY_CLIENTS) as service,
        ):
            yield service
        return
    with peer(name, reading, store, PEERS_PYTHON) as server:
        yield server


@contextmanager
def peer(name: str, reading: str, store: Path, python: Path) -> Iterator[Service]:
    """A server of `benchmarks.servers`.

    Args:
        name: Its module.
        reading: One of `READINGS`.
        store: Holds one package.
        python: Interpreter to run it.

    Yields:
        It; it may not listen yet.
    """
    port = free_port()
    (package,) = store.glob("*/*/")
    environment = {
        "BENCH_PORT": str(port),
        "BENCH_PACKAGE": str(package.resolve()),
        "BENCH_READING": reading,
        "PYTHONPATH": str(ROOT),
    }
    process = Process([str(python), "-m", f"benchmarks.servers.{name}"], environment)
    try:
        yield Service(f"http://127.0.0.1:{port}", process)
    finally:
        process.close()


def probabilities(url: str, body: Body) -> dict[str, float]:
    """What a server answers to the case, once it does.

    Raises:
        RuntimeError: It does not in time.
    """
    deadline, content = time.monotonic() + PATIENCE_S, body.path.read_bytes()
    while time.monotonic() < deadline:
        try:
            answer = httpx.post(
                url, content=content, headers={"Content-Type": body.content_type}, timeout=PATIENCE_S
            )
        except httpx.TransportError:
            answer = None  # not listening yet
        if answer is not None and answer.is_success:
            return _probabilities(answer.json())
        time.sleep(LOOK_S)
    raise RuntimeError(f"no answer from {url} within {PATIENCE_S:.0f} s; run its module to see why")


def table(scores: dict[str, Score], reading: str, rounds: int) -> Table:
    """Who answers how fast."""
    note = NOTE.format(rounds=rounds, cores=len(os.sched_getaffinity(0)))
    heads = [f"{n} client{'s' * (n > 1)}" for n in CLIENTS]
    made = Table(title=READINGS[reading], caption=note if len(scores) > 1 else NO_PEERS)
    for heading in (
        "server",
        f"{heads[0]} p50",
        *(f"{head}, 1/s" for head in heads[1:]),
        "p50",
        "p99",
        "CPU",
    ):
        made.add_column(heading)
    for heading in ("ours / theirs, 1/s", "theirs / ours, p99", "failed", "differs"):
        made.add_column(heading)
    for name, score in scores.items():
        made.add_row({OURS: OURS, **PEERS}[name], *_cells(score, scores[OURS]))
    return made


def _cells(score: Score, ours: Score) -> list[str]:
    ahead = _quotient(ours.per_s[MOST], score.per_s[MOST])
    tail = _quotient(score.p99_ms, ours.p99_ms)
    shared = score.probabilities.keys() & ours.probabilities.keys()
    differs = max(abs(score.probabilities[label] - ours.probabilities[label]) for label in shared)
    return [
        f"{p50_ms(score.seconds[1]):.0f} ms",
        *(f"{statistics.median(score.per_s[clients]):.1f}" for clients in CLIENTS[1:]),
        f"{p50_ms(score.seconds[MOST]):.0f} ms",
        f"{percentile_ms(score.seconds[MOST], 0.99):.0f} ms",
        f"{1000 * statistics.median(score.cpu_s):.0f} ms",
        "" if score is ours else f"{ahead:.2f} x",
        "" if score is ours else f"{tail:.2f} x",
        str(score.failed),
        "" if score is ours else f"{differs:.1e}",
    ]


def _quotient(above: list[float], below: list[float]) -> float:
    return statistics.median(one / other for one, other in zip(above, below, strict=True))


def _probabilities(answer: dict[str, Any]) -> dict[str, float]:
    """Ours lie one level deeper."""
    found: dict[str, float] = answer.get("prediction", answer)["probabilities"]
    return found
