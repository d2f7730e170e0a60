"""Where the time of a request goes: what its answer says of itself, what `/metrics` says of the keeping, and what is left over for HTTP."""

import json
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from statistics import mean
from typing import Final

import httpx
from rich.table import Table

from benchmarks.load import Body, Load, attack
from benchmarks.service import Service

OF_ONE_CLIENT: Final = 12
OF_EACH: Final = 4
STAGES: Final = ("read", "resample", "queue", "inference", "heatmap")
HAND_OVER, KEEP, HTTP = "hand over", "keep", "HTTP"
KEEPING: Final = re.compile(r"request_postprocess_seconds_sum\{[^}]*\} (\S+)")
TITLE: Final = "Where the time of a request goes"
NOTE: Final = (
    "Means in milliseconds, one zip of a head CT. hand over: the case to the worker process and its arrays back, and what is computed "
    "around the network. queue: waiting for a turn or a batch. heatmap: to the patient's grid, and both files. keep: the case, the files "
    "in their place, the record. HTTP: all else that the client waits for: the upload, its parsing, the answer."
)


def stages_table(service: Service, data: Path, bodies: Mapping[str, Body], clients: int) -> Table:
    """Time the stages with one client and with several.

    Args:
        service: It answers nobody else.
        data: Its data folder.
        bodies: Request bodies by name.
        clients: How many keep it busy.
    """
    table = Table(
        "heatmap", "clients", *STAGES, HAND_OVER, KEEP, HTTP, "client waits", title=TITLE, caption=NOTE
    )
    for name, body in bodies.items():
        for load in (Load(1, OF_ONE_CLIENT), Load(clients, clients * OF_EACH)):
            spent = spent_ms(service, data, body, load)
            table.add_row(name, str(load.clients), *(f"{spent[stage]:.0f}" for stage in spent))
    return table


def spent_ms(service: Service, data: Path, body: Body, load: Load) -> dict[str, float]:
    """Mean milliseconds of each stage under a load, and of the whole request last."""
    kept_before = _keeping_ms(service)
    answers = attack(f"{service.url}/predict", body, load)
    keep = (_keeping_ms(service) - kept_before) / load.requests
    waits = 1000 * mean(answers.good)
    told = last_timings(data, load.requests)
    spent = {stage: mean(each[stage] for each in told) for stage in STAGES}
    total = mean(each["total"] for each in told)
    rest = {HAND_OVER: total - sum(spent.values()), KEEP: keep, HTTP: waits - total - keep}
    return spent | rest | {"client waits": waits}


def last_timings(data: Path, count: int) -> list[dict[str, float]]:
    """`timing_ms` of the answers kept last: the load generator throws away what it receives."""
    with closing(sqlite3.connect(f"file:{data / 'records.sqlite3'}?mode=ro", uri=True)) as records:
        rows = records.execute("SELECT document FROM predictions ORDER BY id DESC LIMIT ?", (count,))
        return [json.loads(document)["timing_ms"] for (document,) in rows]


def _keeping_ms(service: Service) -> float:
    text = httpx.get(f"{service.url}/metrics").text
    return 1000 * sum(float(found) for found in KEEPING.findall(text))
