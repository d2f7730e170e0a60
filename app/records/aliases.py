"""Keep what package names mean and which packages are wanted, for every process that uses this database."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session

from app.model_package.naming import Reference
from app.records.jobs import OPEN
from app.records.tables import AliasRow, JobRow, PackageWishRow, PlanRow

_REVISION: Final = select(PlanRow.revision)
_AWAITED: Final = select(JobRow.model_name, JobRow.model_version).where(JobRow.state.in_(OPEN)).distinct()


@dataclass(frozen=True)
class Canary:
    """A version that is tried with some of the cases.

    Attributes:
        version: Its number.
        share: Of the alias's cases, above 0 and below 1.
    """

    version: int
    share: float


@dataclass(frozen=True)
class Alias:
    """What `name@alias` means.

    Attributes:
        name: Package name.
        alias: Such as `production`.
        version: What answers.
        canary: What answers a share of the cases instead.
        shadow: What answers the cases too, in the background, and is compared.
        previous: Versions that answered before, the last one last.
    """

    name: str
    alias: str
    version: int
    canary: Canary | None = None
    shadow: int | None = None
    previous: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}@{self.alias}"

    @property
    def answering(self) -> frozenset[Reference]:
        """The versions that its cases go to."""
        versions = {self.version} | ({self.canary.version} if self.canary else set())
        return frozenset(Reference(self.name, version) for version in versions)

    @property
    def needed(self) -> frozenset[Reference]:
        """The versions that must be loaded for it."""
        return self.answering | ({Reference(self.name, self.shadow)} if self.shadow else frozenset())


@dataclass(frozen=True)
class Plan:
    """What every process is to serve.

    Attributes:
        revision: How many changes led to it.
        aliases: By package name and alias.
        wishes: Whether a package is to be served, where an operator said so.
        awaited: Packages that accepted jobs wait for; read, never written here.
    """

    revision: int = 0
    aliases: Mapping[tuple[str, str], Alias] = field(default_factory=dict)
    wishes: Mapping[Reference, bool] = field(default_factory=dict)
    awaited: frozenset[Reference] = frozenset()


class PlanRecords:
    """The plan in the database.

    Args:
        engine: From `app.records.database.open_database`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def revision(self) -> int:
        """How many changes there were; cheap, to be asked again and again."""
        with Session(self._engine) as session:
            return session.scalars(_REVISION).one()

    def plan(self) -> Plan:
        """The plan as it is now."""
        with Session(self._engine) as session:
            return _read(session)

    def change(self, edit: Callable[[Plan], Plan]) -> Plan:
        """Change the plan; changes of several processes come one after the other, each seeing what was before it.

        Args:
            edit: From the plan as it is to the one wanted; what it raises leaves all as it was.

        Returns:
            The new plan.
        """
        with Session(self._engine) as session, session.begin():
            # First: this row's lock is what lets no other change in between.
            session.execute(update(PlanRow).values(revision=PlanRow.revision + 1))
            edited = edit(_read(session))
            # A handful of rows: written whole rather than compared.
            session.execute(delete(AliasRow))
            session.execute(delete(PackageWishRow))
            session.add_all(_alias_row(alias) for alias in edited.aliases.values())
            session.add_all(
                PackageWishRow(name=reference.name, version=reference.version, wanted=wanted)
                for reference, wanted in edited.wishes.items()
            )
            return edited


def _read(session: Session) -> Plan:
    # The count first: what changes meanwhile is read too early, and read again, never missed.
    revision = session.scalars(_REVISION).one()
    aliases = [_alias(row) for row in session.scalars(select(AliasRow))]
    wishes = {Reference(row.name, row.version): row.wanted for row in session.scalars(select(PackageWishRow))}
    awaited = frozenset(Reference(name, version) for name, version in session.execute(_AWAITED))
    return Plan(revision, {(alias.name, alias.alias): alias for alias in aliases}, wishes, awaited)


def _alias(row: AliasRow) -> Alias:
    canary = None
    if row.canary_version is not None and row.canary_share is not None:
        canary = Canary(row.canary_version, row.canary_share)
    return Alias(
        row.name, row.alias, row.version, canary, row.shadow_version, tuple(json.loads(row.previous))
    )


def _alias_row(alias: Alias) -> AliasRow:
    return AliasRow(
        name=alias.name,
        alias=alias.alias,
        version=alias.version,
        canary_version=alias.canary.version if alias.canary else None,
        canary_share=alias.canary.share if alias.canary else None,
        shadow_version=alias.shadow,
        previous=json.dumps(alias.previous),
    )
