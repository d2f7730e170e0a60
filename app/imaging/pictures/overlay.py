"""The picture people look at: three planes through the heatmap's peak, image in grey, heatmap in colour.

CT shows the brain window (C40 W80), MR its 1st to 99th percentile. The heatmap's colour grows in lightness with its
value and its opacity is proportional to it, so where it is 0 the image is untouched.
"""

from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8
from PIL import Image, ImageDraw

from app.imaging.content import AIR
from app.imaging.pictures.drawing import FAINT, INK, MARGIN, annotate, font, window, window_in_words, wrapped
from app.imaging.pictures.planes import Plane, box_mm, three_planes
from app.imaging.pictures.png import write_png
from app.imaging.resample import heatmap_to_patient_grid, sample_on_grid
from app.imaging.volume import Grid, Volume

LONGEST_PIXELS: Final = 480
BAR_PIXELS: Final = 14
MOST_OPAQUE: Final = 0.75
NOTE_SIZE: Final = 13
NOTE_LINE: Final = 18
HALF_VOXEL: Final = 0.5 + 1e-6
INFERNO: Final = np.array(
    [[0, 0, 4], [51, 10, 95], [120, 28, 109], [188, 55, 84], [237, 105, 37], [251, 180, 26], [252, 255, 164]]
)
"""Matplotlib's `inferno` (CC0) at even steps: lightness grows evenly, readable without colour vision."""
SHADES: Final = 1024
COLOURS: Final = np.stack(
    [np.interp(np.linspace(0, 6, SHADES), range(7), INFERNO[:, channel]) for channel in range(3)], axis=-1
).astype(np.float32)


def write_overlay_png(
    volume: Volume, heatmap: Float32[np.ndarray, "D H W"], heatmap_grid: Grid, path: Path, note: str = ""
) -> None:
    """Draws image and heatmap in three planes.

    Args:
        volume: The patient's image.
        heatmap: [0, 1] on a grid of its own; each plane reads it there, so it is resampled once. It is shown where the
            patient's grid is.
        heatmap_grid: Where it lies: the network's grid, which is read fastest, or another.
        path: The PNG to write.
        note: What must be read with the picture, wherever it is taken; it stands below, in as many lines as it needs.
    """
    peak = _peak_mm(volume.grid, heatmap, heatmap_grid)
    planes = three_planes(volume.grid, peak, LONGEST_PIXELS)
    greys = [sample_on_grid(volume, plane.grid, AIR[volume.modality])[:, :, 0] for plane in planes]
    low, high = window(volume.modality, greys)
    panels = []
    for plane, grey in zip(planes, greys, strict=True):
        heat = heatmap_to_patient_grid(heatmap, heatmap_grid, plane.grid) * _inside(plane.grid, volume.grid)
        panels.append(_blend((grey - low) / (high - low), heat[:, :, 0]))
    write_png(_compose(planes, panels, peak, window_in_words(volume.modality), note), path)


def _peak_mm(
    patient: Grid, heatmap: Float32[np.ndarray, "D H W"], heatmap_grid: Grid
) -> Float64[np.ndarray, "3"]:
    """Place of the highest value in the patient's grid; the middle of it where the heatmap is empty."""
    seen = heatmap * _inside(heatmap_grid, patient)
    highest = np.unravel_index(int(np.argmax(seen)), seen.shape)
    if seen[highest] <= 0:
        return np.asarray(np.mean(box_mm(patient), axis=0))
    affine = heatmap_grid.affine
    return np.asarray(affine[:3, :3] @ np.array(highest, np.float64) + affine[:3, 3])


def _inside(points: Grid, patient: Grid) -> Bool[np.ndarray, "A B C"]:
    """Which points of a grid lie in the voxels of the patient's, half a voxel around their centres."""
    to_patient = np.linalg.solve(patient.affine, points.affine)
    steps = np.meshgrid(*map(np.arange, points.shape), indexing="ij", sparse=True)
    inside = np.ones(points.shape, np.bool_)
    for axis, size in enumerate(patient.shape):
        place = sum(to_patient[axis, i] * steps[i] for i in range(3)) + to_patient[axis, 3]
        inside &= (place >= -HALF_VOXEL) & (place <= size - 1 + HALF_VOXEL)
    return inside


def _blend(grey: Float32[np.ndarray, "h w"], heat: Float32[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    image = (np.clip(grey, 0, 1) * np.float32(255))[..., None]
    shade = (heat * np.float32(SHADES - 1) + np.float32(0.5)).astype(np.intp)
    blended = COLOURS.take(shade, axis=0, mode="clip")
    blended -= image
    blended *= (np.float32(MOST_OPAQUE) * heat)[..., None]
    blended += image
    return np.asarray(np.rint(blended, out=blended).astype(np.uint8))


def _compose(
    planes: list[Plane],
    panels: list[UInt8[np.ndarray, "h w 3"]],
    peak: Float64[np.ndarray, "3"],
    caption: str,
    note: str,
) -> Image.Image:
    width = sum(panel.shape[1] for panel in panels) + MARGIN * 4 + 3 * MARGIN
    height = max(panel.shape[0] for panel in panels) + 3 * MARGIN
    lines = wrapped(note, font(NOTE_SIZE), width - 2 * MARGIN)
    canvas = Image.new("RGB", (width, height + NOTE_LINE * len(lines)))
    draw = ImageDraw.Draw(canvas)
    left = MARGIN
    for plane, panel in zip(planes, panels, strict=True):
        top = MARGIN + (height - 3 * MARGIN - panel.shape[0]) // 2
        canvas.paste(Image.fromarray(panel), (left, top))
        annotate(draw, plane, (left, top), plane.pixel(peak))
        left += panel.shape[1] + MARGIN
    _colour_bar(canvas, draw, left + MARGIN // 2, height)
    draw.text((MARGIN, height - MARGIN), f"Radiological convention; {caption}", FAINT, font(13), anchor="lm")
    for row, line in enumerate(lines):
        draw.text((MARGIN, height - 6 + row * NOTE_LINE), line, INK, font(NOTE_SIZE), anchor="lm")
    return canvas


def _colour_bar(canvas: Image.Image, draw: ImageDraw.ImageDraw, left: int, height: int) -> None:
    length, top = height // 2, height // 4
    values = np.linspace(1, 0, length, dtype=np.float32)[:, None].repeat(BAR_PIXELS, axis=1)
    canvas.paste(Image.fromarray(_blend(np.full_like(values, 0.25), values)), (left, top))
    draw.text((left, top - 14), "attention", INK, font(13), anchor="lm")
    for value in (1.0, 0.5, 0.0):
        y = top + round((1 - value) * (length - 1))
        draw.text((left + BAR_PIXELS + 6, y), f"{value:.1f}", INK, font(12), anchor="lm")
