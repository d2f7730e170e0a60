"""The table as it fills, on a terminal; elsewhere one line for every job that ends."""

import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from training.ablation.execute import Progress
from training.ablation.models import Finished
from training.ablation.plan import Plan
from training.ablation.tables import SHOWN
from training.ablation.work import Outcome
from training.jobs import Job
from training.rows import titles


class Screen:
    """A live view of an ablation.

    Args:
        plan: What is done.
        kept: Jobs that an earlier call has finished.
        finished: Answers so far.
        console: Where to.
    """

    def __init__(self, plan: Plan, kept: Sequence[Job], finished: Finished, console: Console) -> None:
        self._plan, self._kept, self._finished, self._console = plan, frozenset(kept), finished, console
        self._titles = titles(plan.config.task)
        self._started = time.monotonic()
        self._told: set[Job] = set()
        self._progress = Progress(frozenset(), {})
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=2, transient=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, progress: Progress) -> None:
        """Take in how things stand."""
        self._progress = progress
        new = [job for job in progress.ended if job not in self._told]
        self._finished.add(job for job in new if not progress.ended[job].reason)
        self._told |= set(new)
        if not self._console.is_terminal:
            for job in new:
                self._tell(job, progress.ended[job])

    def _tell(self, job: Job, outcome: Outcome) -> None:
        done = len(self._kept) + len(self._told)
        words = f"failed: {outcome.reason}" if outcome.reason else f"{outcome.seconds:.1f} s"
        self._console.print(
            f"{done}/{len(self._plan.jobs)} {job.folder.as_posix()}: {words}",
            soft_wrap=True,
            markup=False,
            highlight=False,
        )

    def _render(self) -> RenderableType:
        # How far it is stands first: what does not fit a terminal is cut off below.
        tables: list[RenderableType] = [self._table(size) for size in self._plan.sizes or (None,)]
        return Group(self._summary(), *tables)

    def _table(self, size: int | None) -> Table:
        title = f"{size} training patients" if size else None
        table = Table(
            "", "row", "jobs", *SHOWN.values(), "", title=title, title_justify="left", box=SIMPLE_HEAD
        )
        for column in table.columns[2:-1]:
            column.justify = "right"
        for row in self._plan.rows:
            means = self._finished.means(row, size)
            numbers = [f"{means[name]:.3f}" if name in means else "" for name in SHOWN]
            jobs = [job for job in self._plan.jobs if (job.row, job.size) == (row, size)]
            table.add_row(
                str(self._titles[row].number),
                self._titles[row].title,
                f"{self._done(jobs)}/{len(jobs)}",
                *numbers,
                self._status(jobs),
            )
        return table

    def _done(self, jobs: Iterable[Job]) -> int:
        return sum(
            job in self._kept or (job in self._progress.ended and not self._progress.ended[job].reason)
            for job in jobs
        )

    def _status(self, jobs: Sequence[Job]) -> Text:
        failures = [end.reason for job in jobs if (end := self._progress.ended.get(job)) and end.reason]
        running = sum(job in self._progress.running for job in jobs)
        if failures:
            return Text(f"{len(failures)} failed: {failures[-1]}", style="red", overflow="ellipsis")
        if running:
            return Text(f"{running} running", style="cyan")
        return Text("done", style="green") if self._done(jobs) == len(jobs) else Text("queued", style="dim")

    def _summary(self) -> Text:
        ended, jobs = len(self._progress.ended), len(self._plan.jobs) - len(self._kept)
        elapsed = time.monotonic() - self._started
        left = f", about {_minutes(elapsed / ended * (jobs - ended))} left" if ended else ""
        kept = f" ({len(self._kept)} kept from before)" if self._kept else ""
        return Text(
            f"{ended + len(self._kept)} of {len(self._plan.jobs)} jobs{kept}, {_minutes(elapsed)}{left}; "
            "Ctrl-C stops, the same command goes on"
        )


def _minutes(seconds: float) -> str:
    hours, minutes = divmod(round(seconds) // 60, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {round(seconds) % 60:02d} s"
