import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.errors import (
    PackageDigestError,
    PackageExistsError,
    PackageInvalidError,
    UnknownModelError,
)
from app.model_package.naming import Reference
from app.model_package.package import seal
from app.model_package.store import ModelStore
from tests.support.tiny_package import build_tiny_package


@pytest.fixture
def root(tiny_store: Path, tmp_path: Path) -> Path:
    """A copy of the store that a test may spoil."""
    return Path(shutil.copytree(tiny_store, tmp_path / "store"))


def test_references_are_sorted_by_name_and_number(tiny_store: Path) -> None:
    assert list(map(str, ModelStore(tiny_store).references())) == ["ad@1", "gos@1", "gos@2"]


def test_versions_are_numbers_not_words(root: Path) -> None:
    shutil.copytree(root / "gos" / "2", root / "gos" / "10")
    assert ModelStore(root).resolve("gos") == Reference("gos", 10)


def test_folders_that_are_no_versions_are_no_packages(root: Path) -> None:
    for stray in ("gos/latest", "gos/03", "gos/-1", ".staging/7", "UPPER/1"):
        (root / stray).mkdir(parents=True)
    (root / "gos" / "9").write_text("a file")
    assert ModelStore(root).references() == (Reference("ad", 1), Reference("gos", 1), Reference("gos", 2))


def test_a_store_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert ModelStore(tmp_path / "nothing").references() == ()


@pytest.mark.parametrize(("reference", "version"), [("gos", 2), ("gos@1", 1), ("gos@2", 2)])
def test_a_name_means_its_latest_version(tiny_store: Path, reference: str, version: int) -> None:
    assert ModelStore(tiny_store).resolve(reference).version == version


@pytest.mark.parametrize(
    "reference", ["", "@", "gos@", "gos@3", "gos@01", "gos@1@1", "GOS", "../gos", "gos/1", "*"]
)
def test_what_leads_nowhere_is_unknown(tiny_store: Path, reference: str) -> None:
    with pytest.raises(UnknownModelError) as caught:
        ModelStore(tiny_store).resolve(reference)
    assert caught.value.fields["known"] == ["ad@1", "gos@1", "gos@2"]


def test_a_loaded_package_is_named_by_the_digest_of_its_manifest(tiny_store: Path) -> None:
    first, second = (ModelStore(tiny_store).load("gos", version) for version in (1, 2))
    assert first.manifest.version == 1
    assert len(first.sha256) == 64
    assert first.sha256 != second.sha256


def test_a_task_is_answered_by_the_package_named_after_it(tiny_store: Path) -> None:
    package = ModelStore(tiny_store).load_for_task("gos")
    assert (package.manifest.name, package.manifest.version) == ("gos", 2)


def test_a_task_is_answered_by_the_only_package_for_it(tmp_path: Path) -> None:
    build_tiny_package(tmp_path, "ad", name="memory-clinic")
    assert ModelStore(tmp_path).load_for_task("ad").manifest.name == "memory-clinic"
    with pytest.raises(UnknownModelError):
        ModelStore(tmp_path).load_for_task("gos")


def test_a_task_with_several_packages_asks_for_a_name(tmp_path: Path) -> None:
    for name in ("north", "south"):
        build_tiny_package(tmp_path, "ad", name=name)
    with pytest.raises(UnknownModelError) as caught:
        ModelStore(tmp_path).load_for_task("ad")
    assert caught.value.fields["known"] == ["north", "south"]


def test_a_version_is_never_overwritten(root: Path) -> None:
    before = ModelStore(root).load("gos", 1).sha256
    with pytest.raises(PackageExistsError, match="gos@1"):
        build_tiny_package(root, "gos", version=1)
    assert ModelStore(root).load("gos", 1).sha256 == before


def test_who_asks_before_the_work_is_told_that_a_version_is_taken(root: Path) -> None:
    store = ModelStore(root)
    store.refuse_taken(Reference("gos", 3))
    with pytest.raises(PackageExistsError, match="gos@2"):
        store.refuse_taken(Reference("gos", 2))


def test_nothing_is_left_of_a_package_that_was_refused(root: Path) -> None:
    with pytest.raises(PackageExistsError):
        build_tiny_package(root, "gos", version=1)
    assert list((root / ".staging").iterdir()) == []


def test_a_package_in_another_packages_place_is_refused(root: Path) -> None:
    shutil.copytree(root / "gos" / "1", root / "gos" / "3")
    with pytest.raises(PackageInvalidError, match=r"gos@3 holds gos@1"):
        ModelStore(root).load("gos")


def test_only_a_sealed_package_is_published(tiny_store: Path, root: Path) -> None:
    store = ModelStore(root)
    with store.staging() as folder:
        shutil.copytree(tiny_store / "gos" / "2", folder, dirs_exist_ok=True)
        (folder / "MODEL_CARD.md").write_text("changed after sealing")
        with pytest.raises(PackageDigestError):
            store.publish(folder)
    assert Reference("gos", 3) not in store.references()


def test_a_published_package_is_what_was_sealed(root: Path) -> None:
    store = ModelStore(root)
    source = store.load("gos", 2)
    with store.staging() as folder:
        shutil.copytree(source.path, folder, dirs_exist_ok=True)
        sealed = seal(folder, source.manifest.model_copy(update={"version": 3}))
        published = store.publish(folder)
    assert published.sha256 == sealed.sha256 == store.load("gos").sha256
    assert published.path == root / "gos" / "3"


@pytest.mark.parametrize("version", [1, 2])
def test_one_spoilt_version_does_not_spoil_the_other(root: Path, version: int) -> None:
    (root / "gos" / str(version) / "model.onnx").write_bytes(b"")
    with pytest.raises(PackageDigestError):
        ModelStore(root).load("gos", version)
    assert ModelStore(root).load("gos", 3 - version).manifest.version == 3 - version


def test_of_several_exporters_at_once_exactly_one_wins(root: Path) -> None:
    store, source = ModelStore(root), ModelStore(root).load("gos", 2)

    def export(author: str) -> str | None:
        with store.staging() as folder:
            shutil.copytree(source.path, folder, dirs_exist_ok=True)
            (folder / "MODEL_CARD.md").write_text(author)
            seal(folder, source.manifest.model_copy(update={"version": 3}))
            try:
                store.publish(folder)
            except PackageExistsError:
                return None
            return author

    with ThreadPoolExecutor(8) as pool:
        winners = [author for author in pool.map(export, "abcdefgh") if author]
    assert len(winners) == 1
    assert (store.load("gos", 3).path / "MODEL_CARD.md").read_text() == winners[0]
