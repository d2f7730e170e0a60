"""One image, all contenders: the same work shown first, then timed in turns."""

import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np
from jaxtyping import Float32

from app.imaging.read import read_image
from app.imaging.resample import sample_on_grid
from app.imaging.volume import Grid, Volume
from benchmarks.cases import Case
from benchmarks.contest import Contender, contenders
from benchmarks.job import Job

OURS: Final = "ours"
OUR_READING: Final = "our_reading"
FLOOR: Final = "floor"
PEERS: Final = ("simpleitk", "simpleitk_smooth", "torchio", "monai")
CONVERTER: Final = "dcm2niix"
DICOM_ONLY: Final = ("monai_pydicom", CONVERTER)
RIVAL: Final = {CONVERTER: OUR_READING}
"""Whom a contender is measured against, where it is not the whole of ours."""
PEERS_PYTHON: Final = Path(f"{sys.prefix}-peers") / "bin" / "python"
"""`make bench` puts their environment beside ours."""
Clock = Literal["wall", "cpu"]


@dataclass
class Match:
    """What one image gave.

    Attributes:
        case: The image.
        wall_s: Wall time by contender, in the order of the rounds.
        cpu_s: Time of all cores together, likewise.
        failures: What a contender that could not do it said.
        correlations: Of a peer's tensor with our reading of the same places.
        peak_bytes: Of our memory, or None where the system does not tell.
        decoded_bytes: Of the voxels.
        shares: Of our wall time by stage.
    """

    case: Case
    wall_s: dict[str, list[float]] = field(default_factory=dict)
    cpu_s: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    correlations: dict[str, float] = field(default_factory=dict)
    peak_bytes: int | None = None
    decoded_bytes: int = 0
    shares: dict[str, float] = field(default_factory=dict)

    def seconds(self, clock: Clock) -> dict[str, list[float]]:
        """By contender, on one clock."""
        return self.wall_s if clock == "wall" else self.cpu_s

    def times_ours(self, name: str, clock: Clock = "wall") -> float | None:
        """How many times as long as we a contender takes; None where it was not timed."""
        taken = self.seconds(clock)
        return ratio(taken[name], taken[RIVAL.get(name, OURS)]) if name in taken else None


def ratio(theirs: Sequence[float], ours: Sequence[float]) -> float:
    """Median of the quotients within each round: what slows a round down slows both."""
    return statistics.median(their / our for their, our in zip(theirs, ours, strict=True))


def entrants(case: Case, peers_python: Path = PEERS_PYTHON) -> dict[str, Path]:
    """Interpreter by contender; without the peers' environment we are alone."""
    ours = dict.fromkeys((OURS, OUR_READING, FLOOR), Path(sys.executable))
    peers = (*PEERS, *(DICOM_ONLY if case.unpacked.is_dir() else ())) if peers_python.exists() else ()
    return {**ours, **dict.fromkeys(peers, peers_python)}


def play(case: Case, rounds: int, tell: Callable[[str], None], peers_python: Path = PEERS_PYTHON) -> Match:
    """Compare tensors, time in turns, weigh, look at the stages.

    Args:
        case: The image.
        rounds: That count; the run whose tensors are compared warms up.
        tell: Hears a contender's name before each of its runs.
        peers_python: Interpreter of the peers.
    """
    match = Match(case)
    with contenders(entrants(case, peers_python)) as entered:
        ours, *others = entered
        tell(OURS)
        job = _placed(ours, match)
        volume = read_image(case.paths, modality=case.modality)
        able = [ours, *(other for other in others if _can(other, job, volume, match, tell))]
        _time_in_turns(able, job, rounds, match, tell)
    with contenders({OURS: Path(sys.executable)}) as (fresh,):
        match.peak_bytes = fresh.ask("weigh", job)["peak_bytes"]
        match.shares = fresh.ask("watch", job)["shares"]
    return match


def correlation(theirs: Float32[np.ndarray, "D H W"], volume: Volume, grid: Grid, fill: float) -> float:
    """Of a tensor with what we read at the very places that its voxels are said to lie at."""
    ours = sample_on_grid(volume, grid, fill)
    return float(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1])


def _placed(ours: Contender, match: Match) -> Job:
    """The job, with the lattice where we placed it."""
    case = match.case
    spec = case.model_grid.model_dump(mode="json")
    job = Job(tuple(str(path) for path in case.paths), str(case.unpacked), spec)
    first = ours.ask("keep", job)
    if "failed" in first:
        raise RuntimeError(f"Our own run failed: {first['failed']}")
    match.decoded_bytes = first["decoded_bytes"]
    return replace(job, affine=first["affine"])


def _can(contender: Contender, job: Job, volume: Volume, match: Match, tell: Callable[[str], None]) -> bool:
    """Run a contender once and compare what it made with our reading of the same places. False where it failed."""
    tell(contender.name)
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder) / "tensor.npy"
        answer = contender.ask("keep", job, where)
        if "failed" in answer:
            match.failures[contender.name] = answer["failed"]
            return False
        if where.exists():
            tensor = np.load(where)
            grid = Grid(tensor.shape, np.array(answer["affine"]))
            match.correlations[contender.name] = correlation(tensor, volume, grid, job.fill)
    return True


def _time_in_turns(
    able: Sequence[Contender], job: Job, rounds: int, match: Match, tell: Callable[[str], None]
) -> None:
    """The order turns every other round, so that nobody always follows the same neighbour."""
    for number in range(rounds):
        for contender in able[:: -1 if number % 2 else 1]:
            tell(contender.name)
            answer = contender.ask("time", job)
            for taken, clock in ((match.wall_s, "wall_s"), (match.cpu_s, "cpu_s")):
                taken.setdefault(contender.name, []).append(answer[clock])
