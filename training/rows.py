"""Every row of the model table under one roof: networks and tabular rows are fitted by one call and end as one file.

Rows come from `training.networks.rivals` and `training.tabular`, one file each; a new file there is a new row here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from app.ehr.schema import Feature
from app.model_package.naming import Task
from training import tabular
from training.checkpoint import load_checkpoint
from training.cohort import SPLITS, Cohort, CohortError, Split
from training.config import RunConfig
from training.learning.distributed import first_process_first, rank
from training.networks.config import CLASSES
from training.networks.model import FusionNet
from training.networks.rivals import RIVALS
from training.networks.rows import ROWS, row
from training.predict import answered
from training.predictions import PREDICTIONS_FILE, Predictions, save_predictions
from training.runs import prepared_parts
from training.tabular.readings import read_readings
from training.tabular.records import Records, records_of
from training.tabular.row import Tabular


@dataclass(frozen=True)
class RowTitle:
    """A row, as tables show it.

    Attributes:
        name: As on the command line.
        number: Row of the model table (docs/concepts/method.md).
        title: In words.
        network: Whether it is trained from a seed; tabular rows are the same for every seed.
    """

    name: str
    number: int
    title: str
    network: bool


@dataclass(frozen=True)
class Fitted:
    """A row, fitted.

    Attributes:
        predictions: Path of `predictions.npz`.
        parameters: Trained numbers of a network; None for a tabular row.
        note: What a reader of the table must know; mostly empty.
    """

    predictions: Path
    parameters: int | None
    note: str


@cache
def tabular_rows() -> Mapping[str, Tabular]:
    """The files of `training.tabular` that define a row, by name, in the order of the model table."""
    modules = [import_module(f"{tabular.__name__}.{entry.name}") for entry in iter_modules(tabular.__path__)]
    rows = [module.ROW for module in modules if hasattr(module, "ROW")]
    return {each.name: each for each in sorted(rows, key=lambda each: (each.number, each.place))}


def titles(task: Task) -> dict[str, RowTitle]:
    """All rows that have a meaning for a task, by name, in the order of the model table."""
    known = [
        RowTitle(each.name, each.number, each.title, network=False)
        for each in tabular_rows().values()
        if task in each.tasks
    ]
    known += [RowTitle(name, RIVALS[name].number, RIVALS[name].title, network=True) for name in ROWS]
    return {each.name: each for each in known}


def check_row(name: str, task: Task) -> RowTitle:
    """Look a row up.

    Raises:
        CohortError: There is no such row for this task; the message lists those there are.
    """
    if name not in (known := titles(task)):
        raise CohortError(f"row {name!r} is none of the task {task}; expected one of {', '.join(known)}")
    return known[name]


def fit_row(name: str, cohort: Cohort, config: RunConfig, cache: Path, run: Path) -> Fitted:
    """Fit a row and keep what it answers for every patient of every split.

    Args:
        name: Row.
        cohort: Every patient in a split.
        config: Of the full model; the row's own parts are switched here.
        cache: Prepared images; a tabular row opens none.
        run: Folder of the run's files.

    Raises:
        CohortError: There is no such row for the cohort's task, or it cannot be fitted on this cohort or machine.
    """
    check_row(name, config.task)
    if empty := [
        split for split in ("train", "validation") if not any(case.split == split for case in cohort.cases)
    ]:
        raise CohortError(
            f"expected patients to train and to validate on, found none for {empty}; split the cohort anew"
        )
    run.mkdir(parents=True, exist_ok=True)
    if name in tabular_rows():
        return _fit_tabular(tabular_rows()[name], cohort, config, run)
    return _fit_network(replace(config, model=row(config.model, name)), cohort, cache, run)


def _fit_network(config: RunConfig, cohort: Cohort, cache: Path, run: Path) -> Fitted:
    # Lightning takes seconds to load, and tabular rows need none; one that cannot be loaded says so before images are prepared.
    from training.train import train  # noqa: PLC0415

    if config.training.precision == "16-mixed" and not torch.accelerator.is_available():
        # Lightning would take bfloat16 in its place, and the run's papers say float16.
        raise CohortError(
            'configuration: training.precision = "16-mixed" needs a graphics card, found none; set "bf16-mixed" or "32-true"'
        )
    _require_network(config, cohort.description.features)
    with first_process_first():
        parts = prepared_parts(cohort, config, cache)
    note = ""
    if config.guided and not any(parts["train"].masks):
        note = "no patient to train on has a mask that could guide it"
        config = replace(config, guidance=replace(config.guidance, weight=0.0))
    if config.guided and not parts["train"].has_marks:
        # Masks of 0 and 255 would teach the gates that there is nothing to see.
        raise CohortError(
            f"expected masks with the values {list(config.guidance.labels)} (guidance.labels of the configuration), found none of them in "
            "any training patient's mask; name the values that the masks hold, or set weight = 0 in [guidance]"
        )
    net = load_checkpoint(train(config, cohort.description.features, parts, run)).net
    with first_process_first():
        if rank() == 0:
            save_predictions(answered(net, cohort, parts, config.training.batch_size), run)
    return Fitted(run / PREDICTIONS_FILE, net.trained_numbers, note)


def _require_network(config: RunConfig, features: Sequence[Feature]) -> None:
    """See that a network can be made and run, before hours are spent on images for it.

    Raises:
        CohortError: Of the configuration none can.
    """
    unknown = torch.ones(1, len(features))
    try:
        with torch.no_grad():
            FusionNet(config.model, features).eval()(torch.zeros(1, 1, *config.grid.shape), unknown, unknown)
    except (ArithmeticError, RuntimeError, ValueError) as error:
        raise CohortError(
            f"configuration: expected [model] and [grid] of which a network can be made, found others: {error}; correct one of them"
        ) from None


def _fit_tabular(entry: Tabular, cohort: Cohort, config: RunConfig, run: Path) -> Fitted:
    everyone = tabular_records(cohort, CLASSES[config.model.head.outcome], readings=entry.readings)
    # Tables this small are slower on several threads than on one, and much slower where these have to share a core.
    with threadpool_limits(1):
        model = entry.make().fit(everyone["train"], everyone["validation"])
        logits = {split: model.logits(records) for split, records in everyone.items()}
    if rank() == 0:
        save_predictions(_predictions(cohort, logits), run)
    return Fitted(run / PREDICTIONS_FILE, None, model.note)


def tabular_records(cohort: Cohort, classes: int, *, readings: bool) -> dict[Split, Records]:
    """Records of every split that has patients, with what a reader noted where it is asked for; no image is opened."""
    noted = read_readings(cohort.root) if readings else {}
    return {
        split: records_of(cases, cohort.description.ehr, classes, noted)
        for split in SPLITS
        if (cases := cohort.part(split))
    }


def _predictions(cohort: Cohort, logits: Mapping[Split, np.ndarray]) -> Predictions:
    rows = {split: iter(each) for split, each in logits.items()}
    splits: Sequence[Split] = [case.split for case in cohort.cases if case.split]
    truths = [case.true_probability for case in cohort.cases]
    nothing = np.zeros((len(splits), 0), dtype=np.float32)
    return Predictions(
        patient_id=tuple(case.patient_id for case in cohort.cases),
        split=tuple(splits),
        label=np.array([case.label for case in cohort.cases], dtype=np.int64),
        logits=np.stack([next(rows[split]) for split in splits]),
        embedding=nothing,
        image_share=nothing,
        true_probability=np.array([np.nan if each is None else each for each in truths], dtype=np.float64),
    )
