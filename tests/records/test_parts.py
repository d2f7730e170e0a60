"""Ids come in their order, none is lost, and no part is larger than it may be."""

from hypothesis import given
from hypothesis import strategies as st

from app.records.parts import in_parts


@given(st.lists(st.text(max_size=3)), st.integers(1, 7))
def test_the_parts_are_the_whole_and_all_but_the_last_are_full(ids: list[str], most: int) -> None:
    parts = list(in_parts(iter(ids), most))
    assert [each for part in parts for each in part] == ids
    assert all(len(part) == most for part in parts[:-1])
    assert all(0 < len(part) <= most for part in parts)
