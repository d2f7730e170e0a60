"""The folder of model packages, `<root>/<name>/<version>/`: finds one by name, version or task; takes in new ones.

Versions are integers and immutable. Nothing is watched: a package is looked for when it is asked for.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import MalformedRequestError, PackageExistsError, PackageInvalidError, UnknownModelError
from app.model_package.naming import PACKAGE_NAME, PACKAGE_VERSION, Reference, Task
from app.model_package.package import Package, open_package

_STAGING = ".staging"


class ModelStore:
    """Packages on disk.

    Args:
        root: Folder of the store; one that does not exist is an empty store.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def references(self) -> tuple[Reference, ...]:
        """List every version of every model, by name and version, without opening any."""
        return tuple(
            sorted(
                Reference(folder.parent.name, int(folder.name))
                for folder in self._root.glob("*/*")
                if PACKAGE_NAME.fullmatch(folder.parent.name)
                and PACKAGE_VERSION.fullmatch(folder.name)
                and folder.is_dir()
            )
        )

    def resolve(self, reference: str) -> Reference:
        """Find what `name` (its latest version) or `name@version` means.

        Raises:
            UnknownModelError: It leads nowhere.
        """
        name, _, version = reference.partition("@")
        wanted = [
            found for found in self.references() if found.name == name and version in ("", str(found.version))
        ]
        if not wanted or reference.endswith("@"):
            raise UnknownModelError(
                "no such model package; expected name or name@version of one of the packages under GET /models",
                known=[str(found) for found in self.references()],
            )
        return max(wanted)

    def load(self, name: str, version: int | None = None) -> Package:
        """Open one version of a model, every file checked against its digest.

        Args:
            name: Package name.
            version: Its version; the latest where None.

        Raises:
            UnknownModelError: There is no such name or version.
            PackageInvalidError: The package breaks the format or needs another preprocessing version.
            PackageDigestError: A file was changed.
        """
        found = self.resolve(name if version is None else f"{name}@{version}")
        package = open_package(self._folder(found))
        _check_name(package, found)
        return package

    def load_for_task(self, task: Task) -> Package:
        """Open the package that answers a task: the one named after it, or the only one there is.

        Raises:
            UnknownModelError: No package answers it, or several do and none is named after it.
            PackageInvalidError: A package breaks the format.
            PackageDigestError: A file was changed.
        """
        names = sorted({found.name for found in self.references()})
        if task in names:
            return self.load(task)
        answering = [package for package in map(self.load, names) if package.manifest.task == task]
        if len(answering) != 1:
            raise UnknownModelError(
                f"{len(answering)} model packages answer task {task!r}, none of them by that name; name the model instead",
                known=[package.manifest.name for package in answering],
            )
        return answering[0]

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Lend an empty folder on the store's file system, in which to build a package; it is gone afterwards."""
        parent = self._root / _STAGING
        parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=parent))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def refuse_taken(self, reference: Reference) -> None:
        """Say before the work what `publish` would say after it.

        Raises:
            PackageExistsError: The version is taken.
        """
        if self._folder(reference).exists():
            raise _taken(reference)

    def publish(self, folder: Path) -> Package:
        """Take a sealed package in by one atomic rename: it appears whole, or not at all.

        Args:
            folder: A sealed package on the store's file system, as lent by `staging`.

        Returns:
            The package at its place in the store.

        Raises:
            PackageExistsError: The version is taken.
            PackageInvalidError: The package breaks the format.
            PackageDigestError: A file was changed after sealing.
        """
        package = open_package(folder)
        reference = package.manifest.reference
        target = self._folder(reference)
        target.parent.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # mkdtemp makes folders for one user only
        try:
            folder.rename(target)
        except (
            OSError
        ) as error:  # rename(2) never replaces a folder that has content, so this is the whole check
            if not target.exists():
                raise
            raise _taken(reference) from error
        return Package(target, package.manifest, package.sha256)

    def _folder(self, reference: Reference) -> Path:
        return self._root / reference.name / str(reference.version)


def store_at(root: Path) -> ModelStore:
    """The store that an operator names, which must be there: an empty one would say that its packages are unknown.

    Args:
        root: `NEUROFUSE_MODEL_STORE`.

    Raises:
        MalformedRequestError: It is no folder.
    """
    if not root.is_dir():
        raise MalformedRequestError(
            f"Expected NEUROFUSE_MODEL_STORE to be the folder of model packages; {root.resolve()} is none. "
            "Name another one, mount it, or make it and put packages into it."
        )
    return ModelStore(root)


def _taken(reference: Reference) -> PackageExistsError:
    return PackageExistsError(
        f"{reference} exists and a version is never overwritten; export the next version"
    )


def _check_name(package: Package, reference: Reference) -> None:
    manifest = package.manifest
    if (manifest.name, manifest.version) != (reference.name, reference.version):
        raise PackageInvalidError(f"the folder of {reference} holds {manifest.reference}")
