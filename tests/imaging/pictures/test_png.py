"""What is written is what any reader of PNG sees: Pillow, which checks every sum."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from app.imaging.pictures.png import write_png

GREY = arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)))
COLOURED = arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3)))


@given(pixels=st.one_of(GREY, COLOURED))
def test_a_picture_reads_back_to_the_last_pixel(
    tmp_path_factory: pytest.TempPathFactory, pixels: np.ndarray
) -> None:
    path = tmp_path_factory.mktemp("png") / "a.png"
    write_png(Image.fromarray(pixels), path)
    with Image.open(path) as read:
        assert read.format == "PNG"
        assert read.mode == ("L" if pixels.ndim == 2 else "RGB")
        assert np.array_equal(np.asarray(read), pixels)
    with Image.open(path) as read:
        read.verify()


def test_the_same_picture_gives_the_same_bytes(tmp_path: Path) -> None:
    picture = Image.effect_mandelbrot((60, 40), (-2, -1, 1, 1), 100)
    for name in ("a.png", "b.png"):
        write_png(picture, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_rows_that_resemble_each_other_take_little_room(tmp_path: Path) -> None:
    ramp = np.tile(np.random.default_rng(0).integers(0, 255, 600, np.uint8), (400, 1))
    write_png(Image.fromarray(ramp), tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size < ramp.size / 20
