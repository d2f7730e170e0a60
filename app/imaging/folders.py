"""Folders to the files in them."""

from collections.abc import Sequence
from pathlib import Path

from app.errors import MalformedRequestError


def files_in(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Every file among paths, folders searched to any depth.

    Raises:
        MalformedRequestError: There is none.
    """
    files = tuple(
        file
        for path in paths
        for file in (
            sorted(found for found in path.rglob("*") if found.is_file()) if path.is_dir() else [path]
        )
    )
    if not files:
        raise MalformedRequestError("Expected at least one image file; the folder holds none.", part="image")
    return files
