"""What is without a row for long is left over; what gets one in between is not."""

from app.records.leftovers import Leftovers


def test_only_what_stays_without_a_row_for_all_the_time_is_left_over() -> None:
    now_s = [100.0]
    leftovers = Leftovers(10.0, lambda: now_s[0])
    assert leftovers.among(["stays", "recorded", "comes back"]) == []
    now_s[0] = 105.0
    assert leftovers.among(["stays", "later"]) == []
    now_s[0] = 110.0
    # One that had a row, or was gone, in between begins anew.
    assert leftovers.among(["stays", "later", "comes back"]) == ["stays"]
    now_s[0] = 115.0
    assert leftovers.among(["later", "comes back"]) == ["later"]
