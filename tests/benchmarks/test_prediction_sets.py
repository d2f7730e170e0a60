"""The measurement of prediction sets: candidates on worlds with known truth, and the procedure on a run's own scores."""

from pathlib import Path

import numpy as np
import pytest
from rich.table import Table

from benchmarks.prediction_sets import WORLDS, Method, draw, grown, of_run, own, per_class_as_served
from tests.training.evaluation.support import ordinal_predictions
from training.predictions import save_predictions


@pytest.mark.parametrize("classes", [2, 5])
def test_a_runs_own_scores_give_a_line_for_everyone_and_for_each_class(tmp_path: Path, classes: int) -> None:
    save_predictions(ordinal_predictions(300, 1, classes=classes), tmp_path)
    table = of_run(tmp_path, deals=10)
    assert isinstance(table, Table)
    assert list(table.columns[0].cells) == ["all", *(str(k + 1) for k in range(classes))]
    assert next(iter(table.columns[1].cells)) == "200"


@pytest.mark.parametrize("method", [grown, per_class_as_served])
def test_every_candidate_covers_ninety_percent_or_more_of_a_world(method: Method) -> None:
    rng = np.random.default_rng(0)
    held, fresh = (draw(n, WORLDS["far too sure"], rng, 5) for n in (3000, 6000))
    assert own(method(held, fresh.p, rng), fresh.label).mean() > 0.89
