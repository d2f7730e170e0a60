"""The few shapes the documentation's pictures need, as SVG with a background of its own: readable on light and dark pages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape, quoteattr  # nosec B406

INK: Final = "#1f2933"
GREY: Final = "#7b8794"
SKIN: Final = "#e9e2d6"
STORED: Final = "#1f6fb2"
MADE: Final = "#c2570c"
MARK: Final = "#b4232a"

Point = tuple[float, float]
Frame = Callable[[float, float], Point]
"""Millimetres to pixels."""


@dataclass
class Picture:
    """One SVG under construction; all places in pixels, y downwards.

    Attributes:
        title: Read aloud in place of the picture.
        width: Pixels.
        height: Pixels.
    """

    title: str
    width: int
    height: int
    parts: list[str] = field(default_factory=list)

    def shape(self, tag: str, content: str = "", **attributes: str | float) -> None:
        """Adds one element; underscores in names become hyphens."""
        named = " ".join(
            f"{name.replace('_', '-')}={quoteattr(f'{value:.1f}' if isinstance(value, float) else str(value))}"
            for name, value in attributes.items()
        )
        self.parts.append(f"<{tag} {named}>{escape(content)}</{tag}>" if content else f"<{tag} {named}/>")

    def line(self, a: Point, b: Point, colour: str = INK, width: float = 1.5, dash: str = "none") -> None:
        """A straight line."""
        self.shape(
            "line",
            x1=a[0],
            y1=a[1],
            x2=b[0],
            y2=b[1],
            stroke=colour,
            stroke_width=width,
            stroke_dasharray=dash,
        )

    def arrow(self, a: Point, b: Point, colour: str = INK, width: float = 2.0) -> None:
        """A line with a head at its end."""
        self.line(a, b, colour, width)
        length = ((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2) ** 0.5
        x, y = (b[0] - a[0]) / length, (b[1] - a[1]) / length
        tip = (b[0] + 3 * x, b[1] + 3 * y)
        self.outline(
            [tip, (b[0] - 8 * x - 5 * y, b[1] - 8 * y + 5 * x), (b[0] - 8 * x + 5 * y, b[1] - 8 * y - 5 * x)],
            colour,
            colour,
        )

    def outline(
        self, points: Sequence[Point], fill: str = "none", colour: str = INK, width: float = 1.5
    ) -> None:
        """A closed polygon."""
        self.shape(
            "polygon",
            points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points),
            fill=fill,
            stroke=colour,
            stroke_width=width,
        )

    def dot(self, at: Point, colour: str = MARK, radius: float = 5.0) -> None:
        """A landmark."""
        self.shape("circle", cx=at[0], cy=at[1], r=radius, fill=colour)

    def text(self, at: Point, words: str, colour: str = INK, anchor: str = "middle", size: int = 14) -> None:
        """One line of text; nothing where there are no words."""
        if not words:
            return
        self.shape("text", words, x=at[0], y=at[1], fill=colour, text_anchor=anchor, font_size=size)

    def save(self, path: Path) -> None:
        """Writes the file."""
        size = f'width="{self.width}" height="{self.height}" viewBox="0 0 {self.width} {self.height}"'
        background = f'<rect width="{self.width}" height="{self.height}" rx="8" fill="#fbfaf7"/>'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" role="img">'
        lines = [head, f"<title>{escape(self.title)}</title>", background, *self.parts, "</svg>", ""]
        path.write_text("\n".join(lines), encoding="utf-8")
