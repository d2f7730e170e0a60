"""What clients meet when the service is killed, when its packages are swapped, and when it has just started."""

import statistics
import sys
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table

from benchmarks.cases import head_ct
from benchmarks.kills import Reckoning, kill_again_and_again
from benchmarks.load import Load, attack, case_body, zip_of
from benchmarks.service import MODEL, RECORD, serving, store_of_one
from benchmarks.small_case import small_body
from benchmarks.swaps import Swapped, swap_under_load
from tests.support.postgres import find_binaries, start_postgres

ROUNDS: Final = 100
"""Kills on either database."""
KILLS_A_SWAP: Final = 2
KILLS_A_START: Final = 33
WARM: Final = 100
NEAR: Final = 10
"""The hundredth request is the median of so many about it: one alone is noise."""
HEATMAPS: Final = ("native", "none")
KILLS_NOTE: Final = (
    "Two clients send a small case on and on with `Prefer: respond-async`, each under its own key until it is accepted; the service with all its "
    "processes is killed (SIGKILL) at random moments and started again. lost: accepted, but no answer in the end. two ids: one key, two jobs. "
    "strays: answers that belong to no accepted job. begun again: jobs that a kill interrupted. Both databases at the same time."
)
SWAPS_NOTE: Final = "Each swap loads, warms and tests a version, points the alias to it and unloads the other one; {clients} clients send without a pause."
STARTS_NOTE: Final = "One client, zip of a head CT; medians of {starts} starts. hundredth: median of the last {near} of {warm} requests."


def run(rounds: int) -> RenderableType:
    """Kill, swap, start.

    Args:
        rounds: Kills on either database; half as many swaps, a thirty-third as many starts of each kind.
    """
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        store = store_of_one(scratch / "store")
        reckonings = kill_on_both(store, scratch, rounds)
        swapped = swap_under_load(
            scratch, small_body(scratch / "swap.body"), max(1, round(rounds / KILLS_A_SWAP))
        )
        starts = first_and_hundredth(store, scratch, max(1, round(rounds / KILLS_A_START)))
    return Group(_kills_table(reckonings), _swaps_table(swapped), _starts_table(starts))


def kill_on_both(store: Path, scratch: Path, kills: int) -> dict[str, Reckoning]:
    """On SQLite, and on PostgreSQL where it is installed, at the same time."""
    body = small_body(scratch / "kill.body")
    with ExitStack() as stack:
        urls = {"SQLite": ""}
        if find_binaries() is not None:
            # Not below `scratch`: the server runs as a user of its own.
            cluster = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="neurofuse-postgres-")))
            server = start_postgres(cluster)
            stack.callback(server.stop)
            urls["PostgreSQL"] = server.make_database()
        else:
            print("PostgreSQL is not installed, so SQLite alone", file=sys.stderr)
        pool = stack.enter_context(ThreadPoolExecutor(len(urls)))
        running: dict[str, Future[Reckoning]] = {
            name: pool.submit(kill_again_and_again, store, scratch / f"kills-{name}", body, kills, url)
            for name, url in urls.items()
        }
        return {name: future.result() for name, future in running.items()}


def first_and_hundredth(store: Path, scratch: Path, starts: int) -> dict[str, list[tuple[float, float]]]:
    """Seconds of the first request after each start, and of the hundredth, by heatmap."""
    archive = zip_of(head_ct().paths, scratch / "case.zip")
    bodies = {
        heatmap: case_body(scratch / f"{heatmap}.body", [archive], RECORD, model=MODEL, heatmap=heatmap)
        for heatmap in HEATMAPS
    }
    told: dict[str, list[tuple[float, float]]] = {heatmap: [] for heatmap in HEATMAPS}
    for number in range(starts):
        for heatmap, body in bodies.items():
            with serving(store, scratch / f"start-{heatmap}-{number}") as service:
                seconds = attack(f"{service.url}/predict", body, Load(1, WARM)).good
            told[heatmap].append((seconds[0], statistics.median(seconds[-NEAR:])))
    return told


def _kills_table(reckonings: dict[str, Reckoning]) -> Table:
    columns = ("database", "kills", "accepted", "begun again", "lost", "two ids", "strays")
    table = Table(*columns, title="kill -9 while jobs are accepted and worked on", caption=KILLS_NOTE)
    for name, found in reckonings.items():
        numbers = (found.kills, found.sent, found.taken_up, found.lost, found.doubled, found.strays)
        table.add_row(name, *map(str, numbers))
    return table


def _swaps_table(found: Swapped) -> Table:
    note = SWAPS_NOTE.format(clients=4)
    table = Table("swaps", "answered", "failed", title="Packages swapped under load", caption=note)
    table.add_row(str(found.swaps), str(found.answered), str(found.failed))
    return table


def _starts_table(starts: dict[str, list[tuple[float, float]]]) -> Table:
    note = STARTS_NOTE.format(starts=len(starts[HEATMAPS[0]]), near=NEAR, warm=WARM)
    columns = ("heatmap", "first", "hundredth", "ratio")
    table = Table(*columns, title="The first request after a start", caption=note)
    for heatmap, pairs in starts.items():
        first, hundredth = (1000 * statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(one / other for one, other in pairs)
        table.add_row(heatmap, f"{first:.0f} ms", f"{hundredth:.0f} ms", f"{ratio:.2f} x")
    return table
