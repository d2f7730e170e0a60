"""training.tabular.func_score: points as published."""

import pytest

from tests.training.tabular.support import made
from training.tabular.func_score import func_items


@pytest.mark.parametrize(
    ("patient", "score"),
    [
        # volume in mL, age, lobar, infratentorial, GCS, cognitive impairment before
        # Rost et al. 2008, table 3, each limit from both sides.
        ((10, 50, 1, 0, 15, 0), 11),  # the best there is
        ((61, 85, 0, 1, 8, 1), 0),  # the worst
        ((30, 50, 1, 0, 15, 0), 9),
        ((60, 50, 1, 0, 15, 0), 9),
        ((60.1, 50, 1, 0, 15, 0), 7),
        ((10, 70, 1, 0, 15, 0), 10),
        ((10, 79, 1, 0, 15, 0), 10),
        ((10, 80, 1, 0, 15, 0), 9),
        ((10, 50, 0, 0, 15, 0), 10),  # deep
        ((10, 50, 0, 1, 15, 0), 9),
        ((10, 50, 1, 0, 9, 0), 11),
        ((10, 50, 1, 0, 8, 0), 9),
        ((10, 50, 1, 0, 15, 1), 10),
    ],
)
def test_points_are_those_of_the_publication(patient: tuple[float, ...], score: float) -> None:
    volume_ml, age, lobar, infratentorial, gcs, impaired = patient
    records = made(
        {"age": [age], "gcs": [gcs], "pre_ich_cognitive_impairment": [impaired]},
        {"volume_ml": [volume_ml], "lobar": [lobar], "infratentorial": [infratentorial]},
    )
    assert sum(float(points[0]) for points in func_items(records).values()) == score


def test_an_age_in_months_is_not_taken_for_years() -> None:
    """950 months are 79 years, and 960 are 80."""
    years, months = made({"age": [79, 80]}, {}), made({"age": [950, 960]}, {}, unit="mo")
    assert list(func_items(months)["age"]) == list(func_items(years)["age"]) == [1, 0]
