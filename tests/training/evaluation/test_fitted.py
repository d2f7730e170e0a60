"""training.evaluation.fitted: each split decides what it is there for, and the test split decides nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.evaluation.support import ordinal_predictions
from tests.training.evaluation.test_judge import with_train
from training.cohort import CohortError, Split
from training.evaluation.document import EVALUATION_FILE, load_evaluation
from training.evaluation.fitted import (
    CALIBRATION_FILE,
    Fitted,
    fit_after_training,
    load_calibration,
    save_fitted,
)
from training.predictions import Predictions


def model(classes: int) -> Predictions:
    return with_train(ordinal_predictions(480, 1, noise=0.5, classes=classes))


def with_others_in(predictions: Predictions, split: Split) -> Predictions:
    """As if other patients, with other outcomes and other answers, stood in a split."""
    there = predictions.rows(split)
    return replace(
        predictions,
        label=np.where(there, predictions.label.max() - predictions.label, predictions.label),
        logits=np.where(there[:, None], 0.5 - 0.7 * predictions.logits, predictions.logits),
        embedding=np.where(there[:, None], 1 + 3 * predictions.embedding, predictions.embedding),
    )


def parts(fitted: Fitted) -> dict[str, object]:
    assert fitted.distances is not None
    return {
        "scaling": fitted.scaling,
        "sets": fitted.sets,
        "operating point": fitted.operating_point,
        "middle": (fitted.distances.mean.tolist(), fitted.distances.precision.tolist()),
        "distances": fitted.distances.quantiles.tolist(),
    }


@pytest.mark.parametrize(
    ("split", "classes", "decided"),
    [
        ("train", 5, {"middle", "distances"}),
        ("train", 2, {"middle", "distances", "scaling", "sets", "operating point"}),
        ("validation", 5, {"scaling", "sets", "operating point"}),
        ("validation", 2, {"scaling", "sets", "operating point"}),
        ("calibration", 5, {"sets", "distances"}),
        ("calibration", 2, {"sets", "distances"}),
        ("test", 5, set()),
        ("test", 2, set()),
    ],
)
def test_a_split_decides_what_it_is_there_for_and_nothing_else(
    split: Split, classes: int, decided: set[str]
) -> None:
    """Of two classes the intercept is weighed against what the training patients know."""
    predictions = model(classes)
    before, after = (
        parts(fit_after_training(each)) for each in (predictions, with_others_in(predictions, split))
    )
    assert {name for name, value in before.items() if after[name] != value} == decided


@pytest.mark.parametrize("classes", [2, 5])
def test_what_the_package_takes_over_is_what_was_fitted(classes: int, tmp_path: Path) -> None:
    fitted = fit_after_training(predictions := model(classes))
    save_fitted(fitted, tmp_path)
    kept = load_calibration(tmp_path)
    assert (kept.slope, kept.intercept) == (fitted.scaling.slope, fitted.scaling.intercept)
    assert (kept.thresholds, kept.coverage) == (fitted.sets.thresholds, 0.9)
    assert kept.operating_point == fitted.operating_point
    assert kept.n == predictions.rows("calibration").sum() == sum(kept.cases)
    assert (tmp_path / "embedding.npz").is_file()


def test_what_another_release_has_judged_is_to_be_judged_again(tmp_path: Path) -> None:
    (tmp_path / CALIBRATION_FILE).write_text(
        '{"slope": 1.4, "intercept": 0.1, "conformal_threshold": 0.04, "coverage": 0.9, "n": 24}'
    )
    with pytest.raises(CohortError, match="evaluate` again"):
        load_calibration(tmp_path)
    (tmp_path / EVALUATION_FILE).write_text('{"counts": {"train": 24}}')
    with pytest.raises(CohortError, match="evaluate` again"):
        load_evaluation(tmp_path)
