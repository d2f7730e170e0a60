"""A real small model package, made in a moment and without torch: for every test that needs something to serve."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np

from app.ehr.reference import AD_SCHEMA, GOS_SCHEMA
from app.imaging.model_grid import PREPROCESSING_VERSION, ModelGrid
from app.imaging.volume import Modality
from app.inference.onnx_runtime.session import OnnxSession
from app.inference.predictor import Predictor
from app.inference.self_test import make_golden_case
from app.model_package.manifest import (
    Calibration,
    Heatmap,
    Manifest,
    Metric,
    OutOfDistribution,
    OutputClass,
    Outputs,
    Task,
)
from app.model_package.package import CARD, GOLDEN_CASE, MODEL, Package, seal
from app.model_package.store import ModelStore
from tests.support.synthetic_head import CT_HU, MR_RAW, write_head
from tests.support.tiny_graph import EMBEDDING, HEADS, IMAGE_WEIGHT, POOL, heatmap_shape, write_tiny_graph

GOLDEN_IMAGE = "head.nii.gz"
SHAPE = (16, 44, 36)
RECORDS: dict[Task, dict[str, float | str]] = {
    "gos": {"age": 71, "gcs": 9, "sex": "female", "glucose": 8.2, "anticoagulant": "yes"},
    "ad": {"age": 71, "apoe4_alleles": 1, "sex": "male", "education_years": 12},
}
CLASSES: dict[Task, tuple[str, ...]] = {
    "gos": tuple(f"gos_{grade}" for grade in range(1, 6)),
    "ad": ("cn", "ad"),
}


def build_tiny_package(
    root: Path,
    task: Task = "gos",
    name: str | None = None,
    version: int = 1,
    *,
    image_weight: float = IMAGE_WEIGHT,
    shape: tuple[int, int, int] = SHAPE,
) -> Path:
    """Build, seal and publish a package into the store at `root`.

    Args:
        root: Folder of a model store, made where absent.
        task: What it answers.
        name: Package name; the task's where None.
        version: Its version.
        image_weight: Of its graph: packages of another weight give other answers.
        shape: Of its grid.

    Returns:
        The package's folder, `<root>/<name>/<version>`.
    """
    store = ModelStore(root)
    with store.staging() as folder:
        manifest = tiny_manifest(task, name or task, version, shape)
        _write_files(folder, manifest, image_weight)
        case = make_golden_case(_predictor(seal(folder, manifest)), [GOLDEN_IMAGE], RECORDS[task])
        (folder / GOLDEN_CASE).write_text(case.model_dump_json(indent=2), encoding="utf-8")
        seal(folder, manifest)
        return store.publish(folder).path


def tiny_manifest(task: Task, name: str, version: int, shape: tuple[int, int, int] = SHAPE) -> Manifest:
    """Say what the package is, before it has digests."""
    return Manifest(
        schema_version=1,
        name=name,
        version=version,
        task=task,
        title=f"Tiny test package for {task}",
        intended_use="Tests of the software only.",
        training_data="None: its weights are written by hand.",
        created=datetime(2026, 1, 1, tzinfo=UTC),
        image=_grid(task, shape),
        ehr=GOS_SCHEMA if task == "gos" else AD_SCHEMA,
        preprocessing_version=PREPROCESSING_VERSION,
        outputs=_outputs(task, shape),
        calibration=Calibration(
            method="temperature",
            parameters={"temperature": 1.0},
            conformal_threshold=0.18,
            coverage=0.9,
            n=100,
        ),
        out_of_distribution=OutOfDistribution(method="mahalanobis", file="embedding.npz", threshold=0.95),
        metrics=(Metric(name="auroc", value=0.5, low=0.4, high=0.6, n=100),),
        sha256={},
    )


def _grid(task: Task, shape: tuple[int, int, int]) -> ModelGrid:
    unit: Literal["HU", "raw"] = "HU" if task == "gos" else "raw"
    return ModelGrid(
        modality=Modality.CT if task == "gos" else Modality.MR,
        shape=shape,
        spacing_mm=(10.0, 5.0, 5.0),
        orientation="RAS",
        crop="head-top",
        channels=1,
        intensity_unit=unit,
        fill=-1024.0 if unit == "HU" else 0.0,
    )


def _outputs(task: Task, shape: tuple[int, int, int]) -> Outputs:
    # Heatmap voxel d' is the mean of model voxels 4d'..4d'+3, so its centre lies at 4d' + 1.5.
    centre = (POOL - 1) / 2
    return Outputs(
        classes=tuple(OutputClass(label=label, title=label) for label in CLASSES[task]),
        ordinal=task == "gos",
        favourable=("gos_4", "gos_5") if task == "gos" else (),
        heads=HEADS,
        embedding_size=EMBEDDING,
        heatmap=Heatmap(
            shape=heatmap_shape(_grid(task, shape)),
            to_model_grid=((POOL, 0, 0, centre), (0, POOL, 0, centre), (0, 0, POOL, centre), (0, 0, 0, 1)),
        ),
    )


def _write_files(folder: Path, manifest: Manifest, image_weight: float) -> None:
    classes = len(manifest.outputs.classes)
    write_tiny_graph(folder / MODEL, manifest.image, manifest.ehr, classes, image_weight)
    np.savez(
        folder / manifest.out_of_distribution.file,
        mean=np.zeros(EMBEDDING),
        precision=np.eye(EMBEDDING),
        quantiles=np.linspace(0, 2.5, 101),
    )
    (folder / CARD).write_text(f"# {manifest.title}\n", encoding="utf-8")
    (folder / GOLDEN_CASE).parent.mkdir()
    write_head((folder / GOLDEN_CASE).with_name(GOLDEN_IMAGE), CT_HU if manifest.task == "gos" else MR_RAW)


def _predictor(package: Package) -> Predictor:
    return Predictor(package, OnnxSession(package, provider="cpu"))
