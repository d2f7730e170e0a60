"""Changes of the plan, each a function from the plan as it is to the one wanted; whatever contradicts the plan is refused.

Pure: `app.records.aliases.PlanRecords.change` runs one inside its transaction, on the plan as it is by then.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final, TypedDict

from app.errors import MalformedRequestError, NothingToRollBackError, PackageInUseError, UnknownModelError
from app.model_package.naming import Reference
from app.records.aliases import Alias, Canary, Plan

Edit = Callable[[Plan], Plan]
MOST_PREVIOUS: Final = 20
"""Versions that an alias remembers."""


class AliasChange(TypedDict, total=False):
    """What of an alias is to change; None for none."""

    canary: Canary | None
    shadow: int | None


def wanting(reference: Reference) -> Edit:
    """Serve a version."""
    return lambda plan: replace(plan, wishes={**plan.wishes, reference: True})


def not_wanting(reference: Reference) -> Edit:
    """Serve a version no longer.

    Raises:
        PackageInUseError: An alias needs it, or accepted jobs wait for it.
    """

    def edit(plan: Plan) -> Plan:
        needing = [str(alias) for alias in plan.aliases.values() if reference in alias.needed]
        if needing:
            raise PackageInUseError(
                f"Expected a version that no alias needs; {reference} is needed. Point those in `known` elsewhere first.",
                known=sorted(needing),
            )
        if reference in plan.awaited:
            raise PackageInUseError(
                f"Expected a version that no accepted job waits for; {reference} is awaited. Let its jobs end, or cancel them."
            )
        return replace(plan, wishes={**plan.wishes, reference: False})

    return edit


def pointing(wanted: Alias) -> Edit:
    """Make an alias mean what is wanted, whole; it remembers the versions it pointed to before.

    Raises:
        MalformedRequestError: What answers is to be tried beside itself.
    """

    def edit(plan: Plan) -> Plan:
        before = plan.aliases.get((wanted.name, wanted.alias))
        return _with(plan, replace(wanted, previous=_previous(before, wanted.version)))

    return edit


def trying(name: str, alias: str, what: AliasChange) -> Edit:
    """Give an alias another canary, another shadow or none; what else it means stays, whoever moved it in between.

    Raises:
        UnknownModelError: There is no such alias.
        MalformedRequestError: That version is what answers, by now.
    """

    def edit(plan: Plan) -> Plan:
        return _with(plan, replace(existing(plan, name, alias), **what))

    return edit


def rolling_back(name: str, alias: str) -> Edit:
    """Give all cases of an alias to the version that answered before: end its canary, or go back by one version.

    Raises:
        UnknownModelError: There is no such alias.
        NothingToRollBackError: It has no canary and no version before.
    """

    def edit(plan: Plan) -> Plan:
        now = existing(plan, name, alias)
        if now.canary is not None:
            return _with(plan, replace(now, canary=None, shadow=None))
        if not now.previous:
            raise NothingToRollBackError(
                f"Expected an alias with a canary or a version before; {now} has neither. Point it to a version."
            )
        return _with(plan, Alias(name, alias, now.previous[-1], previous=now.previous[:-1]))

    return edit


def removing(name: str, alias: str) -> Edit:
    """Forget an alias.

    Raises:
        UnknownModelError: There is no such alias.
    """

    def edit(plan: Plan) -> Plan:
        existing(plan, name, alias)
        return replace(plan, aliases=_without(plan.aliases, (name, alias)))

    return edit


def existing(plan: Plan, name: str, alias: str) -> Alias:
    """The alias.

    Raises:
        UnknownModelError: There is no such one.
    """
    found = plan.aliases.get((name, alias))
    if found is None:
        raise UnknownModelError(
            "Expected an alias of this package; there is no such one. See GET /models.",
            known=sorted(str(each) for each in plan.aliases.values()),
        )
    return found


def _with(plan: Plan, alias: Alias) -> Plan:
    if alias.version in (alias.shadow, alias.canary and alias.canary.version):
        raise MalformedRequestError(
            f"Expected a canary or a shadow of another version than the one that answers; {alias} means {alias.version}."
        )
    # What an alias needs is wanted from then on: it stays loaded when the alias moves, so that going back takes no time.
    return replace(
        plan,
        aliases={**plan.aliases, (alias.name, alias.alias): alias},
        wishes={**plan.wishes, **_all_wanted(alias.needed)},
    )


def _all_wanted(references: Iterable[Reference]) -> dict[Reference, bool]:
    return dict.fromkeys(references, True)


def _previous(before: Alias | None, version: int) -> tuple[int, ...]:
    if before is None:
        return ()
    return (
        before.previous if before.version == version else (*before.previous, before.version)[-MOST_PREVIOUS:]
    )


def _without(
    aliases: Mapping[tuple[str, str], Alias], place: tuple[str, str]
) -> dict[tuple[str, str], Alias]:
    return {each: alias for each, alias in aliases.items() if each != place}
