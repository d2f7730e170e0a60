"""What a model's name means: `gos`, `gos@2`, `gos@production`; and which cases of an alias a canary gets.

Pure: a routing is a value that is made anew when anything changes, so a request sees either the old one or the new one.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Final

from app.model_package.naming import PACKAGE_NAME, PACKAGE_VERSION, Reference
from app.records.aliases import Alias, Plan

PRODUCTION: Final = "production"
"""Where a package has this alias, its bare name means it."""
ALIAS_PATTERN: Final = r"[a-z][a-z0-9-]{0,62}"
"""Begins with a letter, so that no alias looks like a version."""


@dataclass(frozen=True)
class Meaning:
    """What a name stands for, for one case.

    Attributes:
        reference: The version that answers.
        alias: The alias that led there, if one did.
    """

    reference: Reference
    alias: Alias | None = None


@dataclass(frozen=True)
class Routing:
    """What every name means now.

    Attributes:
        in_service: Versions among which a bare name without `production` means the latest.
        aliases: By package name and alias.
    """

    in_service: frozenset[Reference] = frozenset()
    aliases: Mapping[tuple[str, str], Alias] = field(default_factory=dict)

    def meaning(self, model: str, key: str | None = None) -> Meaning | None:
        """Find what a name means.

        Args:
            model: `name`, `name@version` or `name@alias`.
            key: What stays the same when a case is sent again; without one, no case goes to a canary.

        Returns:
            The version, whether there is one or not; None where the name has no meaning.
        """
        name, at, suffix = model.partition("@")
        if not PACKAGE_NAME.fullmatch(name):
            return None
        if PACKAGE_VERSION.fullmatch(suffix):
            return Meaning(Reference(name, int(suffix)))
        alias = self.aliases.get((name, suffix if at else PRODUCTION))
        if alias is not None:
            return Meaning(Reference(name, version_for(alias, key)), alias)
        latest = None if at else self.latest(name)
        return None if latest is None else Meaning(latest)

    def latest(self, name: str) -> Reference | None:
        """The latest version in service."""
        return max((each for each in self.in_service if each.name == name), default=None)

    def answering(self) -> frozenset[Reference]:
        """Every version that some name means without saying its number."""
        latest = {each.name: each for each in sorted(self.in_service)}
        bare = (each for name, each in latest.items() if (name, PRODUCTION) not in self.aliases)
        return frozenset(bare).union(*(alias.answering for alias in self.aliases.values()))

    def needed(self) -> frozenset[Reference]:
        """Every version that is in service, or that an alias needs."""
        return self.in_service.union(*(alias.needed for alias in self.aliases.values()))

    def names(self) -> frozenset[str]:
        """Package names that have a meaning."""
        return frozenset(each.name for each in self.answering())

    def keeping(self, before: "Routing", names: Set[str]) -> "Routing":
        """This routing, but with the meaning of some package names as it was before."""
        new, old = self.part(lambda name: name not in names), before.part(lambda name: name in names)
        return Routing(new.in_service | old.in_service, {**new.aliases, **old.aliases})

    def part(self, chosen: Callable[[str], bool]) -> "Routing":
        """The meaning of some package names alone."""
        return Routing(
            frozenset(each for each in self.in_service if chosen(each.name)),
            {place: alias for place, alias in self.aliases.items() if chosen(place[0])},
        )

    def shadows_of(self, reference: Reference) -> list[Reference]:
        """The versions that are compared with the answers of this one."""
        return sorted(
            {
                Reference(alias.name, alias.shadow)
                for alias in self.aliases.values()
                if alias.shadow and Reference(alias.name, alias.version) == reference
            }
        )


def version_for(alias: Alias, key: str | None) -> int:
    """Choose between an alias's version and its canary.

    The choice depends on the alias, the canary and the key alone: on every process and at every attempt it is the same, a larger
    share keeps the cases of a smaller one, and another canary gets other cases.
    """
    canary = alias.canary
    if canary is None or key is None:
        return alias.version
    return canary.version if _place(f"{alias}:{canary.version}:{key}") < canary.share else alias.version


def _place(text: str) -> float:
    """A place in [0, 1) that any text has, spread evenly."""
    digest = hashlib.sha256(text.encode()).digest()
    return (int.from_bytes(digest[:8]) >> 11) / 2**53  # as many bits as a float holds: never rounded up to 1


def planned(plan: Plan, found: Iterable[Reference], ready: Callable[[Reference], bool]) -> Routing:
    """The routing that a plan asks for.

    Args:
        plan: The plan.
        found: What lay in the store when the process began: in service, ready or not, unless an operator said otherwise.
        ready: Whether a version can answer; what came later is in service only then.
    """
    at_start = {reference for reference in found if plan.wishes.get(reference, True)}
    later = {reference for reference, wanted in plan.wishes.items() if wanted and ready(reference)}
    return Routing(frozenset(at_start | later), plan.aliases)
