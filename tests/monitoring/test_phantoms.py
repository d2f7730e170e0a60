"""Drift from image files on: phantoms that are written, read, brought to the grid and answered by a network, then shifted.

What comes in raises its own gauge and no other of what comes in. What goes out may follow: a network that sees other images answers otherwise.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import nibabel as nib
import numpy as np
import pytest

from app.imaging.intensity import intensity_of
from app.imaging.limits import DEFAULT_LIMITS
from app.imaging.load import load_case
from app.inference.predictor import ModelArray, Predictor
from app.model_package.package import Package
from app.model_package.training_summary import TRAINING_SUMMARY, TrainingSummary, distribution_of_numbers
from app.monitoring.drift import DriftWatch
from app.predictions.answer import Answer
from app.predictions.explain import Case, explain
from app.records.store import RecordStore
from tests.monitoring.test_drift import gauges, keep
from tests.support.synthetic_head import MR_RAW, affine, voxels

TRAINING: Final = 160
WATCHED: Final = 120
Shift = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
HEAD = voxels(MR_RAW).astype(np.float32)


def unshifted(drawn: np.ndarray, lattice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return drawn, lattice


def brighter(drawn: np.ndarray, lattice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return 1.6 * drawn, lattice


def thicker(drawn: np.ndarray, lattice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every other slice of the same head."""
    return drawn[:, :, ::2], lattice @ np.diag([1.0, 1.0, 2.0, 1.0])


def phantom(path: Path, chance: np.random.Generator, shift: Shift = unshifted) -> Path:
    """A head of some size, on a scanner of some scale."""
    size = np.diag([*chance.normal(1, 0.03, 3), 1.0])
    drawn, lattice = shift(HEAD * np.float32(chance.lognormal(0, 0.1)), size @ affine())
    nib.save(nib.nifti1.Nifti1Image(drawn, lattice), path)
    return path


def answered(predictor: Predictor, folder: Path, image: Path, age: float) -> tuple[Answer, ModelArray]:
    found = explain(Case((image,), {"age": age}, "none"), predictor, folder, DEFAULT_LIMITS)
    return found.answer, found.analysis.image.array


def summary_of(cases: list[tuple[Answer, ModelArray]]) -> TrainingSummary:
    brightness = [intensity_of(image) for _, image in cases]
    spacings = [answer.image.spacing_mm for answer, _ in cases]
    ages = [float(answer.ehr.features[0].value or 0) for answer, _ in cases]
    return TrainingSummary(
        schema_version=1,
        distributions=(
            distribution_of_numbers("record", "age", ages),
            *(
                distribution_of_numbers("intensity", name, [each[name] for each in brightness])
                for name in brightness[0]
            ),
            distribution_of_numbers("spacing", "in_plane_mm", [min(each) for each in spacings]),
            distribution_of_numbers("spacing", "slice_mm", [max(each) for each in spacings]),
        ),
        shares=(),
    )


def test_the_numbers_of_brightness_follow_the_scale_through_reading(
    ad_predictor: Predictor, tmp_path: Path
) -> None:
    spec = ad_predictor.package.manifest.image
    chance = [np.random.default_rng(1) for _ in range(3)]
    plain, bright, thick = (
        load_case([phantom(tmp_path / f"{shift.__name__}.nii", each, shift)], spec)
        for shift, each in zip((unshifted, brighter, thicker), chance, strict=True)
    )
    before = intensity_of(plain.image.array)
    assert intensity_of(bright.image.array) == pytest.approx(
        {name: 1.6 * value for name, value in before.items()}, rel=1e-3
    )
    # The share of air moves p75 a little on a grid this coarse; what is bright stays as bright.
    assert intensity_of(thick.image.array)["p99"] == pytest.approx(before["p99"], rel=0.02)
    assert max(thick.volume.grid.spacing_mm) == pytest.approx(2 * max(plain.volume.grid.spacing_mm), rel=1e-6)


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("NEUROFUSE_LONG"), reason="a minute: set NEUROFUSE_LONG")
@pytest.mark.parametrize(
    ("shift", "older", "kind"),
    [(unshifted, 0, None), (unshifted, 15, "record"), (brighter, 0, "intensity"), (thicker, 0, "spacing")],
)
def test_a_stream_of_phantoms_raises_the_gauge_of_what_shifted(
    ad_predictor: Predictor, tmp_path: Path, shift: Shift, older: float, kind: str | None
) -> None:
    chance, image = np.random.default_rng(2), tmp_path / "phantom.nii"
    trained = [
        answered(ad_predictor, tmp_path, phantom(image, chance), float(chance.normal(65, 8)))
        for _ in range(TRAINING)
    ]
    (tmp_path / TRAINING_SUMMARY).write_text(summary_of(trained).model_dump_json())
    package = Package(tmp_path, ad_predictor.package.manifest, ad_predictor.package.sha256)
    records = RecordStore(tmp_path / "records.sqlite3")
    watch = DriftWatch(records.predictions, lambda: [package])
    for _ in range(WATCHED):
        age = float(np.clip(chance.normal(65, 8) + older, 18, 110))
        answer, array = answered(ad_predictor, tmp_path, phantom(image, chance, shift), age)
        watch.see(answer, array)
        keep(records, [answer])
    watch.refresh()
    found = gauges(watch)
    raised = {
        name.split('kind="')[1].split('"')[0]
        for name, value in found.items()
        if name.startswith("neurofuse_drift{")
        and value > max(0.2, found[name.replace("neurofuse_drift{", "neurofuse_drift_by_chance{")])
    }
    records.close()
    assert raised - {"embedding", "score"} == ({kind} if kind else set())
