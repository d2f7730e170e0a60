"""An ablation as the report needs it: its tables, and how its networks learnt."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.model_package.manifest import Metric
from training.ablation.document import ABLATION_FILE, Ablation, ModelTable, load_ablation
from training.cohort import CohortError
from training.names import FULL
from training.report.history import Epoch, read_history
from training.report.words import find

DRAWN = (FULL, "concat", "daft", "film", "image", "record")
"""Rows whose lines are drawn, the most telling first; the tables hold all."""
MOST_LINES = 5


@dataclass(frozen=True)
class Study:
    """All rows on the same patients.

    Attributes:
        ablation: `ablation.json`.
        histories: Per network, the epochs of its first run.
    """

    ablation: Ablation
    histories: Mapping[str, tuple[Epoch, ...]] = field(default_factory=dict)

    @property
    def table(self) -> ModelTable:
        """The headline table: all training patients, or the largest number of them."""
        return self.ablation.tables[-1]

    @property
    def sizes(self) -> dict[str, tuple[tuple[int, Metric], ...]]:
        """Per row, (training patients, AUROC) in rising order; empty where one size was tried."""
        if len(self.ablation.tables) < 2:  # noqa: PLR2004 - a line needs two points
            return {}
        return {
            row.name: tuple(
                (table.train_patients, area)
                for table in self.ablation.tables
                for each in table.rows
                if each.name == row.name and (area := find(each.metrics, "auroc"))
            )
            for row in self.table.rows
        }


def drawn(names: Mapping[str, object]) -> tuple[str, ...]:
    """Of these rows, those that a plot has room for."""
    preferred = [name for name in DRAWN if name in names]
    return tuple([*preferred, *(name for name in names if name not in preferred)][:MOST_LINES])


def read_study(folder: Path) -> Study:
    """Read an ablation's folder.

    Raises:
        CohortError: There is no table in it yet.
    """
    if not (folder / ABLATION_FILE).is_file():
        raise CohortError(
            f"expected {ABLATION_FILE} in the ablation's folder, found none; run `python -m training ablation` first"
        )
    ablation = load_ablation(folder)
    if not ablation.tables:
        raise CohortError(
            f"expected a table in {ABLATION_FILE}, found none; let `python -m training ablation` go on"
        )
    firsts = {row.name: row.first_run for row in ablation.tables[-1].rows if row.first_run}
    histories = {name: read_history(folder / run) for name, run in firsts.items()}
    return Study(ablation, {name: history for name, history in histories.items() if history})
