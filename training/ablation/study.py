"""An ablation from beginning to end: what is finished is kept, images are prepared once, the rest is run, the table is written."""

from collections.abc import Mapping, Sequence

from rich.console import Console

from training.ablation.document import Ablation, save_ablation
from training.ablation.execute import execute
from training.ablation.models import Finished
from training.ablation.plan import Plan
from training.ablation.results import tabulate
from training.ablation.screen import Screen
from training.ablation.tables import print_table, write_tables
from training.ablation.work import Outcome, last_lines
from training.cohort import Cohort
from training.cohort_check.beforehand import require_patients, tell_errors
from training.files.one_process import alone_in
from training.files.stamps import cohort_stamp
from training.jobs import Job, cohort_of, is_finished, job_digest
from training.rows import titles
from training.runs import open_cohort, prepared_parts

INTERRUPTED = 130
"""Exit status of a program that Ctrl-C ended, by the shell's custom."""


def run_study(plan: Plan, workers: int, console: Console) -> int:
    """Run what is missing, show and write the table.

    Returns:
        Exit status: 1 where a job failed, 130 after Ctrl-C.

    Raises:
        CohortError: Another process works in the ablation's folder, or the cohort cannot be read or is too small.
    """
    with alone_in(plan.out):
        return _run(plan, workers, console)


def _run(plan: Plan, workers: int, console: Console) -> int:
    cohort = open_cohort(plan.cohort, plan.config)
    if not plan.folds:  # else everyone is dealt
        require_patients(cohort, ("train", "validation", "test"))
    tell_errors(plan.cohort, plan.config, console)
    for size in plan.sizes:  # a size that is too large is told before any hour is spent
        cohort_of(next(job for job in plan.jobs if job.size == size), plan.cohort, plan.config)
    finished, stamp = Finished(plan.out, plan.folds), cohort_stamp(plan.cohort)
    kept = [
        job
        for job in plan.jobs
        if is_finished(plan.out / job.folder, job_digest(job, plan.cohort, plan.config, stamp))
    ]
    finished.add(kept)
    todo = [job for job in plan.jobs if job not in set(kept)]
    outcomes = {job: Outcome("", 0) for job in kept}
    _prepare(plan, todo, cohort)
    interrupted = False
    with Screen(plan, kept, finished, console) as screen:
        try:
            for progress in execute(todo, plan, workers):
                screen.show(progress)
                outcomes |= progress.ended
        except KeyboardInterrupt:
            interrupted = True
    ablation = _write(plan, outcomes, finished, cohort)
    print_table(ablation, console)
    _tell_failures(outcomes, plan, console)
    if interrupted:
        console.print(
            f"Interrupted with {len(outcomes)} of {len(plan.jobs)} jobs ended; the same command goes on."
        )
        return INTERRUPTED
    return int(any(end.reason for end in outcomes.values()))


def _prepare(plan: Plan, todo: Sequence[Job], cohort: Cohort) -> None:
    """Bring all images onto the model grid before several processes would do it side by side."""
    known = titles(plan.config.task)
    if any(known[job.row].network for job in todo):
        prepared_parts(cohort, plan.config, plan.cache)


def _write(plan: Plan, outcomes: Mapping[Job, Outcome], finished: Finished, cohort: Cohort) -> Ablation:
    plan.out.mkdir(parents=True, exist_ok=True)
    ablation = tabulate(plan, outcomes, finished, cohort.description)
    save_ablation(ablation, plan.out)
    write_tables(ablation, plan.out)
    return ablation


def _tell_failures(outcomes: Mapping[Job, Outcome], plan: Plan, console: Console) -> None:
    for job, end in outcomes.items():
        if end.reason:
            console.print(f"\n{job.folder.as_posix()} failed: {end.reason}", style="red", markup=False)
            console.print(last_lines(plan.out / job.folder), markup=False, highlight=False)
