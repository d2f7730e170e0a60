"""Everything that is fitted after training, from the validation and calibration splits, and written for the export.

calibration.json   scaling of the logits, thresholds of the prediction sets
embedding.npz      distance of embeddings, where the model has any
"""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from training.calibrate import Scaling
from training.cohort import CohortError
from training.evaluation.answers import answers, fit_on_validation
from training.evaluation.discrimination import youden_threshold
from training.evaluation.distance import Distances, fit_distances
from training.evaluation.document import as_written
from training.evaluation.sets import ClassThresholds, fit_thresholds
from training.files.whole_files import write_whole
from training.predictions import Predictions

CALIBRATION_FILE = "calibration.json"


class CalibrationFile(BaseModel):
    """`calibration.json`.

    Attributes:
        slope: Of the logits' scaling.
        intercept: Of the logits' scaling.
        thresholds: Least probability with which each class enters a prediction set, in the order of the classes.
        cases: Calibration cases of each class.
        coverage: Nominal, of the sets.
        n: Calibration cases.
        operating_point: Probability of the event at which sensitivity and specificity are given; from validation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slope: float
    intercept: float
    thresholds: tuple[float, ...]
    cases: tuple[int, ...]
    coverage: float
    n: int
    operating_point: float


@dataclass(frozen=True)
class Fitted:
    """What turns a model's logits into the service's statements.

    Attributes:
        scaling: Temperature or Platt.
        sets: Thresholds of the prediction sets.
        operating_point: Probability of the event at which sensitivity and specificity are given.
        distances: Of embeddings; None for a model without any.
    """

    scaling: Scaling
    sets: ClassThresholds
    operating_point: float
    distances: Distances | None


def fit_after_training(predictions: Predictions) -> Fitted:
    """Scale on validation; fit sets and distances on calibration cases; leave the test split alone.

    Raises:
        CohortError: The validation or the calibration split is empty.
    """
    scaling = fit_on_validation(predictions)
    held = answers(predictions, scaling, "calibration")
    if not len(held):
        raise CohortError(
            "prediction sets need a calibration split, found none; split the cohort into train, validation, calibration and test"
        )
    train, calibration = predictions.part("train").embedding, predictions.part("calibration").embedding
    return Fitted(
        scaling=scaling,
        sets=fit_thresholds(held.probabilities, held.label),
        operating_point=youden_threshold(answers(predictions, scaling, "validation")),
        distances=fit_distances(train, calibration) if train.shape[1] and len(train) > 1 else None,
    )


def save_fitted(fitted: Fitted, run: Path) -> None:
    """Write calibration.json and, where there are embeddings, embedding.npz."""
    tree = CalibrationFile(
        slope=fitted.scaling.slope,
        intercept=fitted.scaling.intercept,
        thresholds=fitted.sets.thresholds,
        cases=fitted.sets.cases,
        coverage=fitted.sets.coverage,
        n=sum(fitted.sets.cases),
        operating_point=fitted.operating_point,
    )
    write_whole(run / CALIBRATION_FILE, tree.model_dump_json(indent=2) + "\n")
    if fitted.distances is not None:
        fitted.distances.save(run)


def load_calibration(run: Path) -> CalibrationFile:
    """Read calibration.json; errors as of `as_written`."""
    return as_written(CalibrationFile, run / CALIBRATION_FILE)
