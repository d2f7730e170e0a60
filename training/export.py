"""A trained, evaluated run becomes a sealed model package: exported, re-opened from raw files, compared, then published.

The package appears in the store by one atomic rename, and only after the service's own code has read the golden image
from its file and given PyTorch's answer (absolute difference of probabilities <= 1e-4; 2e-3 in float16).
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch

from app.errors import GoldenMismatchError
from app.imaging.model_grid import PREPROCESSING_VERSION
from app.imaging.volume import Modality
from app.inference.case import Analysis, analyse
from app.inference.onnx_runtime.session import OnnxSession
from app.inference.predictor import Predictor
from app.inference.self_test import PROBABILITY_TOLERANCE, make_golden_case, self_test
from app.model_package.manifest import (
    Calibration,
    ClassThreshold,
    Heatmap,
    Manifest,
    OutOfDistribution,
    Outputs,
)
from app.model_package.naming import Reference, Task
from app.model_package.package import CARD, GOLDEN_CASE, GOLDEN_FOLDER, MODEL, Package, open_package, seal
from app.model_package.store import ModelStore
from app.model_package.training_summary import TRAINING_SUMMARY
from training.checkpoint import Checkpoint
from training.cohort import CohortDescription, CohortError
from training.config import require_package_name
from training.evaluation.answers import is_graded
from training.evaluation.distance import EMBEDDING_FILE, FLAG_ABOVE
from training.evaluation.document import EVALUATION_FILE, Evaluation, load_evaluation
from training.evaluation.fitted import CALIBRATION_FILE, CalibrationFile, load_calibration
from training.names import Precision
from training.networks.config import CLASSES
from training.networks.serving_graph import ServingGraph
from training.outcomes import favourable_labels, outcome_classes
from training.packaging.golden import write_golden_case
from training.packaging.model_card import model_card
from training.packaging.onnx_graph import halve, write_onnx
from training.packaging.onnx_planes import convolve_by_planes
from training.packaging.served import why_not_served

PARITY: Mapping[Precision, float] = MappingProxyType({"float32": 1e-4, "float16": 2e-3})
"""Largest difference of a probability between PyTorch, which computes in float32, and the package."""
GOLDEN_TOLERANCE: Mapping[Precision, float] = MappingProxyType(
    {"float32": PROBABILITY_TOLERANCE, "float16": 5e-3}
)
"""Between the machine that exports and the one that serves: devices round the third digit of float16 each in their own way."""
TITLES = {
    "gos": "Glasgow Outcome Scale after intracerebral haemorrhage, from {image} and admission record",
    "ad": "Alzheimer's disease or cognitively normal, from {image} and record",
}
IMAGES = {
    "gos": {Modality.CT: "head CT", Modality.MR: "brain MRI"},  # of a haemorrhage seldom T1
    "ad": {Modality.CT: "head CT", Modality.MR: "T1 brain MRI"},
}
INTENDED_USE = {
    True: "Demonstration only: trained on phantoms (synthetic images and records), not for clinical use.",
    False: "Research use on the population it was trained on; not for treatment or withdrawal decisions.",
}
"""By whether the cohort is made of phantoms."""


@dataclass(frozen=True)
class Judged:
    """What evaluation left in the run's folder."""

    calibration: CalibrationFile
    evaluation: Evaluation


def export_run(
    checkpoint: Checkpoint,
    cohort: CohortDescription,
    run: Path,
    store: ModelStore,
    version: int,
    precision: Precision = "float32",
) -> Package:
    """Write, prove and publish a package.

    Args:
        checkpoint: The trained network.
        cohort: What it was trained on.
        run: Folder with calibration.json, evaluation.json and embedding.npz.
        store: The model store.
        version: Integer version.
        precision: Of the arithmetic inside the graph; `float16` is for GPUs, `float32` is arranged for CPUs
            (`training.packaging.onnx_planes`) and runs on either.

    Raises:
        CohortError: The run's name is none of a package; the network has no heatmap or no share of the image to tell, or reads what the service does not; or the run
            has not been evaluated; or the cohort's description is not the one it was trained by.
        GoldenMismatchError: The package does not answer as PyTorch does; nothing is published.
        PackageExistsError: The version is taken.
    """
    require_package_name(checkpoint.config.name)
    store.refuse_taken(Reference(checkpoint.config.name, version))
    if why_not := why_not_served(checkpoint.net, len(cohort.images)):
        raise CohortError(why_not)
    checkpoint.require_record_of(cohort)
    judged = _judged(run)
    graph = ServingGraph(
        checkpoint.net, slope=judged.calibration.slope, intercept=judged.calibration.intercept
    ).eval()
    manifest = _manifest(checkpoint, cohort, judged, version)
    with store.staging() as folder:
        write_onnx(graph, checkpoint.config.grid.shape, len(checkpoint.features), folder / MODEL)
        if precision == "float16":
            halve(folder / MODEL)
        else:
            convolve_by_planes(folder / MODEL)
        shutil.copyfile(run / EMBEDDING_FILE, folder / EMBEDDING_FILE)
        if (run / TRAINING_SUMMARY).is_file():  # a run that was evaluated before there were any has none
            shutil.copyfile(run / TRAINING_SUMMARY, folder / TRAINING_SUMMARY)
        card = model_card(manifest, checkpoint.config, judged.evaluation, precision)
        (folder / CARD).write_text(card, encoding="utf-8")
        _with_golden_case(folder, manifest, graph, precision)
        self_test(_predictor(open_package(folder)))
        return store.publish(folder)


def _judged(run: Path) -> Judged:
    if not all((run / name).is_file() for name in (CALIBRATION_FILE, EVALUATION_FILE)):
        raise CohortError(
            f"expected {CALIBRATION_FILE} and {EVALUATION_FILE} in the run's folder, found one or both missing; run "
            "`python -m training evaluate` first"
        )
    return Judged(calibration=load_calibration(run), evaluation=load_evaluation(run))


def _manifest(checkpoint: Checkpoint, cohort: CohortDescription, judged: Judged, version: int) -> Manifest:
    config = checkpoint.config
    phantoms = cohort.of_phantoms
    return Manifest(
        schema_version=1,
        name=config.name,
        version=version,
        task=config.task,
        title=title_of(config.task, config.grid.modality),
        intended_use=INTENDED_USE[phantoms],
        training_data="Phantoms: synthetic heads, records and outcomes drawn from a documented risk model "
        "(docs/concepts/phantoms.md); no patient was involved."
        if phantoms
        else cohort.source,
        created=datetime.now(UTC).replace(microsecond=0),
        image=config.grid,
        ehr=cohort.ehr,
        preprocessing_version=PREPROCESSING_VERSION,
        outputs=_outputs(checkpoint),
        calibration=_calibration(checkpoint, judged.calibration),
        out_of_distribution=OutOfDistribution(
            method="mahalanobis", file=EMBEDDING_FILE, threshold=FLAG_ABOVE
        ),
        metrics=judged.evaluation.metrics,
        sha256={},
    )


def title_of(task: Task, modality: Modality) -> str:
    """What a package answers and from what, for people: an outcome after a haemorrhage may be read from MR too, and dementia from CT."""
    return TITLES[task].format(image=IMAGES[task][modality])


def _calibration(checkpoint: Checkpoint, fit: CalibrationFile) -> Calibration:
    outcome = checkpoint.config.model.head.outcome
    labels = (each.label for each in outcome_classes(checkpoint.config.task, CLASSES[outcome]))
    return Calibration(
        method="platt" if outcome == "binary" else "temperature",
        parameters={"slope": fit.slope, "intercept": fit.intercept},
        class_thresholds={
            label: ClassThreshold(threshold=threshold, n=n)
            for label, threshold, n in zip(labels, fit.thresholds, fit.cases, strict=True)
        },
        coverage=fit.coverage,
        n=fit.n,
    )


def _outputs(checkpoint: Checkpoint) -> Outputs:
    config = checkpoint.config
    classes = CLASSES[config.model.head.outcome]
    geometry = ServingGraph(checkpoint.net).heatmap_geometry(config.grid.shape)
    return Outputs(
        classes=outcome_classes(config.task, classes),
        ordinal=is_graded(classes),
        favourable=favourable_labels(config.task, classes),
        heads=checkpoint.net.heads,
        embedding_size=checkpoint.net.embedding_size,
        heatmap=Heatmap(shape=geometry.shape, to_model_grid=geometry.to_model_grid),
    )


def _with_golden_case(folder: Path, manifest: Manifest, graph: ServingGraph, precision: Precision) -> None:
    """Seal, answer the golden image from its file, compare with PyTorch, store the answer, seal again."""
    (folder / GOLDEN_FOLDER).mkdir()
    image, record = write_golden_case(manifest.image.modality, manifest.ehr, folder / GOLDEN_FOLDER)
    predictor = _predictor(seal(folder, manifest))
    _check_parity(analyse([folder / GOLDEN_FOLDER / image], record, predictor), graph, PARITY[precision])
    case = make_golden_case(predictor, [image], record, GOLDEN_TOLERANCE[precision])
    (folder / GOLDEN_CASE).write_text(case.model_dump_json(indent=2) + "\n", encoding="utf-8")
    seal(folder, manifest)


def _check_parity(answer: Analysis, graph: ServingGraph, allowed: float) -> None:
    """PyTorch on the very arrays that the package answered from."""
    with torch.no_grad():
        probabilities = graph(
            torch.from_numpy(answer.image.array)[None, None],
            torch.from_numpy(answer.record.values)[None],
            torch.from_numpy(answer.record.missing)[None],
        )[0]
    difference = float(
        np.abs(probabilities.numpy()[0] - np.array(list(answer.outputs.probabilities.values()))).max()
    )
    if not difference <= allowed:
        raise GoldenMismatchError(
            f"PyTorch and the exported package differ by {difference:.2g} (allowed {allowed:.0e})"
        )


def _predictor(package: Package) -> Predictor:
    return Predictor(package, OnnxSession(package))
