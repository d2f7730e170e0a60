"""The manifest of a model package: everything the service must know, as data. Nothing has a default.

Where a newer kind of package says something in another way, both ways are optional here and a validator asks for one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, model_validator

from app.ehr.schema import EhrSchema
from app.imaging.model_grid import ModelGrid
from app.model_package.naming import PACKAGE_NAME, Reference
from app.model_package.naming import Task as Task  # noqa: PLC0414 - a part of the manifest, defined apart for the command line

Probability = Annotated[float, Field(ge=0, le=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Row = tuple[float, float, float, float]
MINIMUM_CLASSES = 2


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OutputClass(_Frozen):
    """One class of the answer, in the order of the columns of `probabilities`."""

    label: str
    title: str


class Heatmap(_Frozen):
    """Where the graph's `heatmap` output lies.

    Attributes:
        shape: (D', H', W').
        to_model_grid: Affine from heatmap index (d', h', w', 1) to model-grid index (d, h, w, 1), row by row.
    """

    shape: tuple[PositiveInt, PositiveInt, PositiveInt]
    to_model_grid: tuple[Row, Row, Row, Row]


class Outputs(_Frozen):
    """What the graph answers.

    Attributes:
        classes: Class labels with titles; for `gos` `gos_1` (dead) to `gos_5` (good recovery).
        ordinal: Whether the classes have an order (prediction sets are then contiguous).
        favourable: Labels whose probabilities add up to the favourable outcome; empty where there is none.
        heads: Number of MH-GMU heads, columns of `image_share`.
        embedding_size: Columns of `embedding`.
        heatmap: Geometry of the heatmap.
    """

    classes: tuple[OutputClass, ...]
    ordinal: bool
    favourable: tuple[str, ...]
    heads: PositiveInt
    embedding_size: PositiveInt
    heatmap: Heatmap

    @model_validator(mode="after")
    def _labels_are_unique_and_favourable_ones_known(self) -> "Outputs":
        labels = [each.label for each in self.classes]
        if len(labels) < MINIMUM_CLASSES or len(set(labels)) != len(labels):
            raise ValueError("there must be at least two classes, with labels of their own")
        if not set(self.favourable) <= set(labels) or len(set(self.favourable)) != len(self.favourable):
            raise ValueError("favourable must name some of the class labels, each once")
        return self


class ClassThreshold(_Frozen):
    """When one class enters a prediction set.

    Attributes:
        threshold: Least probability with which it enters.
        n: Calibration cases that were of this class. Classes with too few of them share a threshold.
    """

    threshold: Probability
    n: NonNegativeInt


class Calibration(_Frozen):
    """How probabilities were calibrated and how prediction sets are made.

    A class is in the set when its probability reaches its threshold; the most likely class always is, and ordinal sets
    are filled between their ends. Either all classes share one threshold, or each has its own: exactly one of the two is given.

    Attributes:
        method: What is inside the graph (`temperature`, `platt`, `none`).
        parameters: Its fitted numbers, for the record.
        conformal_threshold: Shared by all classes (split conformal, score 1 - p of the true class): the coverage holds
            over all cases together.
        class_thresholds: By class label (class-conditional split conformal): the coverage holds for the cases of each class.
        coverage: Nominal coverage of the sets, such as 0.9.
        n: Cases the thresholds were fitted on, disjoint from training, early stopping and test.
    """

    method: Literal["temperature", "platt", "none"]
    parameters: dict[str, float]
    conformal_threshold: Probability | None = None
    class_thresholds: dict[str, ClassThreshold] | None = None
    coverage: Probability
    n: PositiveInt

    @model_validator(mode="after")
    def _thresholds_are_of_one_kind(self) -> "Calibration":
        if (self.conformal_threshold is None) == (self.class_thresholds is None):
            raise ValueError("either conformal_threshold or class_thresholds must be given")
        return self

    def thresholds(self, labels: Sequence[str]) -> tuple[float, ...]:
        """Threshold of each class, in the order of `labels`."""
        if self.class_thresholds is not None:
            return tuple(self.class_thresholds[label].threshold for label in labels)
        return (self.conformal_threshold or 0.0,) * len(labels)


class OutOfDistribution(_Frozen):
    """How far an embedding lies from those of training.

    The score is the share of calibration cases whose Mahalanobis distance is smaller, in [0, 1].

    Attributes:
        method: `mahalanobis`.
        file: npz beside the manifest with `mean` [d], `precision` [d, d] and `quantiles` [q], the sorted distances
            of the calibration cases at evenly spaced probabilities 0..1.
        threshold: Scores above are flagged.
    """

    method: Literal["mahalanobis"]
    file: str
    threshold: Probability


class Metric(_Frozen):
    """A held-out number with its 95 % interval.

    Attributes:
        name: Such as `auroc_favourable`.
        value: Point estimate.
        low: Lower end of the bootstrap interval.
        high: Upper end.
        n: Cases.
    """

    name: str
    value: float
    low: float
    high: float
    n: PositiveInt


class Manifest(_Frozen):
    """One immutable version of one model.

    Attributes:
        schema_version: Version of this document's form.
        name: Package name.
        version: Integer version; a version is never overwritten.
        task: What it answers.
        title: For people.
        intended_use: Shown with every answer.
        training_data: What it was trained on, plainly.
        created: Time of export, UTC.
        image: The model grid.
        ehr: The record.
        preprocessing_version: Must equal `app.imaging.model_grid.PREPROCESSING_VERSION`.
        outputs: Classes and heatmap.
        calibration: Temperature and prediction sets.
        out_of_distribution: Distance of embeddings.
        metrics: Held-out results.
        sha256: Digest of every other file of the package, by relative path (SHA256SUMS lists the manifest's own).
    """

    schema_version: Literal[1]
    name: Annotated[str, Field(pattern=f"^{PACKAGE_NAME.pattern}$")]
    version: Annotated[PositiveInt, Field(lt=10**9)]
    task: Task
    title: str
    intended_use: str
    training_data: str
    created: datetime
    image: ModelGrid
    ehr: EhrSchema
    preprocessing_version: PositiveInt
    outputs: Outputs
    calibration: Calibration
    out_of_distribution: OutOfDistribution
    metrics: tuple[Metric, ...]
    sha256: dict[str, Sha256]

    @property
    def reference(self) -> Reference:
        """The name and the version that it states."""
        return Reference(self.name, self.version)

    @model_validator(mode="after")
    def _every_class_has_its_threshold(self) -> "Manifest":
        own = self.calibration.class_thresholds
        if own is not None and set(own) != {each.label for each in self.outputs.classes}:
            raise ValueError("class_thresholds must name every class label and no other")
        return self
