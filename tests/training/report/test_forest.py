"""Forest plots: one scale, every interval inside it."""

from hypothesis import given
from hypothesis import strategies as st

from tests.training.report.answers import near
from training.report.forest import EDGE, WIDTH, axis, mark, scale_for

VALUES = st.lists(st.tuples(st.floats(-2, 2), st.floats(0.001, 1)), min_size=1, max_size=8)


@given(VALUES, st.floats(-1, 1))
def test_every_interval_and_the_reference_lie_inside_and_keep_their_order(
    values: list[tuple[float, float]], reference: float
) -> None:
    metrics = [near("auroc", value, half) for value, half in values]
    scale = scale_for(metrics, reference)
    inside = sorted([reference, *(end for each in metrics for end in (each.low, each.high)), *scale.ticks])
    assert scale.low <= inside[0]
    assert inside[-1] <= scale.high
    places = [scale.x(value) for value in inside]
    assert places == sorted(places)
    assert EDGE <= places[0] <= places[-1] <= WIDTH - EDGE


def test_a_group_without_a_number_keeps_the_reference_line_only() -> None:
    scale = scale_for([near("auroc", 0.8)], 0.7)
    assert "<rect" not in mark(scale, None)
    assert mark(scale, near("auroc", 0.8)).count("<rect") == 1


def test_ticks_are_told_apart() -> None:
    scale = scale_for([near("auroc", 0.802, 0.004)], 0.8)
    words = [part.split("<")[0] for part in axis(scale, "", "").split('font-size="11">')[1:]][
        : len(scale.ticks)
    ]
    assert len(set(words)) == len(scale.ticks) > 1
