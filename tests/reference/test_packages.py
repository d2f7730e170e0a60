"""What the shipped packages promise: size, honesty, self-test, and held-out numbers good enough to ship."""

from pathlib import Path

import pytest

from app.inference.predictor import Predictor
from app.inference.self_test import self_test
from app.model_package.manifest import Manifest

LARGEST_BYTES = 5_000_000


@pytest.fixture(params=["gos", "ad"])
def predictor(request: pytest.FixtureRequest) -> Predictor:
    found: Predictor = request.getfixturevalue(request.param)
    return found


def value(manifest: Manifest, name: str) -> float:
    return next(metric.value for metric in manifest.metrics if metric.name == name)


def test_the_golden_case_gives_the_stored_answer(predictor: Predictor) -> None:
    self_test(predictor)


def test_the_package_is_small_enough_to_ship(predictor: Predictor) -> None:
    files = [file for file in predictor.package.path.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= LARGEST_BYTES


def test_it_says_that_it_is_a_demonstration(predictor: Predictor) -> None:
    manifest = predictor.package.manifest
    assert "phantoms" in manifest.intended_use
    assert "not for clinical use" in manifest.intended_use
    card = Path(predictor.package.path / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert manifest.intended_use in card
    assert "guided by masks" in card


def test_held_out_numbers_stand_beside_their_ceiling_and_sets_cover(predictor: Predictor) -> None:
    manifest = predictor.package.manifest
    assert all(metric.n >= 500 for metric in manifest.metrics)
    assert value(manifest, "auroc") < value(manifest, "auroc_attainable")
    assert value(manifest, "calibration_slope") > 0
    # Three standard deviations of a share of 90 % that is set on 400 cases and measured on 500.
    assert value(manifest, "set_coverage") == pytest.approx(0.9, abs=0.06)


def test_gos_is_near_the_ceiling_and_calibrated(gos: Predictor) -> None:
    assert value(gos.package.manifest, "auroc_share_of_attainable") >= 0.95
    assert 0.8 <= value(gos.package.manifest, "calibration_slope") <= 1.25


def test_ad_comes_near_the_ceiling_and_is_calibrated(ad: Predictor) -> None:
    assert value(ad.package.manifest, "auroc_share_of_attainable") >= 0.9
    assert 0.8 <= value(ad.package.manifest, "calibration_slope") <= 1.25


RECORD_ALONE = {"auroc_gain_over_record", "auroc_gain_over_ehr-lr", "auroc_gain_over_ehr-gbm"}


def test_it_gains_over_every_rival_it_names_the_record_alone_among_them(predictor: Predictor) -> None:
    manifest = predictor.package.manifest
    gains = {
        metric.name: metric.low for metric in manifest.metrics if metric.name.startswith("auroc_gain_over_")
    }
    assert gains.keys() & RECORD_ALONE
    assert min(gains.values()) > 0


def test_the_image_alone_was_passed_by_the_first_version(gos_1: Predictor) -> None:
    assert next(m.low for m in gos_1.package.manifest.metrics if m.name == "auroc_gain_over_image") > 0


def test_the_first_version_still_loads_and_answers(gos_1: Predictor) -> None:
    self_test(gos_1)
    assert gos_1.package.manifest.calibration.conformal_threshold is not None


def test_the_newest_promises_coverage_for_each_class(gos: Predictor) -> None:
    thresholds = gos.package.manifest.calibration.class_thresholds
    assert thresholds is not None
    assert list(thresholds) == [each.label for each in gos.package.manifest.outputs.classes]


def test_it_looks_where_it_should(predictor: Predictor) -> None:
    # The bleed for gos, the hippocampi for ad.
    assert value(predictor.package.manifest, "heatmap_peak_in_mask") >= 0.9
