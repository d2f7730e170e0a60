"""Drift from image files on: phantoms that are written, read, brought to the grid and answered by a network, then shifted: one alert, and no other."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import nibabel as nib
import numpy as np
import pytest

from app.imaging.intensity import intensity_of
from app.imaging.load import load_case
from app.inference.calibration import mahalanobis
from app.inference.onnx_runtime.session import OnnxSession
from app.inference.predictor import Predictor
from app.metrics import Metrics
from app.model_package.package import Package
from app.model_package.training_summary import TRAINING_SUMMARY, TrainingSummary, distribution_of_numbers
from app.monitoring.drift import DriftWatch
from app.monitoring.observation import event_probability
from app.predictions.answering import Answered, answer_case
from app.predictions.case import Case
from app.records.store import RecordStore
from tests.monitoring.test_drift import as_rule_test, gauges, keep
from tests.support.promtool import failures_of_rules
from tests.support.synthetic_head import MR_RAW, affine, voxels

TRAINING: Final = 400
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


def answered(predictor: Predictor, folder: Path, image: Path, age: float) -> Answered:
    return answer_case(Case((image,), {"age": age}, "none"), predictor, folder)


def fitted(predictor: Predictor, folder: Path, cases: list[Answered]) -> Predictor:
    """The same network, had it been trained on the first half of these cases and calibrated on the second."""
    trained, held = np.split(np.array([each.analysis.outputs.embedding for each in cases], np.float64), 2)
    mean, precision = trained.mean(axis=0), np.linalg.pinv(np.cov(trained, rowvar=False))
    quantiles = np.quantile([mahalanobis(each, mean, precision) for each in held], np.linspace(0, 1, 101))
    np.savez(folder / "embedding.npz", mean=mean, precision=precision, quantiles=quantiles)
    (folder / TRAINING_SUMMARY).write_text(summary_of(cases).model_dump_json())
    package = predictor.package
    return Predictor(Package(folder, package.manifest, package.sha256), OnnxSession(package))


def summary_of(cases: list[Answered]) -> TrainingSummary:
    brightness = [intensity_of(each.analysis.image.array) for each in cases]
    spacings = [each.answer.image.spacing_mm for each in cases]
    ages = [float(each.answer.ehr.features[0].value or 0) for each in cases]
    events = [event_probability(each.answer) for each in cases]
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
            distribution_of_numbers("score", "event", events),
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
    ("shift", "older", "raised"),
    [
        (unshifted, 0, set()),
        (unshifted, 15, {("NeuroFuseRecordDrift", "age")}),
        (brighter, 0, {("NeuroFuseIntensityDrift", "p75"), ("NeuroFuseIntensityDrift", "p99")}),
        (thicker, 0, {("NeuroFuseSpacingDrift", "slice_mm")}),
    ],
)
def test_a_stream_of_phantoms_raises_the_alert_of_what_shifted_and_no_other(
    ad_predictor: Predictor, tmp_path: Path, shift: Shift, older: float, raised: set[tuple[str, str]]
) -> None:
    chance, image = np.random.default_rng(2), tmp_path / "phantom.nii"
    trained = [
        answered(ad_predictor, tmp_path, phantom(image, chance), float(chance.normal(65, 8)))
        for _ in range(TRAINING)
    ]
    predictor = fitted(ad_predictor, tmp_path, trained)
    records = RecordStore(tmp_path / "records.sqlite3")
    watch = DriftWatch(records.predictions, lambda: [predictor.package], Metrics().watch_faults)
    for _ in range(WATCHED):
        age = float(np.clip(chance.normal(65, 8) + older, 18, 110))
        found = answered(predictor, tmp_path, phantom(image, chance, shift), age)
        watch.see(found.answer, found.analysis.image.array)
        keep(records, [found.answer])
    watch.refresh()
    series = {name: f"{value}x30" for name, value in gauges(watch).items()}
    records.close()
    assert failures_of_rules(tmp_path, [as_rule_test(shift.__name__, series, raised, "30m")]) == ""
