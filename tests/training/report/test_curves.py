"""The plots of one model say what the numbers behind them say."""

import numpy as np

from tests.training.report.answers import discrimination, simulate
from training.report.curves import precision_recall


def test_the_floor_of_precision_and_recall_is_the_share_of_events() -> None:
    """Not the precision at full recall, which is higher wherever the least likely patients have no event."""
    model = simulate()
    judged = discrimination(model)
    table = np.zeros((5, 5), dtype=int)
    np.add.at(table, (model.label, model.probabilities.argmax(axis=1)), 1)
    judged = judged.model_copy(update={"confusion": tuple(map(tuple, table.tolist()))})
    at_full_recall = judged.precision_recall.y[int(np.argmax(judged.precision_recall.x))]
    assert f"{at_full_recall:.2f}" != f"{model.event.mean():.2f}"
    assert f"share of events {model.event.mean():.2f}" in precision_recall(judged, ())
