from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.model_package.manifest import Manifest, Outputs
from app.model_package.naming import PACKAGE_VERSION
from tests.support.tiny_package import tiny_manifest

MANIFEST = tiny_manifest("gos", "gos", 1)


def classes(*labels: str) -> list[dict[str, str]]:
    return [{"label": label, "title": label} for label in labels]


def test_a_manifest_survives_json() -> None:
    assert Manifest.model_validate_json(MANIFEST.model_dump_json()) == MANIFEST


def test_a_version_is_one_that_a_store_finds() -> None:
    stored = MANIFEST.model_dump()
    assert Manifest.model_validate(stored | {"version": 10**9 - 1}).version == 10**9 - 1
    assert PACKAGE_VERSION.fullmatch(str(10**9 - 1))
    assert not PACKAGE_VERSION.fullmatch(str(10**9))
    with pytest.raises(ValidationError, match="version"):
        Manifest.model_validate(stored | {"version": 10**9})


def test_nothing_has_a_default() -> None:
    stored = MANIFEST.model_dump()
    for field in stored:
        with pytest.raises(ValidationError, match=field):
            Manifest.model_validate({key: value for key, value in stored.items() if key != field})


def test_a_manifest_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        MANIFEST.version = 2  # type: ignore[misc]


def own_thresholds(**changes: float) -> dict[str, Any]:
    """The manifest with a threshold for each class."""
    thresholds = {f"gos_{grade}": 0.1 * grade for grade in range(1, 6)} | changes
    stored = MANIFEST.model_dump()
    stored["calibration"] |= {
        "conformal_threshold": None,
        "class_thresholds": {label: {"threshold": value, "n": 20} for label, value in thresholds.items()},
    }
    return stored


def test_one_threshold_counts_for_every_class() -> None:
    assert MANIFEST.calibration.thresholds(["gos_1", "gos_2"]) == (0.18, 0.18)


def test_thresholds_of_classes_come_in_the_order_asked_for() -> None:
    manifest = Manifest.model_validate(own_thresholds())
    assert Manifest.model_validate_json(manifest.model_dump_json()) == manifest
    assert manifest.calibration.thresholds(["gos_3", "gos_1"]) == pytest.approx((0.3, 0.1))


def test_thresholds_of_one_kind_are_asked_for() -> None:
    both, none = own_thresholds(), own_thresholds()
    both["calibration"]["conformal_threshold"] = 0.2
    none["calibration"]["class_thresholds"] = None
    for stored in (both, none):
        with pytest.raises(ValidationError, match="either conformal_threshold or class_thresholds"):
            Manifest.model_validate(stored)


def test_every_class_needs_its_threshold_and_no_other_may_have_one() -> None:
    with pytest.raises(ValidationError, match="every class label"):
        Manifest.model_validate(own_thresholds(gos_6=0.1))


@pytest.mark.parametrize("task", ["gos", "ad"])
def test_packages_of_the_first_kind_still_load_with_their_one_threshold(task: str) -> None:
    stored = Path(__file__).parents[2] / "model_store" / task / "1" / "manifest.json"
    calibration = Manifest.model_validate_json(stored.read_bytes()).calibration
    assert calibration.class_thresholds is None
    assert calibration.thresholds(["a", "b"]) == (calibration.conformal_threshold,) * 2


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"classes": classes("gos_4")}, "at least two"),
        ({"classes": classes("gos_4", "gos_4")}, "labels of their own"),
        ({"favourable": ["gos_6"]}, "favourable"),
        ({"favourable": ["gos_4", "gos_4"]}, "favourable"),
    ],
)
def test_classes_that_contradict_each_other_are_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Outputs.model_validate(MANIFEST.outputs.model_dump() | changes)
