"""A report as tables for a terminal."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from app.imaging.series_choice import SeriesSummary
from app.inspection.report import Image, Report


def print_report(report: Report, console: Console) -> None:
    """Prints what there is of a report; the refusal is the caller's to print."""
    console.print(_files(report), markup=False)
    if report.series:
        console.print(_series(report), markup=False)
    if report.image is not None:
        console.print(_image(report, report.image), markup=False)
    for finding in report.findings:
        console.print(f"{finding.code}: {finding.detail}", markup=False, highlight=False, soft_wrap=True)


def _files(report: Report) -> Table:
    table = Table("kind", "files", "MB", title=f"Files, read for {report.modality}")
    for count in report.files:
        table.add_row(count.kind, str(count.files), f"{count.megabytes:.1f}")
    return table


def _series(report: Report) -> Table:
    table = Table("no.", "series", "slices", "why", title="Series", show_lines=True)
    table.columns[1].overflow = "fold"  # a UID is only of use whole
    for row in report.series:
        number = "" if row.series.number is None else str(row.series.number)
        table.add_row(
            f"{number} *" if row.chosen else number,
            f"{', '.join(_words(row.series))}\n{row.series.series_instance_uid}",
            str(row.series.slices),
            row.reason,
        )
    table.caption = "* is read" if report.series[0].chosen else "none is read"
    return table


def _words(series: SeriesSummary) -> Iterator[str]:
    yield f"{series.modality or '?'} {series.plane or 'in no one plane'}"
    if series.gap_mm is not None and series.extent_mm is not None:
        yield f"every {series.gap_mm:g} mm over {series.extent_mm:.0f} mm"
    if series.pixel_spacing_mm is not None:
        yield f"pixels {series.pixel_spacing_mm:.3g} mm"
    if not series.is_original:
        yield "derived"
    if series.has_contrast_agent:
        yield "contrast agent"
    if series.body_part != "unknown":
        yield "head" if series.body_part == "head" else "another part than the head"
    if series.kernel != "unknown":
        yield f"{series.kernel} kernel"
    if series.weighting != "unknown":
        yield f"{series.weighting}-weighted"


def _image(report: Report, image: Image) -> Table:
    table = Table(show_header=False, title="Image")
    for name, words in _facts(report, image):
        table.add_row(name, words)
    return table


def _facts(report: Report, image: Image) -> Iterator[tuple[str, str]]:
    yield "voxels as stored", _by(image.shape)
    if image.grid_shape != image.shape:
        yield "voxels of results", _by(image.grid_shape)
    yield "spacing", f"{_by(image.spacing_mm)} mm"
    yield "orientation", image.orientation
    least, median, greatest = image.gaps_mm
    yield "slice gaps", f"{least:g} to {greatest:g} mm, median {median:g} mm"
    yield "tilt", f"{image.tilt_degrees:g} degrees"
    yield "values", ", ".join(f"{name} {value:g}" for name, value in image.values.items()) + f" {image.unit}"
    if report.head is not None and report.head.found:
        right, anterior = report.head.centre_mm
        yield "head", f"vertex z = {report.head.vertex_mm:g} mm, centre x = {right:g}, y = {anterior:g} mm"
    elif report.head is not None:
        yield "head", "not found"
    yield "model grid", report.model_grid or "no package for this modality"


def _by(numbers: tuple[float, ...]) -> str:
    return " x ".join(f"{number:g}" for number in numbers)
