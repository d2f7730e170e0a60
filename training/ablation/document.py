"""`ablation.json`: the model table of an ablation, read by the report."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from app.model_package.manifest import Metric
from training.evaluation.document import Comparison
from training.files.whole_files import write_whole

ABLATION_FILE = "ablation.json"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TableRow(_Frozen):
    """One row of the model table.

    Attributes:
        name: As on the command line.
        number: In the model table (docs/concepts/method.md).
        title: In words.
        note: What a reader must know, such as an input that the cohort lacks; mostly empty.
        parameters: Trained numbers of a network; None for a tabular row.
        metrics: Mean over the row's models inside each resample of patients, with 95 % intervals; empty where none was finished.
        models: How many stand behind the metrics: seeds x repeats; the folds of one repeat are joined into one.
        each: Metric to its value for each of these models, in order of repeat and seed: the spread between trainings.
        failed: Jobs that failed; a model with a failed fold counts for nothing.
        first_run: Folder, below the ablation's, of the first job that was finished; empty where none was.
    """

    name: str
    number: int
    title: str
    note: str
    parameters: int | None
    metrics: tuple[Metric, ...]
    models: int
    each: dict[str, tuple[float, ...]]
    failed: int
    first_run: str


class ModelTable(_Frozen):
    """All rows, trained on so many patients and measured on the same ones.

    Attributes:
        size: Training patients asked for; None for all there are.
        train_patients: Training patients of one fit; of the first fold, where there are folds.
        test_patients: Patients measured on.
        test_events: Of them with the event.
        attainable: AUROC of the true probability; None where it is not known (only phantoms know it).
        rows: In the table's order.
        comparisons: The planned ones, paired, with Holm's correction over this table.
    """

    size: int | None
    train_patients: int
    test_patients: int
    test_events: int
    attainable: Metric | None
    rows: tuple[TableRow, ...]
    comparisons: tuple[Comparison, ...]


class Ablation(_Frozen):
    """One ablation.

    Attributes:
        cohort: Its folder's name.
        source: Where the patients come from, in the cohort's own words.
        event: What the metrics are about.
        config: Name of the configuration.
        folds: Of the cross-validation; None for the cohort's own splits.
        repeats: Divisions into folds.
        seeds: Trainings of every network on the same patients.
        finished: Whether every job has ended; a table on the way has what there is.
        tables: One per training size, rising; the last is the headline.
    """

    cohort: str
    source: str
    event: str
    config: str
    folds: int | None
    repeats: int
    seeds: int
    finished: bool
    tables: tuple[ModelTable, ...]


def save_ablation(ablation: Ablation, folder: Path) -> Path:
    """Write `ablation.json`, atomically."""
    return write_whole(folder / ABLATION_FILE, ablation.model_dump_json(indent=2) + "\n")


def load_ablation(folder: Path) -> Ablation:
    """Read what `save_ablation` wrote."""
    return Ablation.model_validate_json((folder / ABLATION_FILE).read_bytes())
