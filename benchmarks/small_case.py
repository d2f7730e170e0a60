"""A case that is small in bytes and voxels, for runs of thousands."""

from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.cases import CACHE
from benchmarks.load import Body, case_body, zip_of
from benchmarks.making import CtSize, kept, make_ct
from benchmarks.service import MODEL, RECORD

SMALL_CT: Final = CtSize(matrix=96, slices=24, gap_mm=8.0)


def small_zip() -> Path:
    """A phantom head CT as one zip of 24 DICOM files of 96 x 96, made once."""
    return kept(CACHE / "small-ct-zip", _make) / "case.zip"


def small_body(path: Path, heatmap: str = "none") -> Body:
    """The body of a `POST /predict` with it.

    Args:
        path: Where it is written.
        heatmap: On which grid the heatmap is wanted.
    """
    return case_body(path, [small_zip()], RECORD, model=MODEL, heatmap=heatmap)


def _make(folder: Path) -> None:
    series = kept(folder.with_name("small-ct"), partial(make_ct, SMALL_CT))
    zip_of(sorted(series.iterdir()), folder / "case.zip")
