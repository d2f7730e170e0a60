"""What an ablation will do, decided before anything is run: its jobs, and the comparisons that may be claimed."""

from dataclasses import dataclass
from pathlib import Path

from training.cohort import CohortError
from training.config import RunConfig
from training.evaluation.comparison import Planned
from training.jobs import Job
from training.names import FULL
from training.rows import check_row, titles

CONTROLS = (("mma", "mma-noehr"), ("mhgmu", "gmu-wide"))
"""Does the record help in attention; do the heads help: planned beside the full model against everyone."""


@dataclass(frozen=True)
class Plan:
    """One ablation.

    Attributes:
        cohort: Folder.
        config: Of the full model.
        rows: In the table's order.
        folds: K of the cross-validation; None for the cohort's own splits.
        repeats: Divisions into folds.
        seeds: Trainings of every network on the same patients.
        sizes: Training patients, rising; empty for all.
        cache: Prepared images.
        out: Folder of everything.
    """

    cohort: Path
    config: RunConfig
    rows: tuple[str, ...]
    folds: int | None
    repeats: int
    seeds: int
    sizes: tuple[int, ...]
    cache: Path
    out: Path

    @property
    def jobs(self) -> tuple[Job, ...]:
        """All of them; first seeds, folds and small sizes first, so that every row soon has a number."""
        titled = titles(self.config.task)
        return tuple(
            Job(row, self.config.seed + seed, fold, repeat, size)
            for size in self.sizes or (None,)
            for repeat in range(1, self.repeats + 1)
            for seed in range(self.seeds)
            for fold in self._folds
            for row in self.rows
            if seed == 0 or titled[row].network
        )

    @property
    def comparisons(self) -> tuple[Planned, ...]:
        """The full model against every other row, and the two controls, as far as the rows are part of it."""
        rivals = [Planned(FULL, row) for row in self.rows if row != FULL and FULL in self.rows]
        controls = [Planned(*pair) for pair in CONTROLS if set(pair) <= set(self.rows)]
        return (*rivals, *controls)

    @property
    def _folds(self) -> tuple[tuple[int, int] | None, ...]:
        return tuple((part + 1, self.folds) for part in range(self.folds)) if self.folds else (None,)


def choose_rows(text: str, config: RunConfig) -> tuple[str, ...]:
    """`all`, or names separated by commas, in the table's order.

    Raises:
        CohortError: A name is none of the task's rows.
    """
    known = titles(config.task)
    if text == "all":
        return tuple(known)
    asked = [check_row(name.strip(), config.task).name for name in text.split(",") if name.strip()]
    if not asked:
        raise CohortError(f"expected rows, found none; choose of {', '.join(known)}, or all")
    return tuple(name for name in known if name in asked)
