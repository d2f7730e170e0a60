"""Aliases move forward and back; what contradicts them is refused."""

from dataclasses import replace
from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import assume, given

from app.errors import MalformedRequestError, NothingToRollBackError, PackageInUseError, UnknownModelError
from app.model_package.naming import Reference
from app.records.aliases import Alias, Canary, Plan
from app.serving.plan_edits import (
    MOST_PREVIOUS,
    AliasChange,
    existing,
    not_wanting,
    pointing,
    removing,
    rolling_back,
    trying,
    wanting,
)

VERSIONS = st.integers(1, 9)


def moved(*versions: int) -> Plan:
    """A plan whose alias pointed to these versions, one after the other."""
    plan = Plan()
    for version in versions:
        plan = pointing(Alias("gos", "production", version))(plan)
    return plan


def production(plan: Plan) -> Alias:
    return existing(plan, "gos", "production")


@given(st.lists(VERSIONS, min_size=1, max_size=12))
def test_rolling_back_again_and_again_walks_the_whole_way_back(versions: list[int]) -> None:
    plan = moved(*versions)
    way = [versions[0]] + [after for before, after in pairwise(versions) if before != after]
    for version in reversed(way[:-1]):
        plan = rolling_back("gos", "production")(plan)
        assert production(plan).version == version
    with pytest.raises(NothingToRollBackError) as refused:
        rolling_back("gos", "production")(plan)
    assert "gos@production has neither" in refused.value.detail, "whether it was moved once, or never"


@given(VERSIONS, VERSIONS, VERSIONS)
def test_rolling_back_first_ends_a_canary(before: int, version: int, tried: int) -> None:
    assume(tried != version)
    plan = pointing(Alias("gos", "production", version, Canary(tried, 0.2), shadow=tried))(moved(before))
    back = production(rolling_back("gos", "production")(plan))
    assert (back.version, back.canary, back.shadow) == (version, None, None)


def test_what_is_tried_undoes_nothing_that_was_done_meanwhile() -> None:
    shadowed = trying("gos", "production", {"shadow": 3})  # of whoever saw the alias at 2
    plan = shadowed(rolling_back("gos", "production")(moved(1, 2)))
    assert production(plan) == Alias("gos", "production", 1, shadow=3)
    assert plan.wishes[Reference("gos", 3)]
    tried = production(trying("gos", "production", {"canary": Canary(4, 0.1)})(plan))
    assert (tried.version, tried.canary, tried.shadow) == (1, Canary(4, 0.1), 3), (
        "and what is not named stays"
    )
    assert production(trying("gos", "production", {"shadow": None})(plan)).shadow is None


@pytest.mark.parametrize("what", [AliasChange(shadow=3), AliasChange(canary=Canary(3, 0.1))])
def test_a_version_is_not_tried_beside_itself(what: AliasChange) -> None:
    wanted = replace(Alias("gos", "production", 3), **what)
    for edit in (trying("gos", "production", what), pointing(wanted)):
        with pytest.raises(MalformedRequestError, match="gos@production means 3"):
            edit(moved(3))


def test_only_so_many_versions_are_remembered() -> None:
    assert len(production(moved(*range(1, 100))).previous) == MOST_PREVIOUS


@given(VERSIONS, VERSIONS, VERSIONS, VERSIONS)
def test_what_an_alias_needs_is_served_and_cannot_be_taken_away(
    version: int, canary: int, shadow: int, other: int
) -> None:
    assume(version not in (canary, shadow))
    plan = pointing(Alias("gos", "production", version, Canary(canary, 0.2), shadow))(Plan())
    assert all(plan.wishes[Reference("gos", each)] for each in (version, canary, shadow))
    reference = Reference("gos", other)
    if other in (version, canary, shadow):
        with pytest.raises(PackageInUseError) as conflict:
            not_wanting(reference)(plan)
        assert conflict.value.fields["known"] == ["gos@production"]
    else:
        assert not not_wanting(reference)(wanting(reference)(plan)).wishes[reference]


def test_an_alias_that_is_not_there_cannot_be_moved_back_or_forgotten() -> None:
    for edit in (rolling_back("gos", "trial"), removing("gos", "trial"), trying("gos", "trial", {})):
        with pytest.raises(UnknownModelError):
            edit(moved(1))


def test_a_forgotten_alias_is_forgotten_alone() -> None:
    plan = pointing(Alias("gos", "trial", 2))(moved(1))
    assert set(removing("gos", "production")(plan).aliases) == {("gos", "trial")}


def test_what_accepted_jobs_wait_for_cannot_be_taken_away() -> None:
    awaited = Plan(awaited=frozenset({Reference("gos", 1)}))
    with pytest.raises(PackageInUseError):
        not_wanting(Reference("gos", 1))(awaited)
    assert not not_wanting(Reference("gos", 2))(awaited).wishes[Reference("gos", 2)]
