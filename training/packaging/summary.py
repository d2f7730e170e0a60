"""What the cases of training were like, for the service to hold its own against: `training_summary.json` of a run, taken over by the export.

What comes in is summarised over the training split, what goes out over the calibration split: on cases it was fitted to, a network is
surer than it will ever be again.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from app.ehr.schema import EhrSchema
from app.imaging.intensity import intensity_of
from app.imaging.read import read_image
from app.imaging.volume import Modality
from app.inference.calibration import set_members
from app.model_package.training_summary import (
    TRAINING_SUMMARY,
    Distribution,
    Share,
    TrainingSummary,
    distribution_of_categories,
    distribution_of_numbers,
)
from training.cohort import Case
from training.evaluation.answers import Answers, answers
from training.evaluation.distance import FLAG_ABOVE
from training.evaluation.fitted import Fitted
from training.files.whole_files import write_whole
from training.networks.record_inputs import Limits
from training.outcomes import outcome_classes
from training.predictions import Predictions
from training.prepare import PreparedSet
from training.runs import Opened

MOST_IMAGES: Final = 500
"""Images that are opened again, evenly over the split: more would not move a tenth of a distribution."""


def save_training_summary(run: Path, opened: Opened, predictions: Predictions, fitted: Fitted) -> None:
    """Write the summary of a network's run.

    Args:
        run: Its folder.
        opened: The run.
        predictions: What it answers.
        fitted: What was fitted after training.
    """
    checkpoint, cohort, parts = opened.checkpoint, opened.cohort, opened.parts
    held = answers(predictions, fitted.scaling, "calibration")
    labels = [each.label for each in outcome_classes(checkpoint.config.task, held.classes)]
    schema = cohort.description.ehr
    summary = TrainingSummary(
        schema_version=1,
        distributions=(
            *record_distributions(parts["train"], schema, checkpoint.net.ehr.standardise.limits()),
            *_images(parts["train"], cohort.part("train"), checkpoint.config.grid.modality),
            *scores(held, predictions.part("calibration"), labels),
        ),
        shares=(*missing_shares(parts["train"], schema), abstained(held, predictions, fitted)),
    )
    write_whole(run / TRAINING_SUMMARY, summary.model_dump_json(indent=1) + "\n")


def record_distributions(
    prepared: PreparedSet, schema: EhrSchema, limits: Mapping[int, Limits]
) -> Iterator[Distribution]:
    """Every feature, over the cases that have it; none of one that no case has.

    Args:
        prepared: The training split.
        schema: The record.
        limits: Between which values the network tells numbers apart, by column.
    """
    for column, feature in enumerate(schema.features):
        known = prepared.values[prepared.missing[:, column] == 0, column]
        if not len(known):
            continue
        if feature.kind == "categorical":
            yield distribution_of_categories(
                "record", feature.name, known.astype(np.int64).tolist(), feature.categories
            )
        else:
            found = distribution_of_numbers("record", feature.name, known)
            yield found.model_copy(update={"limits": limits.get(column)})


def missing_shares(prepared: PreparedSet, schema: EhrSchema) -> Iterator[Share]:
    """How often each feature is missing."""
    for column, feature in enumerate(schema.features):
        share = float(prepared.missing[:, column].mean())
        yield Share(kind="missing", name=feature.name, n=len(prepared), share=share)


def _images(prepared: PreparedSet, cases: Sequence[Case], modality: Modality) -> Iterator[Distribution]:
    some = range(0, len(prepared), -(-len(prepared) // MOST_IMAGES))
    found = [intensity_of(prepared.image(index)) for index in some]
    for name in found[0]:
        yield distribution_of_numbers("intensity", name, [each[name] for each in found])
    if not any(case.few_slices for case in cases):
        spacings = [read_image(cases[index].image, modality=modality).grid.spacing_mm for index in some]
        yield distribution_of_numbers("spacing", "in_plane_mm", [min(each) for each in spacings])
        yield distribution_of_numbers("spacing", "slice_mm", [max(each) for each in spacings])


def scores(held: Answers, predictions: Predictions, labels: Sequence[str]) -> Iterator[Distribution]:
    """What is answered: the event's probability, the label, the share of the image.

    Args:
        held: Calibrated answers of the calibration split.
        predictions: The same patients.
        labels: Of the classes, in order.
    """
    yield distribution_of_numbers("score", "event", held.event_probability)
    yield distribution_of_categories("score", "label", held.most_likely.tolist(), labels)
    if predictions.image_share.shape[1]:
        yield distribution_of_numbers("score", "image_share", predictions.image_share.mean(axis=1))


def abstained(held: Answers, predictions: Predictions, fitted: Fitted) -> Share:
    """As `app.inference.predictor` says it: flagged as unlike training, or a set of every class."""
    silent = set_members(held.probabilities, np.array(fitted.sets.thresholds), ordinal=held.graded).all(
        axis=1
    )
    if fitted.distances is not None:
        silent |= fitted.distances.score(predictions.part("calibration").embedding) > FLAG_ABOVE
    return Share(kind="answer", name="abstained", n=len(held), share=float(silent.mean()))
