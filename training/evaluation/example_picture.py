"""One case as a figure for a paper: key slices, the heatmap over them, the mask's outline; radiological convention."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from app.imaging.pictures.drawing import window, window_in_words
from app.imaging.pictures.planes import Plane, three_planes
from app.imaging.resample import heatmap_to_patient_grid, sample_on_grid
from app.imaging.volume import Grid, Volume

PANEL_PIXELS = 380
DPI = 100
GAP, ABOVE, BELOW, BAR = 14, 30, 28, 96
COLOURS = "inferno"
OUTLINE = "#26d9ff"
MOST_OPAQUE = 0.7
HALF = 0.5
INVISIBLE = 0.02
FEW_SLICES = 8
EDGE = [withStroke(linewidth=2, foreground="black")]


@dataclass(frozen=True)
class Picture:
    """What is drawn.

    Attributes:
        volume: The image, as acquired where that can be read.
        field: Grid whose box is shown: the model grid in the patient.
        heatmap: [D', H', W'] in [0, 1].
        heatmap_grid: Where it lies.
        mask: Region as a volume of 0 and 1, or of shares; None where there is none.
        peak_mm: RAS place of the heatmap's highest cell.
        mask_mm: RAS place in the middle of the slice that holds most of the mask; None without one.
        fill: Value outside the image.
    """

    volume: Volume
    field: Grid
    heatmap: Float32[np.ndarray, "D H W"]
    heatmap_grid: Grid
    mask: Volume | None
    peak_mm: Float64[np.ndarray, "3"]
    mask_mm: Float64[np.ndarray, "3"] | None
    fill: float


@dataclass(frozen=True)
class _Panel:
    title: str
    plane: Plane
    bare: bool = False


def draw_picture(picture: Picture, path: Path) -> None:
    """Write the PNG: the largest slice of the mask bare and with the heatmap, then two planes through the heatmap's peak."""
    panels = _panels(picture)
    greys = [sample_on_grid(picture.volume, panel.plane.grid, picture.fill)[:, :, 0] for panel in panels]
    limits = window(picture.volume.modality, greys)
    width = sum(grey.shape[1] + GAP for grey in greys) + GAP + BAR
    height = max(grey.shape[0] for grey in greys) + ABOVE + BELOW
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
    left = GAP
    for panel, grey in zip(panels, greys, strict=True):
        rows, columns = grey.shape
        bottom = BELOW + (height - ABOVE - BELOW - rows) / 2
        axes = figure.add_axes((left / width, bottom / height, columns / width, rows / height))
        _draw_panel(axes, panel, grey, limits, picture)
        left += columns + GAP
    _colour_bar(figure, left / width, 14 / width)
    figure.text(GAP / width, 8 / height, _legend(picture), fontsize=8, color="0.35")
    figure.savefig(path, dpi=DPI, format="png", metadata={"Software": None})


def _panels(picture: Picture) -> list[_Panel]:
    axial, coronal, sagittal = three_planes(picture.field, picture.peak_mm, PANEL_PIXELS)
    panels = _all_panels(picture, axial, coronal, sagittal)
    # A handful of slices is no volume to cut across.
    return (
        panels
        if picture.field.shape[0] > FEW_SLICES
        else [one for one in panels if one.plane.axis == axial.axis]
    )


def _all_panels(picture: Picture, axial: Plane, coronal: Plane, sagittal: Plane) -> list[_Panel]:
    if picture.mask_mm is None:
        first = [_Panel("Axial, image", axial, bare=True), _Panel("Axial, attention's peak", axial)]
        return [
            *first,
            _Panel("Coronal, attention's peak", coronal),
            _Panel("Sagittal, attention's peak", sagittal),
        ]
    at_mask = three_planes(picture.field, picture.mask_mm, PANEL_PIXELS)[0]
    return [
        _Panel("Axial, most of the mask", at_mask, bare=True),
        _Panel("Axial, most of the mask", at_mask),
        _Panel("Axial, attention's peak", axial),
        _Panel("Coronal, attention's peak", coronal),
    ]


def _draw_panel(
    axes: Axes, panel: _Panel, grey: Float32[np.ndarray, "h w"], limits: tuple[float, float], picture: Picture
) -> None:
    plane, (rows, columns) = panel.plane, grey.shape
    axes.imshow(grey, cmap="gray", vmin=limits[0], vmax=limits[1], interpolation="bilinear")
    if not panel.bare:
        _draw_heatmap(axes, plane, picture)
        _draw_outline(axes, plane, picture)
        # Only where the plane cuts through it.
        if abs(float(picture.peak_mm[plane.axis]) - plane.across_mm) < picture.heatmap_grid.spacing_mm[0] / 2:
            row, column = plane.pixel(picture.peak_mm)
            axes.plot(column, row, "+", color="white", markersize=9, markeredgewidth=1.4, path_effects=EDGE)
    places = [(0.03, 0.5), (0.97, 0.5), (0.5, 0.97), (0.5, 0.03)]
    for letter, (x, y) in zip(plane.edges, places, strict=True):
        text = axes.text(x, y, letter, transform=axes.transAxes, color="white", fontsize=11)
        text.set(ha="center", va="center", path_effects=EDGE)
    axes.set_title(f"{panel.title}, {'xyz'[plane.axis]} = {plane.across_mm:+.0f} mm", fontsize=9, pad=5)
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    axes.set_axis_off()


def _draw_heatmap(axes: Axes, plane: Plane, picture: Picture) -> None:
    heat = heatmap_to_patient_grid(picture.heatmap, picture.heatmap_grid, plane.grid)[:, :, 0]
    opacity = np.where(heat > INVISIBLE, MOST_OPAQUE * heat, 0.0)
    axes.imshow(heat, cmap=COLOURS, vmin=0, vmax=1, alpha=opacity, interpolation="nearest")


def _draw_outline(axes: Axes, plane: Plane, picture: Picture) -> None:
    if picture.mask is None:
        return
    share = sample_on_grid(picture.mask, plane.grid, 0.0)[:, :, 0]
    if share.max() > HALF:
        axes.contour(share, levels=[HALF], colors=[OUTLINE], linewidths=1.3)


def _colour_bar(figure: Figure, left: float, width: float) -> None:
    axes = figure.add_axes((left, 0.2, width, 0.6))
    bar = figure.colorbar(ScalarMappable(Normalize(0, 1), COLOURS), cax=axes, ticks=[0, 0.5, 1])
    bar.ax.tick_params(labelsize=8, length=2)
    bar.set_label("attention, share of this image's peak", fontsize=8)


def _legend(picture: Picture) -> str:
    outline = "blue line: mask;  " if picture.mask is not None else ""
    words = window_in_words(picture.volume.modality)
    return f"{outline}+: attention's peak;  {words};  radiological convention (R: patient's right)"
