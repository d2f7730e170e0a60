import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import PackageDigestError, PackageError, PackageInvalidError
from app.model_package.package import MANIFEST, SUMS, open_package, seal


@pytest.fixture
def folder(tiny_store: Path, tmp_path: Path) -> Path:
    """A copy of gos@1 that a test may spoil."""
    return Path(shutil.copytree(tiny_store / "gos" / "1", tmp_path / "package"))


def edit_manifest(folder: Path, **changes: Any) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(manifest | changes))


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_sums_are_those_of_sha256sum(folder: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", SUMS], cwd=folder, check=True)  # noqa: S603, S607
    listed = {line.split("  ", 1)[1] for line in (folder / SUMS).read_text().splitlines()}
    assert listed == {path.relative_to(folder).as_posix() for path in files(folder)} - {SUMS}


def test_sealing_again_changes_nothing(folder: Path) -> None:
    package = open_package(folder)
    assert seal(folder, package.manifest) == package


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(data=st.data())
def test_any_changed_byte_of_any_file_is_noticed(folder: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(files(folder)), label="file")
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1), label="byte")
    spoilt = bytearray(whole)
    spoilt[place] ^= data.draw(st.integers(1, 255), label="bits")
    path.write_bytes(spoilt)
    try:
        with pytest.raises(PackageError):
            open_package(folder)
    finally:
        path.write_bytes(whole)
    open_package(folder)


@pytest.mark.parametrize(
    "name", ["model.onnx", "MODEL_CARD.md", "golden/case.json", "golden/head.nii.gz", "embedding.npz"]
)
def test_a_changed_file_is_named(folder: Path, name: str) -> None:
    with (folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(PackageDigestError, match=name):
        open_package(folder)


@pytest.mark.parametrize("name", ["model.onnx", "golden/case.json", "embedding.npz", MANIFEST, SUMS])
def test_a_missing_file_is_noticed(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(PackageInvalidError):
        open_package(folder)


@pytest.mark.parametrize("name", ["model.onnx.data", "golden/more.nii", ".hidden"])
def test_an_extra_file_is_noticed(folder: Path, name: str) -> None:
    (folder / name).write_text("extra")
    with pytest.raises(PackageInvalidError, match="extra"):
        open_package(folder)


def test_a_link_is_refused_even_to_the_right_bytes(folder: Path, tmp_path: Path) -> None:
    shutil.move(folder / "model.onnx", tmp_path / "elsewhere.onnx")
    (folder / "model.onnx").symlink_to(tmp_path / "elsewhere.onnx")
    with pytest.raises(PackageInvalidError, match="plain file"):
        open_package(folder)


@pytest.mark.parametrize("name", ["model.onnx", "MODEL_CARD.md", "golden/case.json", "embedding.npz"])
def test_a_package_that_never_had_a_needed_file_is_refused(folder: Path, name: str) -> None:
    manifest = open_package(folder).manifest
    (folder / name).unlink()
    seal(folder, manifest)
    with pytest.raises(PackageInvalidError, match=r"lacks .*" + name):
        open_package(folder)


def test_a_manifest_changed_together_with_its_file_is_noticed(folder: Path) -> None:
    manifest, sums = open_package(folder).manifest, (folder / SUMS).read_text()
    (folder / "MODEL_CARD.md").write_text("another card")
    seal(folder, manifest)
    (folder / SUMS).write_text(sums)
    with pytest.raises(PackageDigestError, match=SUMS):
        open_package(folder)


def test_another_preprocessing_version_is_refused(folder: Path) -> None:
    manifest = open_package(folder).manifest
    seal(folder, manifest.model_copy(update={"preprocessing_version": 99}))
    with pytest.raises(PackageInvalidError, match=r"preprocessing version 99"):
        open_package(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"surprise": 1},
        {"schema_version": 2},
        {"task": "mood"},
        {"sha256": {"model.onnx": "abc"}},
        {"name": "Not A Name"},
        {"outputs": None},
    ],
)
def test_a_manifest_of_another_form_is_refused_by_the_field(folder: Path, changes: dict[str, Any]) -> None:
    edit_manifest(folder, **changes)
    with pytest.raises(PackageInvalidError, match=next(iter(changes))):
        open_package(folder)


def test_a_path_out_of_the_folder_is_never_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    digests = open_package(folder).manifest.sha256
    edit_manifest(folder, sha256=digests | {"../secret": "0" * 64})
    with pytest.raises(PackageInvalidError, match="missing"):
        open_package(folder)


def test_a_manifest_that_is_no_json_is_refused(folder: Path) -> None:
    (folder / MANIFEST).write_bytes(b"\xff\x00")
    with pytest.raises(PackageInvalidError):
        open_package(folder)
