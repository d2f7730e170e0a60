"""Packages are found by name, version and task; only those that proved themselves answer."""

import shutil
from pathlib import Path

import onnxruntime as ort
import pytest

from app.errors import NotReadyError, UnknownModelError
from app.inference.graph_contract import blank_inputs
from app.inference.lost_device import DEVICE_LOST
from app.inference.onnx_runtime.session import OnnxSession
from app.inference.predictor import Predictor
from app.model_package.package import Package
from app.model_package.store import ModelStore
from app.serving.catalogue import Catalogue
from app.serving.entry import State, require_ready
from app.serving.start import start_with
from tests.support.tiny_package import build_tiny_package

START = start_with("cpu", threads=1)


@pytest.fixture(scope="module")
def catalogue(tiny_store: Path) -> Catalogue:
    loaded = Catalogue(ModelStore(tiny_store), START)
    loaded.load()
    return loaded


def test_packages_are_loading_until_they_are_loaded(tiny_store: Path) -> None:
    fresh = Catalogue(ModelStore(tiny_store), START)
    assert {entry.state for entry in fresh.entries()} == {State.LOADING}
    assert not fresh.ready
    with pytest.raises(NotReadyError):
        require_ready(fresh.entry("gos"))


def test_a_process_that_has_lost_its_gpu_is_not_ready(
    catalogue: Catalogue, tiny_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_how: object) -> None:
        raise RuntimeError(
            "Status Message: CUDA failure 700: an illegal memory access was encountered ; GPU=0"
        )

    monkeypatch.setattr(ort.InferenceSession, "run_with_iobinding", lost)
    package = ModelStore(tiny_store).load("gos", 1)
    session = OnnxSession(package, captured=())  # bound to a device, as on a GPU
    try:
        assert catalogue.ready
        with pytest.raises(NotReadyError, match="start the service anew"):
            session.run(*blank_inputs(package.manifest, 1))
        assert not catalogue.ready
    finally:
        DEVICE_LOST.clear()
        session.close()


def test_a_name_means_the_latest_version(catalogue: Catalogue) -> None:
    assert str(catalogue.entry("gos").reference) == "gos@2"
    assert str(catalogue.entry("gos@1").reference) == "gos@1"


@pytest.mark.parametrize("model", ["", "moon", "gos@", "gos@3", "gos@01", "@1", "gos@1@1"])
def test_a_name_that_leads_nowhere_is_unknown(catalogue: Catalogue, model: str) -> None:
    with pytest.raises(UnknownModelError) as unknown:
        catalogue.entry(model)
    assert unknown.value.fields["known"] == ["ad@1", "gos@1", "gos@2"]


def test_a_task_means_the_package_named_after_it(catalogue: Catalogue) -> None:
    assert str(catalogue.entry_for_task("gos").reference) == "gos@2"


def test_a_task_means_the_only_package_that_answers_it(tmp_path: Path) -> None:
    build_tiny_package(tmp_path, "gos", name="site-a")
    only = Catalogue(ModelStore(tmp_path), START)
    only.load()
    assert str(only.entry_for_task("gos").reference) == "site-a@1"
    with pytest.raises(UnknownModelError):
        only.entry_for_task("ad")


def test_a_task_that_two_packages_answer_must_be_settled_by_name(tmp_path: Path) -> None:
    for name in ("site-a", "site-b"):
        build_tiny_package(tmp_path, "gos", name=name)
    both = Catalogue(ModelStore(tmp_path), START)
    both.load()
    with pytest.raises(UnknownModelError) as unknown:
        both.entry_for_task("gos")
    assert unknown.value.fields["known"] == ["site-a", "site-b"]


def test_a_broken_package_keeps_its_reason_and_stops_no_other(tiny_store: Path, tmp_path: Path) -> None:
    store = shutil.copytree(tiny_store, tmp_path / "store")
    (store / "gos/2/manifest.json").write_text("{}")
    mixed = Catalogue(ModelStore(store), START)
    mixed.load()
    broken = mixed.entry("gos")
    assert (broken.state, broken.code, broken.predictor) == (State.FAILED, "package-invalid", None)
    assert mixed.entry("gos@1").state is State.READY
    assert not mixed.ready


def test_an_older_version_never_stands_in_for_a_broken_one(tiny_store: Path, tmp_path: Path) -> None:
    store = shutil.copytree(tiny_store, tmp_path / "store")
    (store / "gos/2/manifest.json").write_text("{}")
    mixed = Catalogue(ModelStore(store), START)
    mixed.load()
    with pytest.raises(NotReadyError):
        require_ready(mixed.entry_for_task("gos"))


def test_an_unforeseen_fault_is_one_packages_fault(tiny_store: Path) -> None:
    def start(package: Package) -> Predictor:
        if package.manifest.name == "ad":
            raise RuntimeError("unforeseen")
        return START(package)

    mixed = Catalogue(ModelStore(tiny_store), start)
    mixed.load()
    assert (mixed.entry("ad").code, mixed.entry("gos").state) == ("internal", State.READY)
    assert "unforeseen" not in (mixed.entry("ad").detail or "")
