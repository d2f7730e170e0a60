"""Times taken in turns: what disturbs the machine disturbs every contender."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial


@dataclass(frozen=True)
class Times:
    """Wall times of one contender, in seconds, in the order they were taken."""

    seconds: tuple[float, ...]

    @property
    def p50_ms(self) -> float:
        """Median, in milliseconds."""
        return 1000 * statistics.median(self.seconds)


def in_turns(contenders: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Times]:
    """Time every contender once a round, after one round that does not count.

    Args:
        contenders: What to call, by name.
        rounds: Rounds that count.

    Returns:
        Times by name.
    """
    return told_in_turns({name: partial(_timed, call) for name, call in contenders.items()}, rounds)


def told_in_turns(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Times]:
    """As `in_turns`, for contenders that tell their seconds themselves, because not all of a call counts.

    The order is reversed every other round, so that nobody always runs on a cache that another has warmed.
    """
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        names = list(contenders)[:: 1 if number % 2 else -1]
        for name in names:
            elapsed = contenders[name]()
            if number:
                taken[name].append(elapsed)
    return {name: Times(tuple(seconds)) for name, seconds in taken.items()}


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
