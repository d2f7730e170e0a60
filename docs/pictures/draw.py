"""Draws the pictures of docs/concepts/coordinates.md: `python -m docs.pictures.draw`, from the repository's root.

Slices and grids are not sketched: they come from `app.imaging`, on a head of 150 x 190 x 170 mm.
"""

import argparse
import math
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float64

from app.imaging.geometry import Stack, stack_slices
from app.imaging.resample import VERTEX_MARGIN_MM
from docs.pictures.svg import GREY, INK, MADE, MARK, SKIN, STORED, Frame, Picture, Point

FOLDER: Final = Path(__file__).parent
TILT_DEGREES: Final = 18.5
PIXELS: Final = 100
PIXEL_MM: Final = 2.0
VERTEX_MM: Final = 85.0


def main() -> None:
    """Draws all of them."""
    argparse.ArgumentParser(prog="python -m docs.pictures.draw", description=__doc__).parse_args()
    frames().save(FOLDER / "frames.svg")
    tilt().save(FOLDER / "tilt.svg")
    model_grid().save(FOLDER / "model-grid.svg")
    way_back().save(FOLDER / "way-back.svg")


def frames() -> Picture:
    """One landmark in both frames."""
    picture = Picture("The same landmark in RAS and in LPS", 760, 400)
    picture.text(
        (380, 28), "One head seen from the feet, nose up: the patient's right is on your left", size=15
    )
    _frame(
        picture, 190, "RAS+  (NIfTI, and all code here)", (-1, "x: Right", "y: Anterior"), "(40, 50, 25) mm"
    )
    _frame(picture, 570, "LPS+  (DICOM)", (1, "x: Left", "y: Posterior"), "(-40, -50, 25) mm")
    picture.arrow((450, 215), (310, 215))
    picture.text((380, 204), "ras_from_lps")
    picture.text((380, 236), "x and y change sign,", size=12)
    picture.text((380, 252), "z does not", size=12)
    return picture


def _frame(picture: Picture, middle: float, name: str, axes: tuple[int, str, str], landmark: str) -> None:
    sign, x_name, y_name = axes
    _axial_head(picture, lambda x, y: (middle - 1.2 * x, 215 - 1.2 * y))
    picture.text((middle, 62), name, size=16)
    picture.arrow((middle, 215), (middle + sign * 72, 215), STORED)
    picture.arrow((middle, 215), (middle, 215 + sign * 72), STORED)
    picture.text((middle + sign * 42, 234), x_name, STORED)
    picture.text((middle + 8, 220 + sign * 80), y_name, STORED, "start")
    picture.dot((middle - 1.2 * 40, 215 - 1.2 * 50))
    picture.text((middle, 354), landmark, MARK, size=16)
    picture.text((middle, 376), "z: Superior, away from you", GREY, size=12)


def tilt() -> Picture:
    """A tilted stack from the side."""
    picture = Picture("A tilted stack: stored slices, corrected grid, reading path", 800, 400)
    stack = _tilted_stack()
    place: Frame = lambda y, z: (220 - 1.25 * y, 190 - 1.25 * z)  # noqa: E731 - one expression
    _side_head(picture, place)
    across = stack.step_j * PIXELS
    affine, (_, rows, slices) = stack.grid.affine, stack.grid.shape

    def corrected(j: float, k: float) -> Point:
        return _seen(place, affine[:3] @ [0, j, k, 1])

    for k in range(slices):
        picture.line(corrected(0, k), corrected(rows, k), MADE, 0.8, "3 3")
    for origin in stack.slice_origins:
        picture.line(_seen(place, origin), _seen(place, origin + across), STORED, 2.2)
    picture.outline(
        [
            corrected(-0.5, -0.5),
            corrected(rows - 0.5, -0.5),
            corrected(rows - 0.5, slices - 0.5),
            corrected(-0.5, slices - 0.5),
        ],
        colour=MADE,
        width=2,
    )
    low, high = stack.slice_origins[0] + 0.4 * across, stack.slice_origins[-1] + 0.4 * across
    picture.line(_seen(place, low), _seen(place, high), MARK, 2, "5 4")
    picture.dot(_seen(place, (low + high) / 2 + [0, 0, 6]))
    _notes(
        picture,
        460,
        (
            (86, "Stored slices", STORED, "each at its own Image Position (Patient)"),
            (
                146,
                "Corrected grid: where results come back",
                MADE,
                "slices along their normal, the median gap,",
            ),
            (165, "", MADE, "wide enough for every stored slice"),
            (226, "Reading path", MARK, "between two slices along the stack, from a"),
            (245, "", MARK, "pixel of one to the same pixel of the next"),
            (306, f"Gantry tilt of {TILT_DEGREES} degrees", INK, "seen from the patient's left"),
        ),
    )
    return picture


def model_grid() -> Picture:
    """Uneven gaps, and the model's grid hung from the vertex."""
    picture = Picture("Uneven gaps, and the model's grid hung from the vertex", 800, 380)
    place: Frame = lambda y, z: (190 - 1.35 * y, 170 - 1.35 * z)  # noqa: E731 - one expression
    _side_head(picture, place)
    for depth in np.cumsum([-78.0, *[4.0] * 14, *[7.0] * 16]):
        picture.line(place(-105, depth), place(105, depth), STORED, 1.2)
    top = VERTEX_MM + VERTEX_MARGIN_MM
    for z in np.arange(top, top - 8 * 17, -8.0):
        picture.line(place(-96, z), place(96, z), MADE, 1, "3 3")
    corners = [place(-96, top), place(96, top), place(96, top - 128), place(-96, top - 128)]
    picture.outline(corners, colour=MADE, width=2.5)
    picture.dot(place(0, VERTEX_MM), MARK, 4)
    above, vertex = place(-98, top), place(0, VERTEX_MM)
    picture.line(above, (388, above[1] - 12), MADE)
    picture.line(vertex, (388, vertex[1] + 18), MARK)
    _notes(
        picture,
        395,
        (
            (
                above[1] - 8,
                f"Top of the model's grid, {VERTEX_MARGIN_MM:.0f} mm above the vertex",
                MADE,
                "",
            ),
            (vertex[1] + 23, "Vertex: the top of the head", MARK, ""),
            (118, "Stored slices, 7 mm apart above", STORED, ""),
            (152, "The model's grid", MADE, "one shape and spacing for every patient, axes along RAS,"),
            (171, "", MADE, "centred in-plane on the head's top 120 mm"),
            (250, "Stored slices, 4 mm apart at the skull base", STORED, ""),
            (290, "Chin and neck", GREY, "in the image or not: they do not move the grid"),
        ),
    )
    return picture


def way_back() -> Picture:
    """From the heatmap's hottest voxel to the patient's."""
    picture = Picture("A heatmap's way back to the patient's grid", 800, 390)
    coarse: Frame = lambda i, j: (40 + 30 * i, 95 + 30 * j)  # noqa: E731 - one expression
    c, s = math.cos(math.radians(24)), math.sin(math.radians(24))
    turned: Frame = lambda i, j: (575 + 13 * (c * i - s * j), 85 + 13 * (s * i + c * j))  # noqa: E731 - one expression
    for corner, peak, size, reach, colour in (
        (coarse, (4, 2), 7, 1.0, MADE),
        (turned, (9, 7), 15, 2.0, STORED),
    ):
        _heat(picture, corner, peak, size, reach)
        for n in range(size + 1):
            picture.line(corner(0, n), corner(size, n), colour, 0.9)
            picture.line(corner(n, 0), corner(n, size), colour, 0.9)
        picture.dot(corner(peak[0] + 0.5, peak[1] + 0.5), MARK, 4)
    (x, y), home = coarse(4.5, 2.5), turned(9.5, 7.5)
    picture.arrow((x + 10, y), (342, y), MARK)
    picture.text((378, y + 5), "RAS mm", MARK, size=15)
    picture.arrow((412, y), (home[0] - 10, home[1] - 1), MARK)
    for at, words, colour in (
        ((322, y + 34), "the model's affine", MADE),
        ((322, y + 50), "times to_model_grid", MADE),
        ((440, y + 64), "inverse of the", STORED),
        ((440, y + 80), "patient's affine", STORED),
        ((145, 72), "few voxels, axes of the patient", INK),
        ((610, 62), "stored axes; every voxel is read at its own centre", INK),
    ):
        picture.text(at, words, colour, size=12)
    picture.text((145, 50), "Heatmap of the network", MADE, size=16)
    picture.text((610, 40), "Heatmap file on the patient's grid", STORED, size=16)
    picture.text(
        (400, 370),
        "The peak lands in the voxel that holds its place; outside the model's grid the file reads 0",
        size=13,
    )
    return picture


def _notes(picture: Picture, left: float, notes: tuple[tuple[float, str, str, str], ...]) -> None:
    """Headings at their heights, each with a line of words below."""
    for y, heading, colour, words in notes:
        picture.text((left, y), heading, colour, "start", 15)
        picture.text((left, y + 19), words, INK, "start", 13)


def _heat(picture: Picture, corner: Frame, peak: tuple[int, int], size: int, reach: float) -> None:
    """Cells around a peak, paler with distance."""
    for i in range(size):
        for j in range(size):
            heat = max(0.0, 1 - math.hypot(i - peak[0], j - peak[1]) / (1.8 * reach))
            if heat > 0:
                cell = [corner(i, j), corner(i + 1, j), corner(i + 1, j + 1), corner(i, j + 1)]
                picture.outline(cell, f"rgb(255,{235 - int(130 * heat)},{200 - int(160 * heat)})", "none")


def _tilted_stack() -> Stack:
    """Thirteen slices, stacked 12 mm apart along z and turned about x."""
    angle = math.radians(TILT_DEGREES)
    step_j = PIXEL_MM * np.array([0.0, -math.cos(angle), -math.sin(angle)])
    middles = np.array([[0.0, 0.0, z] for z in np.arange(-72.0, 73.0, 12.0)])
    return stack_slices(np.array([-PIXEL_MM, 0, 0]), step_j, middles - step_j * PIXELS / 2, (PIXELS, PIXELS))


def _seen(place: Frame, point: Float64[np.ndarray, "3"]) -> Point:
    """From the patient's left: anterior to the left."""
    return place(float(point[1]), float(point[2]))


def _side_head(picture: Picture, place: Frame) -> None:
    around = [(95 * math.cos(t), 85 * math.sin(t)) for t in np.linspace(-0.2, math.pi + 0.75, 50)]
    neck = [(-55.0, -110.0), (20.0, -112.0)]
    face = [(62.0, -96.0), (84.0, -74.0), (86.0, -58.0), (106.0, -46.0), (94.0, -20.0)]
    picture.outline([place(y, z) for y, z in (*around, *neck, *face)], SKIN, GREY)


def _axial_head(picture: Picture, place: Frame) -> None:
    nose = [(-9.0, 93.0), (0.0, 108.0), (9.0, 93.0)]
    picture.outline([place(x, y) for x, y in nose], SKIN, GREY)
    picture.outline(
        [place(75 * math.cos(t), 95 * math.sin(t)) for t in np.linspace(0, 2 * math.pi, 60)], SKIN, GREY
    )


if __name__ == "__main__":
    main()
