"""What the pictures share: how values become grey, letters at the edges, lines and their colours."""

import math
from functools import cache
from typing import Final

import numpy as np
from jaxtyping import Float32
from PIL import ImageDraw, ImageFont

from app.imaging.pictures.planes import Plane
from app.imaging.volume import Modality

MARGIN: Final = 28
BRAIN_WINDOW_HU: Final = (0.0, 80.0)
"""Centre 40, width 80."""
MR_PERCENTILES: Final = (1.0, 99.0)
INK: Final = (225, 225, 225)
MARK: Final = (120, 200, 255)
FAINT: Final = (105, 105, 105)
SIDES: Final = ("RL", "AP", "SI")
"""Where the RAS axes lead, and where they come from."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def window(
    modality: Modality,
    planes: list[Float32[np.ndarray, "h w"]],
    percentiles: tuple[float, float] = MR_PERCENTILES,
) -> tuple[float, float]:
    """Values shown black and white: the brain window for CT, percentiles of what is shown for MR."""
    if modality is Modality.CT:
        return BRAIN_WINDOW_HU
    low, high = np.percentile(np.concatenate([plane.ravel() for plane in planes]), percentiles)
    return float(low), max(float(high), float(low) + 1e-6)


def window_in_words(modality: Modality, percentiles: tuple[float, float] = MR_PERCENTILES) -> str:
    """The window, for the caption."""
    if modality is Modality.CT:
        return "brain window C40 W80"
    return f"window: 1st to {percentiles[1]:g}th percentile"


@cache
def font(size: int) -> Font:
    """The face of every letter; read once."""
    return ImageFont.load_default(size)


def place_words(axis: int, place_mm: float) -> str:
    """A coordinate by the side it lies on, `R 29 mm`: of a bare sign, DICOM's readers and NIfTI's would take each other's side.

    Args:
        axis: 0 right, 1 anterior, 2 superior.
        place_mm: RAS, from the scanner's origin.
    """
    return f"{SIDES[axis][place_mm < 0]} {abs(place_mm):.0f} mm"


def wrapped(text: str, face: Font, width: int) -> list[str]:
    """A text in lines of at most so many pixels, broken between words; none of an empty text."""
    lines: list[str] = []
    space, taken = face.getlength(" "), math.inf
    for word in text.split():
        # Each word once: to lay out every line anew for every word of it takes milliseconds of a picture.
        length = face.getlength(word)
        if taken + space + length <= width:
            lines[-1] += f" {word}"
            taken += space + length
        else:
            lines.append(word)
            taken = length
    return lines


def annotate(
    draw: ImageDraw.ImageDraw, plane: Plane, corner: tuple[int, int], crossing: tuple[int, int]
) -> None:
    """Letters at the edges, title and position above, short marks outside where the other planes cut.

    Args:
        draw: Of the canvas.
        plane: The plane whose picture is there.
        corner: (left, top) of its picture on the canvas.
        crossing: (row, column) in its picture where the other planes cut.
    """
    (left, top), (rows, columns, _) = corner, plane.grid.shape
    right, bottom = left + columns, top + rows
    middle_x, middle_y = left + columns // 2, top + rows // 2
    places = [(left + 10, middle_y), (right - 11, middle_y), (middle_x, top + 11), (middle_x, bottom - 12)]
    for letter, place in zip(plane.edges, places, strict=True):
        draw.text(place, letter, INK, font(15), anchor="mm", stroke_width=2, stroke_fill=(0, 0, 0))
    title = f"{plane.title}  {place_words(plane.axis, plane.across_mm)}"
    draw.text((left, top - 16), title, INK, font(13), anchor="lm")
    y, x = top + crossing[0], left + crossing[1]
    marks = (
        (left - 7, y, left - 2, y),
        (right + 1, y, right + 6, y),
        (x, top - 7, x, top - 2),
        (x, bottom + 1, x, bottom + 6),
    )
    for line in marks:
        draw.line(line, MARK, 1)
