"""What came out, at a glance: one SVG without a library, in the colours of the page."""

from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

from app.model_package.manifest import Manifest
from app.predictions.result_lines import ANSWERED, Line

BINS: Final = 20
WIDTH, BAR, LEFT, TOP = 720, 150, 48, 76
_INK, _BLUE, _GREY = "#1f2933", "#2b6cb0", "#9aa5b1"


def draw_summary(lines: Sequence[Line], manifest: Manifest, path: Path) -> None:
    """Histogram of the probability that matters, and how many were answered, flagged, left open or refused.

    Args:
        lines: Of the results.
        manifest: Of the package.
        path: The SVG file.
    """
    path.write_text("\n".join(_svg(lines, manifest)) + "\n", encoding="utf-8")


def shown_column(manifest: Manifest) -> tuple[str, str]:
    """Which column is drawn, and its words: the favourable outcome where the task has one, else the last class."""
    if manifest.outputs.favourable:
        return "favourable", "Probability of a favourable outcome"
    last = manifest.outputs.classes[-1]
    return f"p_{last.label}", f"Probability of {last.title}"


def counts(lines: Sequence[Line]) -> dict[str, int]:
    """Answered, flagged as unlike training, abstained, failed."""
    answers = [line for line in lines if line["status"] == ANSWERED]
    return {
        "answered": len(answers),
        "unlike training (flagged)": sum(line["flagged"] == "yes" for line in answers),
        "not committed (abstained)": sum(line["abstained"] == "yes" for line in answers),
        "not answered": len(lines) - len(answers),
    }


def _svg(lines: Sequence[Line], manifest: Manifest) -> list[str]:
    column, words = shown_column(manifest)
    values = [float(line[column]) for line in lines if line["status"] == ANSWERED]
    heights = Counter(min(int(value * BINS), BINS - 1) for value in values)
    top, step, base = max(heights.values(), default=1), (WIDTH - 2 * LEFT) / BINS, TOP + BAR
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {base + 148}" font-family="system-ui, sans-serif" '
        f'font-size="13" fill="{_INK}" role="img">',
        f"<title>{escape(words)} in {len(values)} cases</title>",
        f'<rect width="{WIDTH}" height="{base + 148}" fill="#fff"/>',
        f'<text x="{LEFT}" y="26" font-size="17" font-weight="600">{escape(words)}</text>',
        f'<text x="{LEFT}" y="46" fill="#52606d">{len(values)} cases, {escape(manifest.name)}@{manifest.version}</text>',
    ]
    for index in range(BINS):
        height = BAR * heights[index] / top
        parts.append(
            f'<rect x="{LEFT + index * step + 1:.1f}" y="{base - height:.1f}" width="{step - 2:.1f}" height="{height:.1f}" '
            f'fill="{_BLUE}"><title>{index / BINS:.2f} to {(index + 1) / BINS:.2f}: {heights[index]}</title></rect>'
        )
        if heights[index]:
            parts.append(
                f'<text x="{LEFT + (index + 0.5) * step:.1f}" y="{base - height - 4:.1f}" font-size="11" text-anchor="middle">'
                f"{heights[index]}</text>"
            )
    parts.append(f'<path d="M{LEFT} {base}H{WIDTH - LEFT}" stroke="{_GREY}"/>')
    parts += [
        f'<text x="{LEFT + share * (WIDTH - 2 * LEFT):.1f}" y="{base + 18}" text-anchor="middle">{share:g}</text>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    ]
    for row, (name, count) in enumerate(counts(lines).items()):
        parts.append(f'<text x="{LEFT}" y="{base + 48 + 20 * row}">{name}: {count} of {len(lines)}</text>')
    parts.append(
        f'<text x="{LEFT}" y="{base + 136}" font-size="11" fill="#52606d">{escape(_short(manifest.intended_use))}</text>'
    )
    return [*parts, "</svg>"]


def _short(text: str, most: int = 110) -> str:
    return text if len(text) <= most else text[: most - 1].rsplit(" ", 1)[0] + " \N{HORIZONTAL ELLIPSIS}"
