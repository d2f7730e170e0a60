"""The test patients disturbed on purpose and answered again, each beside the patient as they were.

What is new on the model grid is answered in one batch per patient; nothing is kept but logits and distances.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64
from rich.progress import track

from app.ehr.schema import Feature
from app.errors import NeuroFuseError
from app.imaging.model_grid import ModelGrid
from app.imaging.read import read_image
from app.imaging.resample import to_model_grid
from app.imaging.volume import Volume
from app.model_package.manifest import Metric
from training.calibrate import Scaling
from training.checkpoint import Checkpoint
from training.cohort import Case, Cohort
from training.evaluation.answers import scaled_probabilities
from training.evaluation.bootstrap import Resamples, Statistic
from training.evaluation.budget import Budget
from training.evaluation.distance import FLAG_ABOVE, Distances
from training.evaluation.disturbances import GeometryChange, ImageChange, image_changes, record_changes
from training.evaluation.document import Disturbance
from training.evaluation.network_maps import sample
from training.evaluation.statistics import (
    auroc,
    calibration_slope,
    difference,
    mean,
    negative_log_likelihood,
    share,
)
from training.networks.model import FusionNet
from training.outcomes import event_from
from training.prepare import PreparedSet

BATCH = 16
Line = tuple[str, str]
"""Kind and level of a disturbance; the first line is the undisturbed patient."""
UNDISTURBED: Line = ("Undisturbed", "")
NO_IMAGE: Line = ("No image", "empty grid")
DRAWS = 1000


@dataclass(frozen=True)
class Variant:
    """One patient under one disturbance.

    Attributes:
        image: [1, D, H, W] on the model grid.
        missing: [F] flags of the record.
    """

    image: Float32[np.ndarray, "1 D H W"]
    missing: Float32[np.ndarray, " F"]


@dataclass(frozen=True)
class Answered:
    """Answers under one disturbance.

    Attributes:
        place: [M] which of the patients could be disturbed so.
        logits: [M, L].
        embedding: [M, d].
    """

    place: Int64[np.ndarray, " M"]
    logits: Float32[np.ndarray, "M L"]
    embedding: Float32[np.ndarray, "M d"]


def judge_robustness(
    checkpoint: Checkpoint,
    cohort: Cohort,
    test: PreparedSet,
    scaling: Scaling,
    distances: Distances | None = None,
    budget: Budget | None = None,
) -> tuple[Disturbance, ...]:
    """Disturb test patients and measure what becomes of the answers.

    Args:
        checkpoint: The run.
        cohort: Its cohort, in the run's splits.
        test: The prepared test split, in the cohort's order.
        scaling: Of the logits, fitted after training.
        distances: Of the embeddings; None leaves out `flagged`.
        budget: Most cases.

    Returns:
        One line per disturbance, the undisturbed patients first.
    """
    budget = budget or Budget()
    index = sample(test, budget.robustness, budget.seed)
    cases = cohort.part("test")
    found: dict[Line, list[tuple[int, np.ndarray, np.ndarray]]] = {}
    for place, i in enumerate(track(index, "Disturbing test patients")):
        variants = dict(_variants(checkpoint, cases[int(i)], test, int(i), budget.seed))
        for line, (logits, embedding) in _answers(checkpoint.net, test.values[i], variants).items():
            found.setdefault(line, []).append((place, logits, embedding))
    answered = {line: Answered(*map(np.array, zip(*rows, strict=True))) for line, rows in found.items()}
    return tuple(_lines(answered, test.labels[index], scaling, distances))


def _variants(
    checkpoint: Checkpoint, case: Case, test: PreparedSet, i: int, seed: int
) -> Iterator[tuple[Line, Variant]]:
    grid, missing = checkpoint.config.grid, test.missing[i]
    sees_image = checkpoint.net.config.fusion != "record"
    image = test.image(i)[None] if sees_image else np.zeros((1, 1, 1, 1), dtype=np.float32)
    yield UNDISTURBED, Variant(image, missing)
    if sees_image:
        volume = _acquired(case, grid)
        rng = np.random.default_rng([seed, i])
        for change in image_changes(grid.modality):
            disturbed = _disturbed(change, volume, image[0], grid, rng)
            if disturbed is not None:
                yield (change.kind, change.level), Variant(disturbed[None], missing)
        yield NO_IMAGE, Variant(np.full_like(image, grid.fill), missing)
    for kind, level, removed in record_changes(_told(checkpoint.features), seed):
        yield (kind, level), Variant(image, np.maximum(missing, removed(i)))


def _told(features: Sequence[Feature]) -> list[str]:
    """Titles; one that several features have, such as a pressure on arrival and later, with the name of each."""
    times = Counter(feature.title for feature in features)
    return [each.title if times[each.title] == 1 else f"{each.title} ({each.name})" for each in features]


def _acquired(case: Case, grid: ModelGrid) -> Volume | None:
    """The image as it was acquired; None where it is not one volume."""
    if case.few_slices:
        return None
    try:
        return read_image(case.image, modality=grid.modality)
    except NeuroFuseError:
        return None


def _disturbed(
    change: ImageChange,
    volume: Volume | None,
    image: Float32[np.ndarray, "D H W"],
    grid: ModelGrid,
    rng: np.random.Generator,
) -> Float32[np.ndarray, "D H W"] | None:
    """On the model grid; None where it cannot be done, or where the service would refuse the result."""
    if isinstance(change, GeometryChange):
        if volume is None:
            return None
        changed = change.apply(volume)
    elif volume is None:
        return change.apply(image, rng)
    else:
        changed = replace(volume, voxels=change.apply(volume.voxels, rng))
    try:
        return to_model_grid(changed, grid).array
    except NeuroFuseError:
        return None


@torch.no_grad()
def _answers(
    net: FusionNet, values: Float32[np.ndarray, " F"], variants: Mapping[Line, Variant]
) -> dict[Line, tuple[np.ndarray, np.ndarray]]:
    """Logits and embedding of every variant of one patient."""
    device = next(net.parameters()).device
    images = torch.from_numpy(np.stack([each.image for each in variants.values()]))
    missing = torch.from_numpy(np.stack([each.missing for each in variants.values()]))
    logits, embedding = [], []
    for some, flags in zip(torch.split(images, BATCH), torch.split(missing, BATCH), strict=True):
        record = torch.from_numpy(values).expand(len(some), -1)
        output = net(some.to(device), record.to(device), flags.to(device))
        logits.append(output.logits.float().cpu())
        embedding.append(output.embedding.float().cpu())
    return dict(
        zip(variants, zip(torch.cat(logits).numpy(), torch.cat(embedding).numpy(), strict=True), strict=True)
    )


def _lines(
    answered: Mapping[Line, Answered],
    labels: Int64[np.ndarray, " N"],
    scaling: Scaling,
    distances: Distances | None,
) -> Iterator[Disturbance]:
    before = scaled_probabilities(answered[UNDISTURBED].logits, scaling)
    first = event_from(before.shape[1])
    for (kind, level), each in answered.items():
        label, event = labels[each.place], labels[each.place] >= first
        now = scaled_probabilities(each.logits, scaling)
        p, was = now[:, first:].sum(axis=1), before[each.place, first:].sum(axis=1)
        numbers: dict[str, Statistic] = {
            "auroc": auroc(p, event),
            "nll": negative_log_likelihood(now, label),
            "calibration_slope": calibration_slope(p, event),
        }
        if (kind, level) != UNDISTURBED:
            numbers["auroc_change"] = difference(auroc(p, event), auroc(was, event))
            numbers["mean_change"] = mean(np.abs(p - was))
        if distances is not None:
            numbers["flagged"] = share(distances.score(each.embedding) > FLAG_ABOVE)
        yield Disturbance(kind=kind, level=level, metrics=_measured(numbers, event))


def _measured(numbers: dict[str, Statistic], event: Bool[np.ndarray, " M"]) -> tuple[Metric, ...]:
    return Resamples(len(event), draws=DRAWS, event=event).metrics(numbers)
