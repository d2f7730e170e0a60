"""Many ids in parts that a statement can hold."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

MOST_IDS: Final = 500


def in_parts(ids: Iterable[str], most: int = MOST_IDS) -> Iterator[list[str]]:
    """The ids in their order, at most so many at once."""
    rest = iter(ids)
    while part := list(islice(rest, most)):
        yield part
