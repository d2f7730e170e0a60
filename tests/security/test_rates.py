"""A caller may ask so often in a minute, and no other is held up by it."""

import time

import pytest

from app.security.rates import Rates


def test_one_more_than_allowed_waits_and_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        time, "time", lambda: 1_800_000_000.0
    )  # at the turn of a minute a place is free again
    rates = Rates(30)
    assert [rates.wait_s("a") for _ in range(30)] == [0] * 30
    assert rates.wait_s("a") == 2
    assert rates.wait_s("b") == 0


def test_a_bound_of_none_is_none() -> None:
    assert {Rates(0).wait_s("a") for _ in range(1000)} == {0}
