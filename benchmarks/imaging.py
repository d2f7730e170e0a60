"""Files to model tensor: `app.imaging` beside SimpleITK, TorchIO, MONAI and dcm2niix."""

import os
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from benchmarks.cases import SAMPLES, Case, imaging_cases
from benchmarks.machine import peers_described
from benchmarks.match import CONVERTER, FLOOR, OURS, PEERS_PYTHON, Clock, Match, entrants, play

TITLES: Final = {
    "simpleitk": "SimpleITK",
    "simpleitk_smooth": "SimpleITK, smoothing",
    "torchio": "TorchIO",
    "monai": "MONAI (ITK)",
    "monai_pydicom": "MONAI (pydicom)",
    CONVERTER: "dcm2niix",
}
HEADINGS: Final[dict[Clock, str]] = {
    "wall": "Files to tensor, wall time",
    "cpu": "Files to tensor, time of all cores together",
}
NOTE: Final = (
    "ours: median of {rounds} rounds, files in the page cache to a float32 tensor. Others: how many times as long, median of "
    "the quotients within each round; above 1 we are faster. SimpleITK is given our grid; the second smooths against aliasing "
    "as we do, the other peers do not. dcm2niix is measured against our reading alone: series to volume only. "
    "A zip is unpacked for the peers beforehand.{missing}"
)
SPENT_NOTE: Final = (
    "memory: peak beyond what the process has anyway, over the bytes of the decoded voxels. floor: what reading the bytes and "
    "undoing their compression on all cores takes, and nothing else, as a share of our wall time; the rest are its stages."
)
SAME_NOTE: Final = (
    "Correlation of each peer's tensor with our reading at the places where the peer says its voxels lie. The peers take a "
    "tilted or uneven series for straight and even, and those that do not smooth alias."
)
NO_PEERS: Final = " The peers are not installed: `make bench` does that."
NO_SAMPLES: Final = f" The real CT and T1 are left out: {SAMPLES} names no folder."


def run(rounds: int) -> RenderableType:
    """Compare on every image.

    Args:
        rounds: Rounds that count.
    """
    print("Making the large images where they are missing")
    return compare(imaging_cases(), rounds)


def compare(cases: Sequence[Case], rounds: int, peers_python: Path = PEERS_PYTHON) -> RenderableType:
    """Compare on these images.

    Args:
        cases: The images.
        rounds: Rounds that count.
        peers_python: Interpreter of the peers; where there is none we are alone.
    """
    with _bar() as bar:
        task = bar.add_task("", total=sum((rounds + 1) * len(entrants(case, peers_python)) for case in cases))
        matches = []
        for case in cases:

            def tell(name: str, image: str = case.name) -> None:
                bar.update(task, advance=1, description=f"{image}: {name}")

            matches.append(play(case, rounds, tell, peers_python))
    peers = Text(f"peers: {peers_described(peers_python) or 'none'}", style="dim")
    clocks = (times(matches, clock, rounds) for clock in HEADINGS)
    return Group(peers, *clocks, spent(matches), agreement(matches))


def times(matches: Sequence[Match], clock: Clock, rounds: int) -> Table:
    """Who takes how long."""
    missing = ("" if PEERS_PYTHON.exists() else NO_PEERS) + ("" if SAMPLES in os.environ else NO_SAMPLES)
    caption = NOTE.format(rounds=rounds, missing=missing)
    table = Table("image", "ours", *TITLES.values(), title=HEADINGS[clock], caption=caption)
    for match in matches:
        ours = f"{1000 * statistics.median(match.seconds(clock)[OURS]):.0f} ms"
        table.add_row(match.case.name, ours, *(_cell(match, name, clock) for name in TITLES))
    return table


def spent(matches: Sequence[Match]) -> Table:
    """What our memory and time go to."""
    stages = list(dict.fromkeys(stage for match in matches for stage in match.shares))
    table = Table("image", "memory", "floor", *stages, title="What ours goes to", caption=SPENT_NOTE)
    for match in matches:
        peak = "-" if match.peak_bytes is None else f"{match.peak_bytes / match.decoded_bytes:.2f} x"
        shares = (f"{match.shares.get(stage, 0.0):.0%}" for stage in stages)
        table.add_row(match.case.name, peak, f"{match.times_ours(FLOOR) or 0.0:.0%}", *shares)
    return table


def agreement(matches: Sequence[Match]) -> Table:
    """Whether the work was the same."""
    makers = [name for name in TITLES if name != CONVERTER]
    table = Table("image", *(TITLES[name] for name in makers), title="The same work?", caption=SAME_NOTE)
    for match in matches:
        found = (match.correlations.get(name) for name in makers)
        table.add_row(match.case.name, *("-" if r is None else f"{r:.3f}" for r in found))
    return table


def _cell(match: Match, name: str, clock: Clock) -> str:
    if name in match.failures:
        return match.failures[name]
    found = match.times_ours(name, clock)
    return "-" if found is None else f"{found:.2f} x"


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, transient=True)
