"""What the command line names is what there is."""

import pytest

from training.names import NETWORKS, TABULAR
from training.networks.rows import ROWS
from training.rows import titles

pytestmark = pytest.mark.torch


def test_the_rows_named_are_all_there_are_in_the_order_of_the_table() -> None:
    assert tuple(titles("gos")) == (*TABULAR, *NETWORKS)
    assert ROWS == NETWORKS
