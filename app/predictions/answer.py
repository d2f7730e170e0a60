"""The answer to one case, as it is given and kept; the order of fields here is the order in the JSON."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from app.errors import AnswerUnreadableError
from app.imaging.series_choice import Kernel, Plane, Weighting
from app.imaging.volume import Modality
from app.model_package.manifest import Probability, Sha256, Task
from app.model_package.training_summary import Taken
from app.predictions.document import Document


class ModelUsed(Document):
    """What produced the answer."""

    name: Annotated[str, Field(description="Name of the model package.")]
    version: Annotated[int, Field(description="Its version; a version never changes.")]
    sha256: Annotated[Sha256, Field(description="Digest of the package, so that a result can be traced.")]
    intended_use: Annotated[str, Field(description="What the package may be used for.")]
    provider: Annotated[str, Field(description="ONNX Runtime execution provider that computed the answer.")]


class OutOfDistributionScore(Document):
    """How unlike the calibration cases this case is."""

    score: Annotated[Probability, Field(description="Share of calibration cases that are less unusual.")]
    threshold: Annotated[Probability, Field(description="Scores above are flagged.")]
    flagged: Annotated[bool, Field(description="Whether the case lies outside what the model knows.")]


class Outcome(Document):
    """What the model expects and how sure it is."""

    label: Annotated[str, Field(description="The most likely class.")]
    probabilities: Annotated[
        dict[str, Probability], Field(description="Calibrated probability of every class; they add up to 1.")
    ]
    favourable: Annotated[
        Probability | None,
        Field(description="Probability of a favourable outcome (GOS 4 or 5); null where the task has none."),
    ]
    prediction_set: Annotated[
        list[str], Field(description="Classes that hold the true one with probability `coverage`.")
    ]
    coverage: Annotated[Probability, Field(description="Nominal coverage of `prediction_set`.")]
    out_of_distribution: OutOfDistributionScore
    abstained: Annotated[
        bool, Field(description="The model does not commit itself; do not use `label` on its own.")
    ]


class FeatureUsed(Document):
    """What became of one feature of the record."""

    name: Annotated[str, Field(description="Name of the feature in the package's record schema.")]
    value: Annotated[float | str | None, Field(description="The value in the model's unit; null if missing.")]
    unit: Annotated[str | None, Field(description="UCUM unit of `value`; null for a category.")]
    status: Annotated[
        Literal["used", "converted", "missing"],
        Field(description="`converted`: the record gave another unit."),
    ]
    taken_as: Annotated[
        Taken | None,
        Field(
            description="What the network took the value for, where it lies beyond what training held: the highest or lowest number "
            "that it tells apart, or `missing` where training could not teach it: a category or a feature that no case had, or a number that all "
            "had alike. Null where it took the value as it is."
        ),
    ] = None


class Contribution(Document):
    """What one known feature of the record does to the answer."""

    name: Annotated[str, Field(description="Name of the feature in the package's record schema.")]
    effect: Annotated[
        float,
        Field(
            ge=-1,
            le=1,
            description="P as answered, less P with this one feature missing, all else equal. P is `favourable` where "
            "the task has it, else the probability of the package's last class (`ad`).",
        ),
    ]


class RecordUsed(Document):
    """How the record entered the answer."""

    image_share: Annotated[
        Probability, Field(description="Share of the fused evidence that came from the image.")
    ]
    features: Annotated[list[FeatureUsed], Field(description="Every feature of the package, in its order.")]
    contributions: Annotated[
        list[Contribution] | None,
        Field(
            description="Effect of every feature that was given, in the package's order; null unless `ehr` was to be "
            "explained. Effects do not add up: features act together."
        ),
    ] = None


class ImageFinding(Document):
    """Something about the image that a reader of the answer should know."""

    code: Annotated[str, Field(description="Stable identifier, such as `gantry-tilt-corrected`.")]
    detail: Annotated[str, Field(description="The finding in words, with numbers and units.")]


class SeriesSeen(Document):
    """One series of a DICOM upload, by what its headers declare; no name or number that leads to the patient."""

    number: Annotated[int | None, Field(description="Series Number, as on the scanner's console.")]
    modality: Annotated[str, Field(description="CT, MR or another.")]
    slices: Annotated[int, Field(description="Slices in the upload.")]
    plane: Annotated[Plane | None, Field(description="Plane of its slices; null where they have no place.")]
    gap_mm: Annotated[float | None, Field(description="Median distance between neighbouring slices.")]
    kernel: Annotated[Kernel, Field(description="CT: kind of reconstruction kernel.")]
    weighting: Annotated[Weighting, Field(description="MR: weighting by its times.")]
    has_contrast_agent: Annotated[bool, Field(description="Whether a contrast agent is named.")]
    reason: Annotated[str, Field(description="Why it was read, or why not.")]


class SeriesChosen(Document):
    """Which series of a DICOM upload was read, and why not the others."""

    chosen: SeriesSeen
    others: Annotated[list[SeriesSeen], Field(description="Every other series of the upload.")]


class ImageUsed(Document):
    """The image as it was read."""

    modality: Modality
    shape: Annotated[tuple[int, int, int], Field(description="Voxels along the axes of the patient's grid.")]
    spacing_mm: Annotated[
        tuple[float, float, float], Field(description="Millimetres between voxels, same axes.")
    ]
    orientation: Annotated[
        str, Field(description="Where each axis points: R or L, A or P, S or I.", pattern="^[RLAPSI]{3}$")
    ]
    series: Annotated[SeriesChosen | None, Field(description="Null for a NIfTI.")] = None
    findings: Annotated[list[ImageFinding], Field(description="What was noticed and corrected.")]


class HeatmapFiles(Document):
    """Where the heatmap lies."""

    nifti: Annotated[str, Field(description="NIfTI-1 file, values 0 to 1 (bytes with a slope).")]
    png: Annotated[str, Field(description="Picture of the heatmap over the image.")]


class Caution(Document):
    """Something that limits how the answer may be used."""

    code: Annotated[str, Field(description="Stable identifier, such as `out-of-distribution`.")]
    detail: Annotated[str, Field(description="The caution in words.")]


class Timing(Document):
    """Milliseconds per stage."""

    read: Annotated[int, Field(description="Reading the files.")]
    resample: Annotated[int, Field(description="Bringing the image to the model's grid.")]
    queue: Annotated[int, Field(description="Waiting for a place.")]
    inference: Annotated[int, Field(description="Running the network.")]
    heatmap: Annotated[int, Field(description="Bringing the heatmap back and writing it.")]
    total: Annotated[int, Field(description="From the first stage to the last, waiting included.")]


class Answer(Document):
    """The stored, explained prediction for one case."""

    id: Annotated[str, Field(description="UUID version 7 of this prediction.")]
    created: Annotated[datetime, Field(description="When it was made, UTC.")]
    release: Annotated[
        str | None,
        Field(
            description="Release of NeuroFuse that made it, so that what a later one mends can be found; null where it was made by 0.1.0 or "
            "by a development version before 0.2.0."
        ),
    ] = None
    task: Task
    model: ModelUsed
    prediction: Outcome
    ehr: RecordUsed
    image: ImageUsed
    heatmap: Annotated[HeatmapFiles | None, Field(description="Null where `none` was asked for.")]
    warnings: Annotated[list[Caution], Field(description="What limits the use of this answer.")]
    timing_ms: Timing


def read_answer(document: str) -> Answer | None:
    """A kept answer, without what a later release has added to it; None where it is damaged, or another release wrote what this one cannot read."""
    try:
        return Answer.model_validate_json(document, extra="ignore")
    except ValidationError:
        return None


def require_answer(document: str) -> Answer:
    """A kept answer.

    Raises:
        AnswerUnreadableError: Where `read_answer` finds none.
    """
    answer = read_answer(document)
    if answer is None:
        raise unreadable_answer()
    return answer


def unreadable_answer() -> AnswerUnreadableError:
    """The error that says so."""
    return AnswerUnreadableError(
        "Expected an answer as it was kept; it is damaged, or another release kept it. Send the case again, with another Idempotency-Key where it had one."
    )
