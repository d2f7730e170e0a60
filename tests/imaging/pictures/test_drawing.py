"""Words in a picture: places by their side, and lines below it that hold all of a text and are not wider than it."""

import pytest

from app.imaging.pictures.drawing import font, place_words, wrapped

USE = "Demonstration only: trained on phantoms (synthetic images and records), not for clinical use."


@pytest.mark.parametrize("width", [100, 300, 2000])
def test_a_text_is_broken_between_words_and_loses_none(width: int) -> None:
    lines = wrapped(USE, font(13), width)
    assert " ".join(lines) == USE
    assert max(map(font(13).getlength, lines)) <= width


def test_a_word_that_is_too_long_has_a_line_of_its_own() -> None:
    assert wrapped("a demonstration", font(13), 20) == ["a", "demonstration"]


def test_an_empty_text_has_no_line() -> None:
    assert wrapped("", font(13), 100) == []


@pytest.mark.parametrize(
    ("axis", "place_mm", "words"),
    [
        (0, 29.2, "R 29 mm"),
        (0, -29.2, "L 29 mm"),
        (1, 6.0, "A 6 mm"),
        (1, -6.0, "P 6 mm"),
        (2, -82.6, "I 83 mm"),
    ],
)
def test_a_place_is_named_by_its_side(axis: int, place_mm: float, words: str) -> None:
    assert place_words(axis, place_mm) == words
