"""The files of one model package: their names, their digests, and the proof that none was changed.

`manifest.json` pins every file beside it by SHA-256; `SHA256SUMS` adds the manifest itself, in the form that
`sha256sum --check` reads. A package is therefore named by one number, the digest of its manifest.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from app.errors import PackageDigestError, PackageInvalidError
from app.imaging.model_grid import PREPROCESSING_VERSION
from app.model_package.manifest import Manifest

MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
MODEL = "model.onnx"
CARD = "MODEL_CARD.md"
GOLDEN_FOLDER = "golden"
GOLDEN_CASE = "golden/case.json"


@dataclass(frozen=True)
class Package:
    """One version of one model, on disk.

    Attributes:
        path: Its folder.
        manifest: What the folder says of itself.
        sha256: Digest of the manifest, which pins all other files.
    """

    path: Path
    manifest: Manifest
    sha256: str

    @property
    def model_path(self) -> Path:
        """The graph."""
        return self.path / MODEL

    @property
    def card_path(self) -> Path:
        """The model card, Markdown."""
        return self.path / CARD

    @property
    def golden_folder(self) -> Path:
        """The folder of the golden case and its images."""
        return self.path / GOLDEN_FOLDER


def seal(folder: Path, manifest: Manifest) -> Package:
    """Write the manifest and SHA256SUMS of a folder that is still being made.

    Sealing again replaces both, so an exporter may seal, run the model to make the golden case, and seal once more.

    Args:
        folder: Holds every file but the two written here.
        manifest: Without digests; those it may have are replaced.

    Returns:
        The package, with digests of the files as they are now.
    """
    digests = {name: _sha256(folder / name) for name in _file_names(folder) if name not in (MANIFEST, SUMS)}
    sealed = manifest.model_copy(update={"sha256": digests})
    (folder / MANIFEST).write_text(sealed.model_dump_json(indent=2) + "\n", encoding="utf-8")
    package = Package(folder, sealed, _sha256(folder / MANIFEST))
    (folder / SUMS).write_text(_sums(package), encoding="utf-8")
    return package


def open_package(folder: Path) -> Package:
    """Read a package and prove that it is whole and unchanged.

    Args:
        folder: A folder made by `seal`.

    Returns:
        The package.

    Raises:
        PackageInvalidError: The manifest, the set of files or the preprocessing version is not what is served here.
        PackageDigestError: A file differs from its digest.
    """
    manifest = _manifest(folder)
    _check_preprocessing(manifest)
    _check_files(folder, manifest)
    package = Package(folder, manifest, _sha256(folder / MANIFEST))
    if (folder / SUMS).read_text(encoding="utf-8", errors="replace") != _sums(package):
        raise PackageDigestError(f"{SUMS} does not list the digests of {MANIFEST} and of the files it pins")
    for name, digest in manifest.sha256.items():
        if _sha256(folder / name) != digest:
            raise PackageDigestError(f"{name} was changed after the package was sealed; restore the package")
    return package


def _manifest(folder: Path) -> Manifest:
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except OSError as error:
        raise PackageInvalidError(f"{folder.name}: {MANIFEST} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        where = "; ".join(
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise PackageInvalidError(f"{folder.name}: {MANIFEST} breaks the format: {where}") from error


def _check_preprocessing(manifest: Manifest) -> None:
    if manifest.preprocessing_version != PREPROCESSING_VERSION:
        raise PackageInvalidError(
            f"{manifest.reference} needs preprocessing version {manifest.preprocessing_version} "
            f"and this program has {PREPROCESSING_VERSION}; serve it with the release that made it, or export it again"
        )


def _check_files(folder: Path, manifest: Manifest) -> None:
    """Compare the set of files with what the manifest pins; so no path in a manifest can lead out of the folder."""
    found = _file_names(folder) - {MANIFEST, SUMS}
    pinned = set(manifest.sha256)
    if found != pinned:
        raise PackageInvalidError(
            f"{MANIFEST} and the folder disagree; missing: {sorted(pinned - found)}, extra: {sorted(found - pinned)}"
        )
    needed = {MODEL, CARD, GOLDEN_CASE, manifest.out_of_distribution.file} - pinned
    if needed or not (folder / SUMS).is_file():
        raise PackageInvalidError(f"the package lacks {sorted(needed) or SUMS}")


def _file_names(folder: Path) -> set[str]:
    """Name every file below a folder, relative and with slashes; a link is refused, it may point anywhere."""
    names = set()
    for path in folder.rglob("*"):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise PackageInvalidError(f"{path.relative_to(folder)} is neither a plain file nor a folder")
        if path.is_file():
            names.add(path.relative_to(folder).as_posix())
    return names


def _sums(package: Package) -> str:
    digests = package.manifest.sha256 | {MANIFEST: package.sha256}
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
