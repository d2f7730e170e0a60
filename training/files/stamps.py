"""Has a file changed? By its size and the time it was last written, as `make` tells: no byte of it is read.

Prepared images and finished runs are kept by these stamps. A file copied without its time (`cp -r` instead of `cp -a`) counts as
changed, which costs time and never a result.
"""

import hashlib
import json
from pathlib import Path

from training.cohort import DESCRIPTION_FILE, TABLE_FILE, image_files, read_description, read_rows

Stamp = tuple[int, int]


def file_stamp(file: Path) -> Stamp:
    """Size in bytes, and when it was last written, in ns."""
    status = file.stat()
    return status.st_size, status.st_mtime_ns


def cohort_stamp(folder: Path) -> str:
    """Digest of a cohort: its table and description by content, every image and mask in it by its stamp.

    Args:
        folder: Of the cohort; wherever it lies, the digest is the same.

    Raises:
        CohortError: It has no table or no description that can be read.
    """
    description, rows = read_description(folder / DESCRIPTION_FILE), read_rows(folder / TABLE_FILE)
    cells = [
        row.get(column, "")
        for row in rows.values()
        for column in (*description.images, *description.mask_columns)
    ]
    stamps = [[file_stamp(file) for file in image_files(folder / cell)] if cell else [] for cell in cells]
    digest = hashlib.sha256(json.dumps(stamps).encode())
    for name in (TABLE_FILE, DESCRIPTION_FILE):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()
