"""training.packaging.graph_scaling: a graph answers by the changed logits, and else as before."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.inference.onnx_runtime.session import OnnxSession
from app.model_package.package import MODEL
from tests.training.test_recalibrate import shipped
from training.calibrate import Scaling
from training.cohort import CohortError
from training.evaluation.answers import scaled_probabilities
from training.packaging.graph_scaling import rescale
from training.recalibrate import cut_logits

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("task", ["gos", "ad"])
def test_a_changed_graph_answers_by_the_changed_logits_and_else_as_before(task: str, tmp_path: Path) -> None:
    """Of grades (a temperature) and of two classes (Platt scaling); the image is noise, for any will do."""
    old = shipped(task)
    new = Path(shutil.copytree(old.path, tmp_path / "new"))
    rescale(new / MODEL, Scaling(0.7, -0.4))
    rng = np.random.default_rng(1)
    features = len(old.manifest.ehr.features)
    inputs = (
        rng.normal(30, 40, (2, 1, *old.manifest.image.shape)).astype(np.float32),
        np.zeros((2, features), np.float32),
        np.ones((2, features), np.float32),
    )
    before = OnnxSession(old).run(*inputs)
    after = OnnxSession(replace(old, path=new)).run(*inputs)
    expected = scaled_probabilities(
        cut_logits(before.probabilities.astype(np.float64)).astype(np.float32), Scaling(0.7, -0.4)
    )
    np.testing.assert_allclose(after.probabilities, expected, atol=1e-5)
    assert np.abs(after.probabilities - before.probabilities).max() > 0.01
    np.testing.assert_array_equal(after.heatmap, before.heatmap)
    np.testing.assert_array_equal(after.embedding, before.embedding)


def test_a_graph_of_another_program_is_refused(tiny_store: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copy(tiny_store / "gos" / "1" / MODEL, tmp_path))
    with pytest.raises(CohortError, match="whose graph names its calibration"):
        rescale(copied, Scaling(1.0, 0.1))
