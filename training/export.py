"""A trained, evaluated run becomes a sealed model package: exported, re-opened from raw files, compared, then published.

The package appears in the store by one atomic rename, and only after the service's own code has read the golden image
from its file and given PyTorch's answer (absolute difference of probabilities <= 1e-4).
"""

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from app.errors import GoldenMismatchError
from app.imaging.model_grid import PREPROCESSING_VERSION
from app.inference.case import Analysis, analyse
from app.inference.predictor import Predictor
from app.inference.self_test import make_golden_case, self_test
from app.inference.session import OnnxSession
from app.model_package.manifest import (
    Calibration,
    Heatmap,
    Manifest,
    Metric,
    OutOfDistribution,
    OutputClass,
    Outputs,
)
from app.model_package.package import CARD, GOLDEN_CASE, GOLDEN_FOLDER, MODEL, Package, open_package, seal
from app.model_package.store import ModelStore
from training.cohort import CohortDescription
from training.golden import write_golden_image
from training.model_card import model_card
from training.networks.serving_graph import ServingGraph
from training.onnx_graph import write_onnx
from training.train import Checkpoint

PARITY = 1e-4
"""Largest difference of a probability between PyTorch and the package, float32."""
FLAG_ABOVE = 0.99
"""Share of calibration cases that must lie nearer for a case to be flagged."""
OUT_OF_DISTRIBUTION_FILE = "embedding.npz"
CLASSES = {
    "gos": (
        OutputClass(label="gos_1", title="Dead"),
        OutputClass(label="gos_2", title="Vegetative state"),
        OutputClass(label="gos_3", title="Severe disability"),
        OutputClass(label="gos_4", title="Moderate disability"),
        OutputClass(label="gos_5", title="Good recovery"),
    ),
    "ad": (
        OutputClass(label="cn", title="Cognitively normal"),
        OutputClass(label="ad", title="Alzheimer's disease"),
    ),
}
TITLES = {
    "gos": "Glasgow Outcome Scale after intracerebral haemorrhage, from head CT and admission record",
    "ad": "Alzheimer's disease or cognitively normal, from T1 brain MRI and record",
}
INTENDED_USE = {
    True: "Demonstration only: trained on phantoms (synthetic images and records), not for clinical use.",
    False: "Research use on the population it was trained on; not for treatment or withdrawal decisions.",
}
"""By whether the cohort is made of phantoms."""


@dataclass(frozen=True)
class Judged:
    """What evaluation left in the run's folder."""

    calibration: dict[str, Any]
    counts: dict[str, int]
    epochs: dict[str, int]
    metrics: tuple[Metric, ...]


def export_run(
    checkpoint: Checkpoint, cohort: CohortDescription, run: Path, store_root: Path, version: int
) -> Package:
    """Write, prove and publish a package.

    Args:
        checkpoint: The trained network.
        cohort: What it was trained on.
        run: Folder with calibration.json, evaluation.json and embedding.npz.
        store_root: The model store.
        version: Integer version.

    Raises:
        GoldenMismatchError: The package does not answer as PyTorch does; nothing is published.
        PackageExistsError: The version is taken.
    """
    judged = _judged(run)
    graph = ServingGraph(
        checkpoint.net, slope=judged.calibration["slope"], intercept=judged.calibration["intercept"]
    ).eval()
    manifest = _manifest(checkpoint, cohort, judged, version)
    store = ModelStore(store_root)
    with store.staging() as folder:
        write_onnx(graph, checkpoint.config.grid.shape, len(checkpoint.features), folder / MODEL)
        shutil.copyfile(run / "embedding.npz", folder / OUT_OF_DISTRIBUTION_FILE)
        (folder / CARD).write_text(
            model_card(manifest, checkpoint.config, judged.counts, judged.epochs), encoding="utf-8"
        )
        _with_golden_case(folder, manifest, graph)
        self_test(_predictor(open_package(folder)))
        return store.publish(folder)


def _judged(run: Path) -> Judged:
    evaluation = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))
    return Judged(
        calibration=json.loads((run / "calibration.json").read_text(encoding="utf-8")),
        counts=evaluation["counts"],
        epochs=evaluation["epochs"],
        metrics=tuple(Metric.model_validate(metric) for metric in evaluation["metrics"]),
    )


def _manifest(checkpoint: Checkpoint, cohort: CohortDescription, judged: Judged, version: int) -> Manifest:
    config, fit = checkpoint.config, judged.calibration
    phantoms = cohort.source == "phantoms"
    return Manifest(
        schema_version=1,
        name=config.name,
        version=version,
        task=config.task,
        title=TITLES[config.task],
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
        calibration=Calibration(
            method="platt" if config.task == "ad" else "temperature",
            parameters={"slope": fit["slope"], "intercept": fit["intercept"]},
            conformal_threshold=fit["conformal_threshold"],
            coverage=fit["coverage"],
            n=fit["n"],
        ),
        out_of_distribution=OutOfDistribution(
            method="mahalanobis", file=OUT_OF_DISTRIBUTION_FILE, threshold=FLAG_ABOVE
        ),
        metrics=judged.metrics,
        sha256={},
    )


def _outputs(checkpoint: Checkpoint) -> Outputs:
    config = checkpoint.config
    geometry = ServingGraph(checkpoint.net).heatmap_geometry(config.grid.shape)
    return Outputs(
        classes=CLASSES[config.task],
        ordinal=config.task == "gos",
        favourable=("gos_4", "gos_5") if config.task == "gos" else (),
        heads=config.model.gmu.heads,
        embedding_size=config.model.gmu.width,
        heatmap=Heatmap(shape=geometry.shape, to_model_grid=geometry.to_model_grid),
    )


def _with_golden_case(folder: Path, manifest: Manifest, graph: ServingGraph) -> None:
    """Seal, answer the golden image from its file, compare with PyTorch, store the answer, seal again."""
    (folder / GOLDEN_FOLDER).mkdir()
    image, record = write_golden_image(manifest.task, folder / GOLDEN_FOLDER)
    predictor = _predictor(seal(folder, manifest))
    _check_parity(analyse([folder / GOLDEN_FOLDER / image], record, predictor), graph)
    case = make_golden_case(predictor, [image], record)
    (folder / GOLDEN_CASE).write_text(case.model_dump_json(indent=2) + "\n", encoding="utf-8")
    seal(folder, manifest)


def _check_parity(answer: Analysis, graph: ServingGraph) -> None:
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
    if not difference <= PARITY:
        raise GoldenMismatchError(
            f"PyTorch and the exported package differ by {difference:.2g} (allowed {PARITY:.0e})"
        )


def _predictor(package: Package) -> Predictor:
    return Predictor(package, OnnxSession(package))
