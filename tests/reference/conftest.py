"""The committed reference packages, opened as the service opens them."""

from pathlib import Path

import pytest

from app.inference.onnx_runtime.session import OnnxSession
from app.inference.predictor import Predictor
from app.model_package.store import ModelStore

STORE = Path(__file__).parents[2] / "model_store"


@pytest.fixture(scope="session")
def gos() -> Predictor:
    """The reference package for the Glasgow Outcome Scale."""
    return Predictor(package := ModelStore(STORE).load("gos"), OnnxSession(package))


@pytest.fixture(scope="session")
def ad() -> Predictor:
    """The reference package for Alzheimer's disease."""
    return Predictor(package := ModelStore(STORE).load("ad"), OnnxSession(package))


@pytest.fixture(scope="session")
def gos_1() -> Predictor:
    """Its first version, with one threshold for all classes."""
    return Predictor(package := ModelStore(STORE).load("gos@1"), OnnxSession(package))
