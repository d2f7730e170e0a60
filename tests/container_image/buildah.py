"""Calls of buildah, with a store of our own, so that nothing else on the machine is touched."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NO_REGISTRIES = "unqualified-search-registries = []\n"
"""Short names mean what lies in the store, and nothing else."""


class Buildah:
    """Buildah in one folder.

    Args:
        folder: Where images, working containers and its settings lie.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._options = ["--root", str(folder / "images"), "--runroot", str(folder / "run")]
        registries = folder / "registries.conf"
        registries.write_text(NO_REGISTRIES, encoding="utf-8")
        self._environment = os.environ | {"CONTAINERS_REGISTRIES_CONF": str(registries)}

    def __call__(self, *arguments: str | Path, log: Path | None = None) -> str:
        """Run one command and give what it printed; with `log`, that goes there.

        Raises:
            subprocess.CalledProcessError: It failed.
        """
        command = ["buildah", *self._options, *map(str, arguments)]
        if log is None:
            return subprocess.run(
                command, check=True, stdout=subprocess.PIPE, text=True, env=self._environment
            ).stdout.strip()
        with log.open("wb") as stream:
            subprocess.run(
                command, check=True, stdout=stream, stderr=subprocess.STDOUT, env=self._environment
            )
        return log.read_text(encoding="utf-8", errors="replace")

    def has(self, image: str) -> bool:
        """Whether an image of this name is here."""
        names = self("images", "--format", "{{.Name}}:{{.Tag}}").splitlines()
        return any(name.endswith(f"/{image}") for name in names)  # buildah puts a host before a short name

    @contextmanager
    def mounted(self, image: str) -> Iterator[Path]:
        """The files of an image, as a folder, for as long as the context lasts."""
        container = self("from", "--pull-never", image)
        try:
            yield Path(self("mount", container))
        finally:
            self("rm", container)
