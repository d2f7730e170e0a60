"""Packages in motion: what an operator asks for is made ready first, then written down for every process, then switched to.

The plan lies in the database (`app.records.aliases`). The process that is asked changes it; the others notice and follow. A version
that cannot be made ready is refused before anything has changed; a process that cannot follow keeps what it has and is not ready.
"""

import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import anyio
import anyio.to_thread
import structlog

from app.errors import PackageRefusedError, UnknownModelError
from app.model_package.naming import Reference
from app.records.aliases import Alias, Plan, PlanRecords
from app.serving.catalogue import Catalogue
from app.serving.entry import Entry, State, stopping
from app.serving.plan_edits import (
    AliasChange,
    Edit,
    existing,
    not_wanting,
    pointing,
    removing,
    rolling_back,
    trying,
    wanting,
)
from app.serving.routing import planned
from app.telemetry import log_fault

FOLLOW_EVERY_S: Final = 2.0
LONGEST_PAUSE_S: Final = 20.0
TRY_AGAIN_S: Final = 30.0
"""Until what could not be followed is tried again: a store that is copied from machine to machine may be late."""

log = structlog.stdlib.get_logger(__name__)


class Rollout:
    """Moves the packages of this process; one change at a time, each may take seconds, so never call it on the event loop.

    Args:
        records: The plan of every process.
        catalogue: The packages of this one.
    """

    def __init__(self, records: PlanRecords, catalogue: Catalogue) -> None:
        self._records = records
        self._catalogue = catalogue
        self._moving = threading.Lock()  # held by whoever changes what is below, or the catalogue
        self._plan: Plan | None = None
        self._try_again_s: float | None = None
        self._stopping = threading.Event()

    @property
    def is_stopping(self) -> bool:
        """Whether nothing more is made ready."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Make nothing ready any more but what is being made ready now: the service ends. Waits for nothing."""
        self._stopping.set()

    def follow(self) -> None:
        """At first, take up the plan and make ready what it serves; then do what another process was asked for, if anything was."""
        with self._moving:
            late = self._try_again_s is not None and time.monotonic() >= self._try_again_s
            if self._plan is None:
                self._take_up()
            elif late or self._records.revision() != self._plan.revision:
                self._adopt(self._records.plan())

    def load(self, reference: Reference) -> Entry:
        """Serve a version, once it is ready.

        Raises:
            UnknownModelError: It is not in the store.
            PackageRefusedError: It cannot be made ready.
        """
        self._change(wanting(reference), [reference])
        return self._catalogue.entry(str(reference))

    def unload(self, reference: Reference) -> Entry:
        """Serve a version no longer, and take a failure of it for settled; cases that it is answering are answered.

        Raises:
            UnknownModelError: There is no such one.
            PackageInUseError: An alias needs it, or accepted jobs wait for it.
        """
        self._catalogue.entry(str(reference))
        self._change(not_wanting(reference))
        self._catalogue.forget(reference)
        return self._catalogue.entry(str(reference))

    def point(self, wanted: Alias) -> Alias:
        """Let an alias mean what is wanted, once all of it is ready.

        Raises:
            MalformedRequestError: What answers is to be tried beside itself.
            UnknownModelError: A version is not in the store.
            PackageRefusedError: A version cannot be made ready.
        """
        return self._moved(pointing(wanted), wanted.name, wanted.alias)

    def try_out(self, name: str, alias: str, what: AliasChange) -> Alias:
        """Give an alias another canary, another shadow or none, once it is ready; all else stays.

        Raises:
            UnknownModelError: There is no such alias, or the version is not in the store.
            MalformedRequestError: The version is what answers.
            PackageRefusedError: The version cannot be made ready.
        """
        return self._moved(trying(name, alias, what), name, alias)

    def roll_back(self, name: str, alias: str) -> Alias:
        """Give all cases of an alias to the version that answered before: end its canary, or go back by one version.

        Raises:
            UnknownModelError: There is no such alias, or the version before is no longer in the store.
            NothingToRollBackError: It has no canary and no version before.
            PackageRefusedError: The version before cannot be made ready.
        """
        return self._moved(rolling_back(name, alias), name, alias)

    def remove(self, name: str, alias: str) -> None:
        """Forget an alias; the versions stay loaded.

        Raises:
            UnknownModelError: There is no such alias.
        """
        self._change(removing(name, alias))
        log.info("alias-removed", alias=f"{name}@{alias}")

    def _moved(self, edit: Edit, name: str, alias: str) -> Alias:
        wanted = existing(edit(self._records.plan()), name, alias)
        plan = self._change(edit, sorted(wanted.needed))
        moved = existing(plan, name, alias)
        log.info("alias-moved", alias=str(moved), model=name, version=moved.version)
        return moved

    def _change(self, edit: Edit, needed: Iterable[Reference] = ()) -> Plan:
        with self._moving:
            if self._plan is None:
                self._take_up()
            try:
                for reference in needed:
                    self._require(reference)
                plan = self._records.change(edit)
            except Exception:
                self._adopt(self._records.plan())  # what was made ready in vain is let go
                raise
            self._adopt(plan)
            return plan

    def _require(self, reference: Reference) -> None:
        self._catalogue.look()
        if self._catalogue.state(reference) is None:
            raise UnknownModelError(
                f"Expected a version that lies in the store; {reference} does not. Copy the package there first.",
                known=[str(entry.reference) for entry in self._catalogue.entries()],
            )
        entry = self._prepared(reference)
        if entry.state is State.READY:
            return
        if reference not in self._catalogue.routing.in_service:
            # Remembered, or the next start would find it in the store and serve it, that is, fail.
            self._records.change(_refusing(reference))
        raise PackageRefusedError(
            f"Expected a package that gives its golden answer here; {reference} is refused: {entry.detail}",
            model=str(reference),
            reason={"code": entry.code, "detail": entry.detail},
        )

    def _take_up(self) -> None:
        """Make ready what the plan serves, what answers cases first."""
        plan = self._records.plan()
        self._catalogue.switch(planned(plan, self._catalogue.found, self._is_ready))
        routing = self._catalogue.routing
        first = routing.answering()
        for reference in (*sorted(first), *sorted(routing.in_service - first)):
            self._prepared(reference)
        self._adopt(plan)

    def _adopt(self, plan: Plan) -> None:
        """Make ready what the plan wants, then switch; a name whose versions fail here keeps the meaning it has."""
        wanted = sorted(reference for reference, is_wanted in plan.wishes.items() if is_wanted)
        failed = [each for each in wanted if self._prepared(each).state is not State.READY]
        before, routing = self._catalogue.routing, planned(plan, self._catalogue.found, self._is_ready)
        meant = planned(plan, self._catalogue.found, lambda _: True).answering()  # where all of it were ready
        absent = {each for each in failed if each not in self._catalogue.found}
        lagging = {each.name for each in failed if each in meant and (each in absent or _answers(plan, each))}
        self._catalogue.switch(routing.keeping(before, lagging), lagging)
        self._try_again_s = time.monotonic() + TRY_AGAIN_S if lagging or absent else None
        for name in lagging:
            log.error("package-not-followed", model=name)
        self._plan = plan

    def _prepared(self, reference: Reference) -> Entry:
        """At the start there are no cases to lose, and no time; from then on what is new is tried first."""
        if self.is_stopping and not self._is_ready(reference):
            raise stopping()
        return self._catalogue.prepare(reference, tried_first=self._plan is not None)

    def _is_ready(self, reference: Reference) -> bool:
        return self._catalogue.state(reference) is State.READY


def _refusing(reference: Reference) -> Edit:
    """Do not serve a version that failed, unless somebody has it in use by now."""

    def edit(plan: Plan) -> Plan:
        if plan.wishes.get(reference):
            return plan
        return replace(plan, wishes={**plan.wishes, reference: False})

    return edit


def _answers(plan: Plan, reference: Reference) -> bool:
    return any(reference in alias.answering for alias in plan.aliases.values())


async def keep_following(rollout: Rollout) -> None:
    """Starts the packages, then follows what other processes are asked for, until it is cancelled."""
    pause_s = FOLLOW_EVERY_S
    async with anyio.create_task_group() as group:
        group.start_soon(_stop_in_time, rollout)
        while True:
            followed = await anyio.to_thread.run_sync(follow_once, rollout)
            # A line of each fault; fewer of them the longer the database stays away.
            pause_s = FOLLOW_EVERY_S if followed else min(2 * pause_s, LONGEST_PAUSE_S)
            await anyio.sleep(pause_s)


async def _stop_in_time(rollout: Rollout) -> None:
    """A thread that makes packages ready, each for seconds or minutes, is not told that its task is cancelled, and waited for."""
    try:
        await anyio.sleep_forever()
    finally:
        rollout.stop()


def follow_once(rollout: Rollout) -> bool:
    """Follows once; a fault is logged and tried again, since the service must go on.

    Returns:
        Whether it could.
    """
    try:
        rollout.follow()
    except Exception as error:  # noqa: BLE001 - the database may be away for a while
        if rollout.is_stopping:
            return False
        log_fault(log, "follow-fault", error)
        return False
    return True
