"""Files that are there as a whole or not at all, whatever ends the process: a full disk, a kill, a second one that reads."""

from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, content: str | bytes | memoryview) -> Path:
    """Write a file beside its place, text in UTF-8, then move it there.

    Args:
        path: The file; one that is there stays as it was until the new one is complete.
        content: Of the new one.

    Returns:
        `path`.
    """
    partial = path.with_name(f"{path.name}.part")
    try:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
        return partial.replace(path)
    except OSError:
        with suppress(OSError):  # half of it is of no use, and takes room where there is none
            partial.unlink()
        raise
