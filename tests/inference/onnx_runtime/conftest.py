import shutil
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from app.model_package.package import Package
from app.model_package.store import ModelStore


@pytest.fixture(scope="module")
def package(tiny_store: Path) -> Package:
    return ModelStore(tiny_store).load("gos", 1)


@pytest.fixture
def spoil(package: Package, tmp_path: Path) -> Callable[[Callable[[onnx.ModelProto], object]], Package]:
    """Give the package with a changed graph, its digests left aside."""

    def change(edit: Callable[[onnx.ModelProto], object]) -> Package:
        graph = onnx.load_model(package.model_path)
        edit(graph)
        onnx.save_model(graph, tmp_path / "model.onnx")
        shutil.copy(package.path / "embedding.npz", tmp_path)
        return Package(tmp_path, package.manifest, package.sha256)

    return change
