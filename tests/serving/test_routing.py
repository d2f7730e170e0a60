"""A name means one thing at any moment, and a case sent again gets the version it got before."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from app.model_package.naming import Reference
from app.records.aliases import Alias, Canary, Plan
from app.serving.routing import PRODUCTION, Routing, planned, version_for

NAMES = st.sampled_from(["gos", "ad", "site-a"])
VERSIONS = st.integers(1, 5)
REFERENCES = st.builds(Reference, NAMES, VERSIONS)
SHARES = st.floats(0, 1, exclude_min=True, exclude_max=True)
KEYS = st.text(max_size=20)
FEW = settings(max_examples=40)
"""Names and versions are few; so are their meanings."""


@st.composite
def aliases(draw: st.DrawFn) -> Alias:
    canary = draw(st.none() | st.builds(Canary, VERSIONS, SHARES))
    name, alias = draw(NAMES), draw(st.sampled_from([PRODUCTION, "trial"]))
    return Alias(name, alias, draw(VERSIONS), canary, draw(st.none() | VERSIONS))


ROUTINGS = st.builds(
    lambda in_service, drawn: Routing(in_service, {(each.name, each.alias): each for each in drawn}),
    st.frozensets(REFERENCES),
    st.lists(aliases(), max_size=4),
)


@FEW
@given(ROUTINGS, REFERENCES, KEYS)
def test_a_version_means_itself_whatever_aliases_say(
    routing: Routing, reference: Reference, key: str
) -> None:
    meaning = routing.meaning(str(reference), key)
    assert meaning is not None
    assert (meaning.reference, meaning.alias) == (reference, None)


@FEW
@given(ROUTINGS, NAMES, KEYS)
def test_a_bare_name_means_production_else_the_latest_in_service(
    routing: Routing, name: str, key: str
) -> None:
    meaning = routing.meaning(name, key)
    versions = [each for each in routing.in_service if each.name == name]
    if (name, PRODUCTION) in routing.aliases:
        assert meaning == routing.meaning(f"{name}@{PRODUCTION}", key)
    elif versions:
        assert meaning is not None
        assert meaning.reference == max(versions)
    else:
        assert meaning is None


@FEW
@given(ROUTINGS, NAMES, st.sampled_from(["", "@trial", "@production"]), KEYS)
def test_what_a_name_means_answers(routing: Routing, name: str, suffix: str, key: str) -> None:
    meaning = routing.meaning(name + suffix, key)
    if meaning is not None:
        assert meaning.reference in routing.answering()
        assert name in routing.names()


@FEW
@given(ROUTINGS, NAMES, st.sampled_from(["", "@trial"]))
def test_without_a_key_no_canary_answers(routing: Routing, name: str, suffix: str) -> None:
    meaning = routing.meaning(name + suffix)
    if meaning is not None and meaning.alias is not None:
        assert meaning.reference.version == meaning.alias.version


@FEW
@given(ROUTINGS, ROUTINGS, st.frozensets(NAMES), NAMES, st.sampled_from(["", "@trial"]), KEYS)
def test_a_name_that_lags_keeps_its_meaning_and_the_others_get_the_new_one(
    before: Routing, after: Routing, lagging: frozenset[str], name: str, suffix: str, key: str
) -> None:
    kept = before if name in lagging else after
    assert after.keeping(before, lagging).meaning(name + suffix, key) == kept.meaning(name + suffix, key)


@pytest.mark.parametrize(
    "model", ["", "@", "@1", "gos@", "gos@01", "gos@0", "gos@1@1", "GOS", "gos@9999999999"]
)
def test_a_name_of_another_form_means_nothing(model: str) -> None:
    routing = Routing(frozenset({Reference("gos", 1)}), {("gos", PRODUCTION): Alias("gos", PRODUCTION, 1)})
    assert routing.meaning(model, "key") is None


@FEW
@given(aliases(), KEYS, SHARES)
def test_a_larger_share_keeps_the_cases_of_a_smaller_one(alias: Alias, key: str, share: float) -> None:
    small, large = sorted((share, alias.canary.share if alias.canary else 0.5))

    def gets_the_canary(share: float) -> bool:
        return version_for(Alias("gos", "production", 1, Canary(2, share)), key) == 2

    assert gets_the_canary(large) or not gets_the_canary(small)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9])
def test_a_canary_gets_its_share(share: float) -> None:
    cases = 20_000
    alias = Alias("gos", "production", 1, Canary(2, share))
    got = sum(version_for(alias, f"case-{number}") == 2 for number in range(cases))
    # Five standard deviations of a binomial distribution; the keys are fixed, so this passes always or never.
    assert abs(got - cases * share) <= 5 * (cases * share * (1 - share)) ** 0.5


def test_another_canary_gets_other_cases() -> None:
    def chosen(version: int) -> set[int]:
        alias = Alias("gos", "production", 1, Canary(version, 0.5))
        return {number for number in range(1000) if version_for(alias, f"case-{number}") == version}

    # Two independent halves meet in about a quarter.
    assert 150 < len(chosen(2) & chosen(3)) < 350


@FEW
@given(
    st.frozensets(REFERENCES),
    st.dictionaries(REFERENCES, st.booleans()),
    st.frozensets(REFERENCES),
)
def test_what_came_later_is_in_service_only_where_it_is_wanted_and_ready(
    found: frozenset[Reference], wishes: dict[Reference, bool], ready: frozenset[Reference]
) -> None:
    routing = planned(Plan(wishes=wishes), found, ready.__contains__)
    for reference in {*found, *wishes, *ready}:
        wanted = wishes.get(reference, reference in found)
        assert (reference in routing.in_service) == (wanted and (reference in found or reference in ready))


def test_shadows_are_those_of_aliases_that_the_version_answers_for() -> None:
    routing = Routing(
        aliases={
            ("gos", "production"): Alias("gos", "production", 1, Canary(2, 0.5), shadow=3),
            ("gos", "trial"): Alias("gos", "trial", 1, shadow=4),
            ("ad", "production"): Alias("ad", "production", 1, shadow=2),
        }
    )
    assert routing.shadows_of(Reference("gos", 1)) == [Reference("gos", 3), Reference("gos", 4)]
    assert routing.shadows_of(Reference("gos", 2)) == []
