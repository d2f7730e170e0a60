"""Four times as many requests as the service can answer, for a minute; then five thousand that it can, with an eye on its memory."""

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table

from app.settings import Settings
from benchmarks.load import OK, Answers, Body, Load, attack, p50_ms, percentile_ms, staggered
from benchmarks.service import Service, serving, store_of_one
from benchmarks.small_case import small_body
from benchmarks.watching import watched_mib

ROUNDS: Final = 10
OVERLOAD_S: Final = 6
"""Seconds of overload a round."""
OVERLOAD: Final = 4
GENERATORS, CLIENTS_OF_EACH = 8, 12
"""More clients than there are places, paced: one that is refused does not ask again at once."""
BUSY: Final = Settings().cases_at_once
AS_INSTALLED: Final = Settings().queue_places
LONG: Final = 16
"""Places of the queue, of whoever prefers a wait to a refusal."""
SOAKING: Final = 4
A_ROUND: Final = 500
"""Requests of the soak in a round."""
SETTLED: Final = 500
CHUNK: Final = 252
"""Requests between two looks; a multiple of the clients."""
REFUSED: Final = 503
PHASES_NOTE: Final = (
    "Phantom head CT of {kilobytes:.0f} kB, no heatmap. Overload: {clients} paced clients for {seconds} s at {offered:.0f} requests a second, {times} "
    "times what {full} clients got answered. p50 and p99 are of those that were answered with 200; memory is the highest resident sum of all "
    "processes. p99 of the admitted is {over_empty:.1f} times that of one client alone, {over_busy:.1f} times that of as many clients as "
    "cases are worked on, and {over_full:.1f} times that of a full queue; memory is {memory:.2f} times that of a full queue."
)
SOAK_NOTE: Final = (
    "Resident memory of all processes, median within each {chunk} requests of {clients} clients, native heatmap, {requests} requests in all, "
    "{failed} failed. Beyond the first {settled} the highest is {highest:.1%} above the first of them and the last {last:+.1%}."
)


@dataclass(frozen=True)
class Phase:
    """What one kind of load met.

    Attributes:
        name: For the table.
        answers: What came back.
        memory_mib: The highest resident sum.
    """

    name: str
    answers: Answers
    memory_mib: float

    @property
    def p99_ms(self) -> float:
        """Of the answers with 200."""
        return percentile_ms(self.answers.good, 0.99)


def run(rounds: int) -> RenderableType:
    """Overload, then soak.

    Args:
        rounds: Each is six seconds of overload and 500 requests of the soak.
    """
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        store = store_of_one(scratch / "store")
        body, seconds = small_body(scratch / "body"), rounds * OVERLOAD_S
        overloaded = []
        for queue in (AS_INSTALLED, LONG):
            with serving(store, scratch / f"queue-{queue}", queue_limit=queue) as service:
                overloaded.append(overload(service, body, seconds, queue))
        with serving(store, scratch / "soaked") as service:
            soaked = soak(service, small_body(scratch / "native.body", heatmap="native"), rounds * A_ROUND)
    return Group(*overloaded, soaked)


def overload(service: Service, body: Body, seconds: int, queue: int) -> Table:
    """One client, as many as are worked on, a full queue, and four times that rate."""
    full = BUSY + queue
    attack(f"{service.url}/predict", body, Load(BUSY, 20))
    known = [
        _phase("one client", service, body, Load(1, 60)),
        _phase(f"{BUSY} clients", service, body, Load(BUSY, 120)),
        _phase(f"{full} clients", service, body, Load(full, 20 * full)),
    ]
    offered = OVERLOAD * known[-1].answers.per_s
    each_hz = offered / GENERATORS / CLIENTS_OF_EACH
    load = Load(CLIENTS_OF_EACH, CLIENTS_OF_EACH * max(1, round(each_hz * seconds)), each_hz)
    return _phases(
        [*known, _phase(f"{OVERLOAD} x overload", service, body, load, GENERATORS)],
        offered,
        body,
        seconds,
        queue,
    )


def _phase(name: str, service: Service, body: Body, load: Load, generators: int = 1) -> Phase:
    with watched_mib(service.process) as seen:
        answers = staggered(f"{service.url}/predict", body, load, generators)
    return Phase(name, answers, max(seen))


def _phases(phases: list[Phase], offered: float, body: Body, seconds: int, queue: int) -> Table:
    empty, busy, full, over = phases
    note = PHASES_NOTE.format(
        kilobytes=body.path.stat().st_size / 1000,
        clients=GENERATORS * CLIENTS_OF_EACH,
        seconds=seconds,
        offered=offered,
        times=OVERLOAD,
        full=BUSY + queue,
        over_empty=over.p99_ms / empty.p99_ms,
        over_busy=over.p99_ms / busy.p99_ms,
        over_full=over.p99_ms / full.p99_ms,
        memory=over.memory_mib / full.memory_mib,
    )
    columns = ("load", "sent", "200", "503", "others", "no answer", "200, 1/s", "p50", "p99", "memory")
    table = Table(*columns, title=f"More requests than can be answered, a queue of {queue}", caption=note)
    for phase in phases:
        answers, told = phase.answers, phase.answers.by_status
        table.add_row(
            phase.name,
            str(told.total() + answers.unanswered),
            str(told[OK]),
            str(told[REFUSED]),
            str(told.total() - told[OK] - told[REFUSED]),
            str(answers.unanswered),
            f"{answers.per_s:.1f}",
            f"{p50_ms(answers.good):.0f} ms",
            f"{phase.p99_ms:.0f} ms",
            f"{phase.memory_mib:.0f} MiB",
        )
    return table


def soak(service: Service, body: Body, requests: int) -> Table:
    """Thousands of requests at a load that it can bear."""
    memory, failed = [], 0
    for _ in range(math.ceil(requests / CHUNK)):
        with watched_mib(service.process) as seen:
            failed += attack(f"{service.url}/predict", body, Load(SOAKING, CHUNK)).failed
        memory.append(median(seen))
    after = memory[min(math.ceil(SETTLED / CHUNK), len(memory) - 1) :]
    note = SOAK_NOTE.format(
        chunk=CHUNK,
        clients=SOAKING,
        requests=requests,
        failed=failed,
        settled=SETTLED,
        highest=max(after) / after[0] - 1,
        last=after[-1] / after[0] - 1,
    )
    table = Table("requests", "memory", title="Memory over thousands of requests", caption=note)
    for number, mib in enumerate(memory, start=1):
        if number % 2 == 0 or number == len(memory):
            table.add_row(str(number * CHUNK), f"{mib:.0f} MiB")
    return table
