"""Folders to the files in them."""

import os
from collections.abc import Sequence
from pathlib import Path

from app.errors import MalformedRequestError


def files_in(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Every file among paths, folders searched to any depth.

    Raises:
        MalformedRequestError: There is none.
    """
    files = tuple(file for path in paths for file in (files_below(path) if path.is_dir() else [path]))
    if not files:
        raise MalformedRequestError("Expected at least one image file; the folder holds none.", part="image")
    return files


def files_below(folder: Path) -> list[Path]:
    """Every file in a folder, at any depth, sorted.

    Links to folders are followed: each folder is entered once, and none that holds this one, which would bring in its neighbours.
    """
    here = folder.resolve()
    entered = {here, *here.parents}
    files: list[Path] = []
    for place, folders, names in os.walk(folder, followlinks=True):
        files += [file for name in names if (file := Path(place, name)).is_file()]
        for name in sorted(folders):
            if (real := Path(place, name).resolve()) in entered:
                folders.remove(name)
            entered.add(real)
    return sorted(files)
