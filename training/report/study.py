"""The model table of an ablation, as the report needs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.errors import NeuroFuseError
from app.model_package.manifest import Metric
from training.evaluation.document import Comparison
from training.report.history import Epoch


@dataclass(frozen=True)
class ModelRow:
    """One row of the model table.

    Attributes:
        name: As in `training.rows`.
        title: In words.
        parameters: Trained numbers; None where the word means nothing.
        metrics: Averaged over seeds and folds, with intervals.
        runs: How many models (seeds x folds) stand behind it.
        spread: Least and greatest AUROC of those models; empty for one.
    """

    name: str
    title: str
    parameters: int | None
    metrics: tuple[Metric, ...]
    runs: int = 1
    spread: tuple[float, ...] = ()


@dataclass(frozen=True)
class Study:
    """All rows on the same patients.

    Attributes:
        rows: In the table's order.
        comparisons: Planned, with Holm's correction.
        full: Name of the row that the paper proposes.
        sizes: Per row, (training patients, AUROC), where the ablation varied the cohort's size.
        histories: Per row, the epochs of its first run.
    """

    rows: tuple[ModelRow, ...]
    comparisons: tuple[Comparison, ...]
    full: str = "mma+mhgmu"
    sizes: Mapping[str, tuple[tuple[int, Metric], ...]] = field(default_factory=dict)
    histories: Mapping[str, tuple[Epoch, ...]] = field(default_factory=dict)


def read_study(folder: Path) -> Study:
    """Read `ablation.json`."""
    raise NeuroFuseError(f"expected an ablation this report can read, found {folder.name}")
