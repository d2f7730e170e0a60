import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from app.errors import GoldenMismatchError, PackageInvalidError
from app.inference.onnx_runtime.session import OnnxSession
from app.inference.predictor import Predictor
from app.inference.self_test import make_golden_case, self_test
from app.model_package.golden import read_golden_case
from app.model_package.package import Package
from tests.support.synthetic_head import CT_HU, write_head


@pytest.fixture
def copied(gos_predictor: Predictor, tmp_path: Path) -> Package:
    """The package in a folder that a test may spoil."""
    original = gos_predictor.package
    shutil.copytree(original.path, tmp_path, dirs_exist_ok=True)
    return Package(tmp_path, original.manifest, original.sha256)


def reopened(package: Package) -> Predictor:
    return Predictor(package, OnnxSession(package))


def test_a_package_repeats_its_own_golden_answer(gos_predictor: Predictor, ad_predictor: Predictor) -> None:
    for predictor in (gos_predictor, ad_predictor):
        case, analysis = read_golden_case(predictor.package), self_test(predictor)
        assert analysis.outputs.probabilities == pytest.approx(case.probabilities, abs=1e-6)
        assert analysis.heatmap_peak_mm == pytest.approx(case.heatmap_peak_mm)


def test_a_golden_case_is_what_a_client_would_have_been_told(gos_predictor: Predictor) -> None:
    stored = read_golden_case(gos_predictor.package)
    made = make_golden_case(gos_predictor, stored.images, stored.record)
    assert made.probabilities == pytest.approx(stored.probabilities, abs=1e-6)
    assert made.favourable == pytest.approx(stored.favourable)
    assert made.peak_tolerance_mm == pytest.approx(np.linalg.norm([40, 20, 20]))


@pytest.mark.parametrize("name", ["class_weights", "record_weights", "image_weight", "centre"])
def test_any_changed_weight_fails_the_self_test(copied: Package, name: str) -> None:
    graph = onnx.load_model(copied.model_path)
    weight = next(each for each in graph.graph.initializer if each.name == name)
    weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) * np.float32(1.1), name))
    onnx.save_model(graph, copied.model_path)
    with pytest.raises(GoldenMismatchError):
        self_test(reopened(copied))


def test_a_mirrored_image_fails_the_self_test(copied: Package) -> None:
    """Left taken for right leaves this graph's probabilities as they are; only the heatmap's peak can tell."""
    write_head(copied.golden_folder / "head.nii.gz", CT_HU, mirrored=True)
    with pytest.raises(GoldenMismatchError, match="peak"):
        self_test(reopened(copied))


def test_a_golden_image_that_cannot_be_read_is_an_error_of_its_own(copied: Package) -> None:
    (copied.golden_folder / "head.nii.gz").unlink()
    with pytest.raises(PackageInvalidError):
        self_test(reopened(copied))
