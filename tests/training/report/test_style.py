"""Plots as part of a page."""

import re

import pytest
from matplotlib.axes import Axes

from training.report.style import CYCLE, HAIRLINE, INK, QUIET, inline, plot

READABLE = 4.5
"""Least contrast of text against white (WCAG 2.2, AA)."""


def _drawing(name: str, words: str = "a $5 < b & \N{CJK UNIFIED IDEOGRAPH-4E2D}") -> str:
    def draw(ax: Axes) -> None:
        ax.plot([0, 1], [0, 1])
        ax.set_xlabel(words)

    return plot(name, draw, 'what "it" shows')


def test_a_drawing_is_the_same_twice_and_only_its_ids_know_its_name() -> None:
    assert _drawing("one") == _drawing("one")
    assert _drawing("one").replace("one-", "two-") == _drawing("two")


def test_a_drawing_keeps_its_words_as_text_and_reaches_for_nothing() -> None:
    svg = _drawing("one")
    assert "a $5 &lt; b &amp; \N{CJK UNIFIED IDEOGRAPH-4E2D}" in svg
    assert "http" not in svg
    assert 'aria-label="what &#34;it&#34; shows"' in svg
    assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= set(re.findall(r'id="([^"]+)"', svg))


def test_a_drawing_without_a_size_is_refused() -> None:
    with pytest.raises(ValueError, match="viewBox"):
        inline("<svg><g/></svg>", "x", "y")


def _luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_colour_that_words_are_written_in_can_be_read_on_white() -> None:
    contrast = {color: 1.05 / (_luminance(color) + 0.05) for color in (*CYCLE[:5], INK, QUIET)}
    assert {color: value for color, value in contrast.items() if value < READABLE} == {}
    assert HAIRLINE not in contrast
