"""training.tabular.ich_score: points as published."""

import numpy as np
import pytest

from tests.training.tabular.support import made
from training.tabular.ich_score import ich_items


@pytest.mark.parametrize(
    ("gcs", "volume_ml", "ventricles", "infratentorial", "age", "score"),
    [
        # Hemphill et al. 2001, table 2, each limit from both sides.
        (15, 10, 0, 0, 50, 0),
        (13, 29.9, 0, 0, 79, 0),
        (12, 10, 0, 0, 50, 1),
        (5, 10, 0, 0, 50, 1),
        (4, 10, 0, 0, 50, 2),
        (15, 30, 0, 0, 50, 1),
        (15, 10, 1, 0, 50, 1),
        (15, 10, 0, 1, 50, 1),
        (15, 10, 0, 0, 80, 1),
        (3, 60, 1, 1, 85, 6),  # the most there is
    ],
)
def test_points_are_those_of_the_publication(
    gcs: float, volume_ml: float, ventricles: float, infratentorial: float, age: float, score: float
) -> None:
    records = made(
        {"gcs": [gcs], "age": [age]},
        {"volume_ml": [volume_ml], "intraventricular": [ventricles], "infratentorial": [infratentorial]},
    )
    assert sum(float(points[0]) for points in ich_items(records).values()) == score


def test_an_unknown_item_has_no_points_yet() -> None:
    items = ich_items(made({"gcs": [np.nan], "age": [70]}, {}))
    assert {name for name, points in items.items() if np.isnan(points[0])} == {
        "GCS",
        "volume",
        "ventricles",
        "location",
    }


def test_an_age_in_months_is_not_taken_for_years() -> None:
    """950 months are 79 years, and 960 are 80."""
    years, months = made({"age": [79, 80]}, {}), made({"age": [950, 960]}, {}, unit="mo")
    assert list(ich_items(months)["age"]) == list(ich_items(years)["age"]) == [0, 1]
