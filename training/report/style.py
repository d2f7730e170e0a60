"""One look for every plot: palette, type and axes; and a figure as inline SVG with the same bytes for the same data.

Colours are Okabe and Ito's (2008), which people with colour-vision deficiency can tell apart; the yellow is left out, since it
cannot be read on white.
"""

import math
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Plot

from training.report.words import clipped

FONTS = Path(__file__).parent / "fonts"
INK = "#1a1f26"
QUIET = "#5a6472"
HAIRLINE = "#c9d0d8"
BLUE = "#0072b2"
VERMILION = "#b84a00"
GREEN = "#00795a"
PURPLE = "#9c4f80"
SKY = "#3f8fbf"
ORANGE = "#a06800"
CYCLE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
DASHES: tuple[tuple[int, tuple[float, ...]], ...] = (
    (0, ()),
    (0, (5, 1.6)),
    (0, (1.2, 1.2)),
    (0, (6, 1.5, 1.2, 1.5)),
)
"""Colour is never the only difference between lines: each also has a dash and a label."""
LONGEST_LABEL = 22
WIDTH_IN = 3.45
"""A column of a journal, and a phone held upright: no plot is ever shrunk below it."""

STYLE: dict[Any, Any] = {
    "font.family": ["Inter", "DejaVu Sans"],
    "font.size": 8.0,
    "axes.labelsize": 8.0,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "lines.linewidth": 1.4,
    "text.color": INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.fonttype": "none",  # text stays text: it can be searched, copied and read aloud
    "text.parse_math": False,  # a cohort's words may hold a dollar sign
    "svg.hashsalt": "neurofuse",
    "path.simplify": True,
    "path.simplify_threshold": 0.2,
}


@cache
def register_fonts() -> None:
    """Let matplotlib measure text with the fonts that the page carries; semibold is the page's bold."""
    for path, weight in ((FONTS / "Inter-Regular.ttf", 400), (FONTS / "Inter-SemiBold.ttf", 700)):
        entry = font_manager.ttfFontProperty(font_manager.get_font(path))
        font_manager.fontManager.ttflist.append(replace(entry, name="Inter", weight=weight))


def plot(
    name: str,
    draw: Callable[[Axes], None],
    alternative: str,
    height_in: float = 2.9,
) -> Markup:
    """Draw one pair of axes.

    Args:
        name: Unique within the page; prefixes the ids of the drawing.
        draw: Fills the axes.
        alternative: What the plot shows, for who cannot see it.
        height_in: Height in inches.
    """
    return figure(name, lambda canvas: draw(canvas.add_subplot()), alternative, height_in)


def figure(
    name: str,
    draw: Callable[[Plot], None],
    alternative: str,
    height_in: float = 2.9,
    width_in: float = WIDTH_IN,
) -> Markup:
    """As `plot`, for a drawing that lays out its own axes."""
    register_fonts()
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # A cohort's words may be in any script; the browser has fonts that this page does not.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        canvas = Plot(figsize=(width_in, height_in), layout="constrained")
        draw(canvas)
        sheet = StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        canvas.savefig(sheet, format="svg", metadata=nothing)
    return inline(sheet.getvalue(), name, alternative)


def inline(svg: str, name: str, alternative: str) -> Markup:
    """A stand-alone SVG as an element of an HTML page: no prologue, no namespaces, ids of its own, a text alternative."""
    body = svg[svg.index("<svg") :]
    opening, rest = body.split(">", 1)
    size = re.search(r'viewBox="([^"]+)"', opening)
    if size is None:
        raise ValueError("expected an SVG with a viewBox")
    width_pt = float(size[1].split()[2])
    rest = re.sub(r'\bid="', f'id="{name}-', rest)
    rest = rest.replace("url(#", f"url(#{name}-").replace('xlink:href="#', f'href="#{name}-')
    rest = re.sub(r"\n\s*", "\n", rest).strip()
    head = f'<svg role="img" aria-label="{escape(alternative)}" viewBox="{size[1]}" style="width:{width_pt / 72:.3f}in">'
    return Markup(head + rest)  # noqa: S704 - matplotlib escapes its text, the label is escaped above  # nosec B704


def label_line(ax: Axes, text: str, at: tuple[float, float], color: str, va: str) -> None:
    """Write a line's name beside it, instead of a legend."""
    ax.annotate(
        clipped(text, LONGEST_LABEL),
        at,
        color=color,
        fontsize=7.5,
        fontweight="bold",
        xytext=(6, 0),
        textcoords="offset points",
        va=va,
    )


class End(NamedTuple):
    """The right end of a line, with its name."""

    x: float
    y: float
    text: str
    color: str


def label_ends(ax: Axes, ends: Sequence[End]) -> None:
    """Names at the ends of lines, pushed upwards where they would touch; a line that ends early is named where it ends."""
    low, high = ax.get_ylim()
    gap = (high - low) * 0.065
    right = max((end.x for end in ends), default=1.0)
    last = -math.inf
    for end in sorted(ends, key=lambda each: each.y):
        if end.x < 0.9 * right:
            label_line(ax, end.text, (end.x, end.y), end.color, va="bottom")
            continue
        last = max(end.y, last + gap)
        label_line(ax, end.text, (right, last), end.color, va="center")


def unit_square(ax: Axes, x: str, y: str) -> None:
    """Both axes from 0 to 1 with equal scale."""
    ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel=x, ylabel=y, aspect="equal")
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
