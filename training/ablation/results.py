"""The model table from what is finished: pooled estimates, intervals over patients, planned comparisons."""

from collections.abc import Mapping

import numpy as np

from app.model_package.manifest import Metric
from training.ablation.document import Ablation, ModelTable, TableRow
from training.ablation.models import Finished, point
from training.ablation.plan import Plan
from training.ablation.work import Outcome
from training.cohort import CohortDescription
from training.evaluation import statistics
from training.evaluation.answers import Answers
from training.evaluation.bootstrap import DRAWS, Resamples
from training.evaluation.comparison import ROW_METRICS, Rows
from training.jobs import Job
from training.predictions import load_predictions
from training.rows import titles
from training.runs import read_notes


def tabulate(
    plan: Plan, outcomes: Mapping[Job, Outcome], finished: Finished, description: CohortDescription
) -> Ablation:
    """All tables of an ablation.

    Args:
        plan: What was to be done.
        outcomes: Of the jobs that have ended, in this or an earlier call.
        finished: Their answers.
        description: Of the cohort.
    """
    return Ablation(
        cohort=plan.cohort.resolve().name,
        source=description.source,
        event=description.positive,
        config=plan.config.name,
        folds=plan.folds,
        repeats=plan.repeats,
        seeds=plan.seeds,
        finished=len(outcomes) == len(plan.jobs),
        tables=tuple(
            table
            for size in plan.sizes or (None,)
            if (table := _table(size, plan, outcomes, finished)) is not None
        ),
    )


def _table(
    size: int | None, plan: Plan, outcomes: Mapping[Job, Outcome], finished: Finished
) -> ModelTable | None:
    """One size; None where no row of it is finished."""
    models = {row: each for row in plan.rows if (each := finished.models(row, size, whole=True))}
    if not models:
        return None
    rows = Rows(models)
    any_model = next(iter(models.values()))[0]
    done = {row: _done(row, size, outcomes) for row in plan.rows}
    first = next(jobs[0] for jobs in done.values() if jobs)
    return ModelTable(
        size=size,
        train_patients=sum(split == "train" for split in load_predictions(plan.out / first.folder).split),
        test_patients=len(any_model),
        test_events=int(any_model.event.sum()),
        attainable=_attainable(any_model),
        rows=tuple(
            _row(row, plan, models.get(row, []), rows, done[row], _failed(row, size, outcomes))
            for row in plan.rows
        ),
        comparisons=rows.compare(
            [each for each in plan.comparisons if {each.row, each.against} <= set(models)]
        ),
    )


def _done(row: str, size: int | None, outcomes: Mapping[Job, Outcome]) -> list[Job]:
    jobs = [job for job, end in outcomes.items() if (job.row, job.size) == (row, size) and not end.reason]
    return sorted(jobs, key=lambda job: (job.repeat, job.seed, job.fold or (1, 1)))


def _failed(row: str, size: int | None, outcomes: Mapping[Job, Outcome]) -> int:
    return sum((job.row, job.size) == (row, size) and bool(end.reason) for job, end in outcomes.items())


def _row(
    name: str,
    plan: Plan,
    models: list[Answers],
    rows: Rows,
    done: list[Job],
    failed: int,
) -> TableRow:
    known = titles(plan.config.task)[name]
    notes = read_notes(plan.out / done[0].folder) if done else {}
    return TableRow(
        name=name,
        number=known.number,
        title=known.title,
        note=notes.get("note", ""),
        parameters=int(notes["parameters"]) if notes.get("parameters") else None,
        metrics=rows.metrics(name) if models else (),
        models=len(models),
        each=_each(models),
        failed=failed,
        first_run=done[0].folder.as_posix() if done else "",
    )


def _each(models: list[Answers]) -> dict[str, tuple[float, ...]]:
    values = {name: tuple(point(model, name) for model in models) for name in ROW_METRICS}
    return {name: each for name, each in values.items() if each and np.isfinite(each).all()}


def _attainable(model: Answers) -> Metric | None:
    """AUROC of the true probability."""
    if np.isnan(model.true_probability).any():
        return None
    resamples = Resamples(len(model), DRAWS, event=model.event)
    estimate = resamples.estimate(statistics.auroc(model.true_probability, model.event))
    return estimate.metric("auroc_attainable") if estimate.defined else None
