"""Timing in turns."""

import pytest

from benchmarks.measure import Times, in_turns


def test_every_contender_runs_once_a_round_after_a_warm_up() -> None:
    calls: list[str] = []
    times = in_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=3)
    assert calls.count("a") == calls.count("b") == 4
    assert {name: len(taken.seconds) for name, taken in times.items()} == {"a": 3, "b": 3}


def test_the_order_turns_every_round() -> None:
    calls: list[str] = []
    in_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=2)
    assert calls == ["b", "a", "a", "b", "b", "a"]


def test_the_median_ignores_one_slow_round() -> None:
    assert Times((0.010, 0.012, 5.0)).p50_ms == pytest.approx(12)
