"""One picture of an image as it was read: three planes through the head, axial slices, and where the model looks.

For people who check geometry: every plane is read where it lies, in radiological convention, with letters, positions, a
scale bar, and the outline of the model's grid. CT shows the brain window (C40 W80),
MR its 1st to 99.8th percentile.
"""

from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32
from PIL import Image, ImageDraw

from app.imaging.content import AIR
from app.imaging.head.find import TOP_MM, find_head
from app.imaging.model_grid import ModelGrid
from app.imaging.pictures.drawing import FAINT, INK, MARGIN, MARK, annotate, font, window, window_in_words
from app.imaging.pictures.overview_layout import Layout, Panel, Place, faces, lay_out
from app.imaging.pictures.planes import Plane, box_mm
from app.imaging.pictures.png import write_png
from app.imaging.resample import place_model_grid, sample_on_grid
from app.imaging.volume import Grid, Volume

SCALE_BAR_MM: Final = 50
PERCENTILES: Final = (1.0, 99.8)
"""White for MR: above the brain, so that white matter is not drowned where the coil is near."""


def write_head_overview_png(volume: Volume, spec: ModelGrid | None, path: Path) -> None:
    """Draws the picture around the head, with the grid of a package.

    Args:
        volume: The image.
        spec: The package's grid; None where no model is at hand.
        path: The PNG to write.
    """
    head = find_head(volume)
    # Without a head, `vertex_mm` is the middle of the image.
    height = head.vertex_mm - TOP_MM / 2 if head.found else head.vertex_mm
    grid = place_model_grid(volume, spec) if spec else None
    write_overview_png(volume, np.array([*head.centre_mm, height]), grid, path)


def write_overview_png(volume: Volume, centre: Place, model_grid: Grid | None, path: Path) -> None:
    """Draws the picture.

    Args:
        volume: The image.
        centre: RAS mm of the middle of the head.
        model_grid: Where the network would look, outlined; None where no model is at hand.
        path: The PNG to write.
    """
    layout = lay_out(volume.grid, centre, model_grid)
    greys = [_read(volume, panel.plane) for panel in layout.planes]
    levels = window(volume.modality, greys, PERCENTILES)
    canvas = Image.new("RGB", layout.size)
    draw = ImageDraw.Draw(canvas)
    panels = (*layout.planes, *layout.tiles)
    for panel, grey in zip(panels, (*greys, *_read_together(volume, layout.tiles)), strict=True):
        canvas.paste(_shown(grey, levels), (panel.left, panel.top))
        if model_grid is not None:
            _outline(draw, panel, model_grid)
    crossing = np.clip(centre, *box_mm(volume.grid))
    for panel in layout.planes:
        annotate(draw, panel.plane, (panel.left, panel.top), panel.plane.pixel(crossing))
    for panel in layout.tiles:
        _label(draw, panel)
    _caption(draw, layout, window_in_words(volume.modality, PERCENTILES), outlined=model_grid is not None)
    write_png(canvas, path)


def _label(draw: ImageDraw.ImageDraw, panel: Panel) -> None:
    height = f"{panel.plane.across_mm:+.0f}"
    place = panel.left + 4, panel.top + 10
    draw.text(place, height, INK, font(11), anchor="lm", stroke_width=2, stroke_fill=(0, 0, 0))


def _read(volume: Volume, plane: Plane) -> Float32[np.ndarray, "h w"]:
    return sample_on_grid(volume, plane.grid, AIR[volume.modality])[:, :, 0]


def _read_together(volume: Volume, tiles: list[Panel]) -> list[Float32[np.ndarray, "h w"]]:
    """Reads all tiles from one block: an oblique volume is smoothed once, not once for every tile."""
    first = tiles[0].plane
    rows, columns, _ = first.grid.shape
    pixel_mm = first.grid.spacing_mm[0]
    layers = [round((tile.plane.across_mm - first.across_mm) / pixel_mm) for tile in tiles]
    affine = first.grid.affine.copy()
    affine[:3, 2] = 0, 0, pixel_mm
    block = sample_on_grid(volume, Grid((rows, columns, layers[-1] + 1), affine), AIR[volume.modality])
    return [block[:, :, layer] for layer in layers]


def _shown(grey: Float32[np.ndarray, "h w"], levels: tuple[float, float]) -> Image.Image:
    low, high = levels
    return Image.fromarray((np.clip((grey - low) / (high - low), 0, 1) * 255).round().astype(np.uint8))


def _outline(draw: ImageDraw.ImageDraw, panel: Panel, model_grid: Grid) -> None:
    """The faces of the model's grid where the plane cuts it; what lies outside the panel is not drawn."""
    low, high = faces(model_grid)
    if not low[panel.plane.axis] <= panel.plane.across_mm <= high[panel.plane.axis]:
        return
    rows, columns, _ = panel.plane.grid.shape
    (left, top), (right, bottom) = panel.on_canvas(high), panel.on_canvas(low)
    x, y = (
        np.clip([left, right], panel.left, panel.left + columns - 1),
        np.clip([top, bottom], panel.top, panel.top + rows - 1),
    )
    for edge, inside in ((left, x[0]), (right, x[1])):
        if edge == inside:
            draw.line((edge, y[0], edge, y[1]), MARK, 1)
    for edge, inside in ((top, y[0]), (bottom, y[1])):
        if edge == inside:
            draw.line((x[0], edge, x[1], edge), MARK, 1)


def _caption(draw: ImageDraw.ImageDraw, layout: Layout, window_words: str, *, outlined: bool) -> None:
    """The scale of both rows and what the picture shows."""
    y = layout.size[1] - MARGIN
    x = MARGIN
    for panel, name in ((layout.planes[0], "planes"), (layout.tiles[0], "slices")):
        length = round(SCALE_BAR_MM / panel.plane.grid.spacing_mm[0])
        draw.line((x, y, x + length, y), INK, 2)
        draw.text((x + length + 6, y), f"{SCALE_BAR_MM} mm, {name}", FAINT, font(13), anchor="lm")
        x += length + 120
    words = f"Radiological convention; {window_words}; slices at their height z in mm"
    draw.text((x, y), words, FAINT, font(13), anchor="lm")
    if outlined:
        draw.text(
            (x + draw.textlength(words + "; ", font(13)), y),
            "outlined: what the model sees",
            MARK,
            font(13),
            anchor="lm",
        )
