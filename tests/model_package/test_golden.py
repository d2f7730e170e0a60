import json
import math
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.errors import GoldenMismatchError, PackageInvalidError
from app.model_package.golden import GoldenCase, check, read_golden_case
from app.model_package.package import Package
from app.model_package.store import ModelStore

CASE = GoldenCase(
    images=("head.nii.gz",),
    record={"age": 71},
    task="ad",
    probabilities={"cn": 0.3, "ad": 0.7},
    favourable=None,
    heatmap_peak_mm=(10.0, -20.0, 30.0),
    tolerance=1e-3,
    peak_tolerance_mm=5.0,
)


def answer(cn: float = 0.3) -> dict[str, float]:
    return {"cn": cn, "ad": 1 - cn}


def test_the_same_answer_passes() -> None:
    check(CASE, answer(), None, (10.0, -20.0, 30.0))


def test_an_answer_within_the_tolerances_passes() -> None:
    check(CASE, answer(0.3009), None, (13.0, -16.1, 30.0))


@pytest.mark.parametrize("cn", [0.302, 0.298, 0.7, math.nan])
def test_another_probability_fails(cn: float) -> None:
    with pytest.raises(GoldenMismatchError, match="probability"):
        check(CASE, answer(cn), None, CASE.heatmap_peak_mm)


@pytest.mark.parametrize("peak", [(-10.0, -20.0, 30.0), (10.0, -20.0, 35.1), (math.nan, -20.0, 30.0)])
def test_another_peak_fails(peak: tuple[float, float, float]) -> None:
    with pytest.raises(GoldenMismatchError, match="peak"):
        check(CASE, answer(), None, peak)


def test_other_classes_fail() -> None:
    with pytest.raises(GoldenMismatchError, match="mci"):
        check(CASE, answer() | {"mci": 0.0}, None, CASE.heatmap_peak_mm)


def test_a_favourable_outcome_is_compared_too() -> None:
    case = CASE.model_copy(update={"favourable": 0.7})
    check(case, answer(), 0.7, CASE.heatmap_peak_mm)
    for favourable in (None, 0.6):
        with pytest.raises(GoldenMismatchError):
            check(case, answer(), favourable, CASE.heatmap_peak_mm)


@pytest.mark.parametrize("name", ["../head.nii.gz", "/etc/passwd", "sub/head.nii", ".hidden", ""])
def test_images_lie_beside_the_case(name: str) -> None:
    with pytest.raises(ValidationError):
        GoldenCase.model_validate(CASE.model_dump() | {"images": [name]})


@pytest.fixture
def package(tiny_store: Path, tmp_path: Path) -> Package:
    """A package whose golden folder a test fills."""
    (tmp_path / "golden").mkdir()
    stored = ModelStore(tiny_store).load("ad")
    return Package(tmp_path, stored.manifest, stored.sha256)


def write(package: Package, text: str) -> None:
    (package.golden_folder / "case.json").write_text(text)


def test_a_case_survives_writing_and_reading(package: Package) -> None:
    (package.golden_folder / "head.nii.gz").touch()
    write(package, CASE.model_dump_json())
    assert read_golden_case(package) == CASE
    assert CASE.paths(package) == [package.golden_folder / "head.nii.gz"]


def test_a_case_without_its_image_is_refused(package: Package) -> None:
    write(package, CASE.model_dump_json())
    with pytest.raises(PackageInvalidError, match=r"head\.nii\.gz"):
        read_golden_case(package)


@pytest.mark.parametrize("text", ["", "{}", "null", json.dumps(CASE.model_dump() | {"extra": 1})])
def test_a_case_of_another_form_is_refused(package: Package, text: str) -> None:
    write(package, text)
    with pytest.raises(PackageInvalidError):
        read_golden_case(package)


def test_a_case_of_another_task_is_refused(package: Package) -> None:
    (package.golden_folder / "head.nii.gz").touch()
    write(package, CASE.model_copy(update={"task": "gos"}).model_dump_json())
    with pytest.raises(PackageInvalidError, match="another task"):
        read_golden_case(package)
