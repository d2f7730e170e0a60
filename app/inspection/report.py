"""A survey as plain data: what is printed and what `--json` holds. No patient attribute is in it.

The Series Instance UID is: the command runs where the files lie, and a series is named by it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from app.errors import RequestError
from app.imaging.geometry import normal_of
from app.imaging.head.find import Head
from app.imaging.series_choice import SeriesSummary
from app.imaging.survey import FileCount, Survey
from app.imaging.volume import Finding, Grid, Modality, Volume
from app.predictions.summary import orientation

PERCENTILES: Final = (1, 50, 99)
MOST_COUNTED: Final = 1 << 22
"""Voxels from which percentiles are taken; of more, every n-th."""
DECIMALS: Final = 4


@dataclass(frozen=True)
class SeriesRow:
    """One series of the files.

    Attributes:
        series: What its headers declare.
        chosen: Whether it was read.
        reason: Why, or why not.
    """

    series: SeriesSummary
    chosen: bool
    reason: str


@dataclass(frozen=True)
class Image:
    """The image that was read.

    Attributes:
        shape: Voxels along (i, j, k) as stored.
        grid_shape: Of the grid on which results are returned.
        spacing_mm: Of that grid.
        orientation: Where its axes point, as in `LPS`.
        gaps_mm: Least, median and greatest distance between slices, along their normal.
        tilt_degrees: Between the slices' normal and the direction in which they are stacked.
        values: Least and greatest voxel, and percentiles, in the unit.
        unit: `HU` or `raw`.
    """

    shape: tuple[int, int, int]
    grid_shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    orientation: str
    gaps_mm: tuple[float, float, float]
    tilt_degrees: float
    values: dict[str, float]
    unit: str


@dataclass(frozen=True)
class HeadSeen:
    """Where the head is, in RAS mm."""

    found: bool
    centre_mm: tuple[float, float]
    vertex_mm: float


@dataclass(frozen=True)
class Refusal:
    """The error that the service would answer with."""

    code: str
    detail: str


@dataclass(frozen=True)
class Report:
    """Everything.

    Attributes:
        modality: For which the files were read.
        files: By kind.
        series: The chosen one first.
        image: None where nothing was read.
        head: None where nothing was read.
        model_grid: Package whose grid is meant; None where there is none.
        findings: What the reader of an answer is told.
        refused: None where the door lets the image in.
    """

    modality: Modality
    files: tuple[FileCount, ...]
    series: tuple[SeriesRow, ...] = ()
    image: Image | None = None
    head: HeadSeen | None = None
    model_grid: str | None = None
    findings: tuple[Finding, ...] = ()
    refused: Refusal | None = None


def series_rows(seen: Survey) -> tuple[SeriesRow, ...]:
    """The table of series."""
    rows = []
    if seen.choice is not None:
        chosen = seen.choice.chosen
        rows.append(SeriesRow(chosen, True, seen.choice.reason))
    others = seen.choice.others if seen.choice is not None else seen.series
    rows += [SeriesRow(one.series, False, one.reason) for one in others]
    return tuple(rows)


def describe(volume: Volume) -> Image:
    """The facts of an image."""
    i, j, k = volume.voxels.shape
    return Image(
        shape=(i, j, k),
        grid_shape=volume.grid.shape,
        spacing_mm=_spacing(volume.grid),
        orientation=orientation(volume.grid),
        gaps_mm=_gaps(volume),
        tilt_degrees=_tilt(volume),
        values=_values(volume),
        unit="HU" if volume.modality is Modality.CT else "raw",
    )


def head_seen(head: Head) -> HeadSeen:
    """Where the head is, to a tenth of a millimetre."""
    right, anterior = head.centre_mm
    return HeadSeen(head.found, (round(right, 1), round(anterior, 1)), round(head.vertex_mm, 1))


def refusal(error: RequestError | None) -> Refusal | None:
    """The error as data."""
    return None if error is None else Refusal(error.code, error.detail)


def _spacing(grid: Grid) -> tuple[float, float, float]:
    i, j, k = (round(step, DECIMALS) for step in grid.spacing_mm)
    return i, j, k


def _gaps(volume: Volume) -> tuple[float, float, float]:
    gaps = np.abs(np.diff(volume.slice_origins @ normal_of(volume.step_i, volume.step_j)))
    least, median, greatest = (
        round(float(gap), DECIMALS) for gap in (gaps.min(), np.median(gaps), gaps.max())
    )
    return least, median, greatest


def _tilt(volume: Volume) -> float:
    along = volume.slice_origins[-1] - volume.slice_origins[0]
    cosine = abs(float(along @ normal_of(volume.step_i, volume.step_j))) / float(np.linalg.norm(along))
    return round(float(np.degrees(np.arccos(min(cosine, 1.0)))), 1)


def _values(volume: Volume) -> dict[str, float]:
    flat = volume.voxels.ravel(order="K")
    some = flat[:: max(flat.size // MOST_COUNTED, 1)]
    names = ("least", *(f"p{percent}" for percent in PERCENTILES), "greatest")
    values = (flat.min(), *np.percentile(some, PERCENTILES), flat.max())
    return {name: round(float(value), DECIMALS) for name, value in zip(names, values, strict=True)}
