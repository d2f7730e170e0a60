"""Forest plots as tables: every row keeps its words and numbers as text, and its interval as a small drawing on one scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from app.model_package.manifest import Metric
from training.report.style import BLUE, HAIRLINE, INK, QUIET
from training.report.words import decimal

WIDTH, HEIGHT, AXIS_HEIGHT, EDGE = 220, 20, 40, 12
TICKS = 4


@dataclass(frozen=True)
class Scale:
    """A common horizontal axis.

    Attributes:
        low: Value at the left.
        high: Value at the right.
        ticks: Marked values.
        reference: Where the line of no difference, or of the whole, stands.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    reference: float

    def x(self, value: float) -> float:
        """Place of a value in the drawing, held inside its edges."""
        share = (value - self.low) / (self.high - self.low)
        return round(EDGE + (WIDTH - 2 * EDGE) * min(max(share, 0.0), 1.0), 2)


def scale_for(metrics: Sequence[Metric], reference: float) -> Scale:
    """The axis that holds every interval and the reference, with round ticks."""
    values = [reference, *(end for metric in metrics for end in (metric.low, metric.high, metric.value))]
    low, high = min(values), max(values)
    spare = 0.04 * (high - low) or 0.1
    locator = MaxNLocator(nbins=TICKS, steps=[1, 2, 5, 10])
    ticks = [float(tick) for tick in locator.tick_values(low, high) if low - spare <= tick <= high + spare]
    return Scale(min(low - spare, *ticks), max(high + spare, *ticks), tuple(ticks), reference)


def mark(scale: Scale, metric: Metric | None) -> Markup:
    """A point with its interval; the reference line alone where there is none."""
    middle = HEIGHT / 2
    line = scale.x(scale.reference)
    parts = [f'<line x1="{line}" x2="{line}" y1="-14" y2="{HEIGHT + 14}" stroke="{HAIRLINE}"/>']
    if metric is not None:
        low, value, high = (scale.x(each) for each in (metric.low, metric.value, metric.high))
        parts += [
            f'<line x1="{low}" x2="{high}" y1="{middle}" y2="{middle}" stroke="{BLUE}" stroke-width="1.5"/>',
            *(
                f'<line x1="{end}" x2="{end}" y1="{middle - 3}" y2="{middle + 3}" stroke="{BLUE}" stroke-width="1.5"/>'
                for end in (low, high)
            ),
            f'<rect x="{value - 3.5:.2f}" y="{middle - 3.5}" width="7" height="7" fill="{BLUE}"/>',
        ]
    return _drawing(parts, HEIGHT)


def axis(scale: Scale, left: str, right: str) -> Markup:
    """The axis below the rows, with what either side means."""
    parts = [f'<line x1="{EDGE}" x2="{WIDTH - EDGE}" y1="1" y2="1" stroke="{QUIET}"/>']
    step = min((b - a for a, b in zip(scale.ticks, scale.ticks[1:], strict=False)), default=1.0)
    digits = max(0, math.ceil(-math.log10(step) - 1e-9))
    for tick in scale.ticks:
        x = scale.x(tick)
        parts.append(f'<line x1="{x}" x2="{x}" y1="1" y2="5" stroke="{QUIET}"/>')
        parts.append(
            f'<text x="{x}" y="16" text-anchor="middle" fill="{INK}" font-size="11">{decimal(tick, digits)}</text>'
        )
    for x, anchor, words in ((EDGE, "start", left), (WIDTH - EDGE, "end", right)):
        parts.append(
            f'<text x="{x}" y="33" text-anchor="{anchor}" fill="{QUIET}" font-size="11">{words}</text>'
        )
    return _drawing(parts, AXIS_HEIGHT)


def _drawing(parts: Sequence[str], height: int) -> Markup:
    body = "".join(parts)
    # Only numbers and this module's own words are written into the drawing.
    return Markup(f'<svg class="mark" aria-hidden="true" viewBox="0 0 {WIDTH} {height}">{body}</svg>')  # noqa: S704  # nosec B704
