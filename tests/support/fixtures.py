"""Fixtures around the tiny packages; `tests/conftest.py` loads them for every test."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from app.inference.onnx_runtime.session import OnnxSession
from app.inference.predictor import Predictor
from app.model_package.store import ModelStore
from tests.support.synthetic_head import CT_HU, MR_RAW, write_head
from tests.support.tiny_package import build_tiny_package


@pytest.fixture(scope="session")
def tiny_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with gos@1, gos@2 and ad@1; tests that change a package copy it first."""
    root = tmp_path_factory.mktemp("store")
    build_tiny_package(root, "gos", version=1)
    build_tiny_package(root, "gos", version=2)
    build_tiny_package(root, "ad")
    return root


@pytest.fixture(scope="session")
def gos_store(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with gos@1 alone: a service of one package is ready sooner."""
    root = tmp_path_factory.mktemp("one-package")
    shutil.copytree(tiny_store / "gos" / "1", root / "gos" / "1")
    return root


@pytest.fixture(scope="session")
def gos_predictor(tiny_store: Path) -> Predictor:
    """gos@1 on the CPU."""
    package = ModelStore(tiny_store).load("gos", 1)
    return Predictor(package, OnnxSession(package))


@pytest.fixture(scope="session")
def ad_predictor(tiny_store: Path) -> Predictor:
    """ad@1 on the CPU."""
    package = ModelStore(tiny_store).load("ad", 1)
    return Predictor(package, OnnxSession(package))


@pytest.fixture(scope="session")
def head_ct(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic head CT as NIfTI, with a bleed at `synthetic_head.SPOT_MM`."""
    return write_head(tmp_path_factory.mktemp("ct") / "head.nii.gz", CT_HU)


@pytest.fixture(scope="session")
def head_mr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic head MR as NIfTI, with a bright spot at `synthetic_head.SPOT_MM`."""
    return write_head(tmp_path_factory.mktemp("mr") / "head.nii.gz", MR_RAW)


@pytest.fixture
def own_logging() -> Iterator[None]:
    """A command may configure the process's logging; it is put back afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], _ = before
    root.setLevel(before[1])
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
