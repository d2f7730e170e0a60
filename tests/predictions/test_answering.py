"""What an answer's files say when they are taken out of it."""

from pathlib import Path

import pytest

from app.imaging.pictures.overlay import write_overlay_png
from app.inference.predictor import Predictor
from app.predictions.answering import PNG_NAME, answer_case
from app.predictions.case import Case

USE = "gos version 1. Tests of the software only."


@pytest.mark.parametrize(
    ("record", "note"),
    [({}, USE), ({"age": 110, "gcs": 3}, f"{USE} The model abstained on this case.")],
    ids=["committed", "abstained"],
)
def test_the_picture_says_which_model_made_it_what_for_and_that_it_abstained(
    gos_predictor: Predictor, head_ct: Path, tmp_path: Path, record: dict[str, object], note: str
) -> None:
    found = answer_case(Case((head_ct,), record), gos_predictor, tmp_path).analysis
    drawn = (tmp_path / PNG_NAME).read_bytes()
    again = tmp_path / "again.png"
    for words, is_same in ((note, True), ("", False)):
        write_overlay_png(found.volume, found.outputs.heatmap, found.heatmap_grid, again, words)
        assert (drawn == again.read_bytes()) is is_same


@pytest.mark.parametrize("alone", [False, True])
def test_whether_others_want_the_cores_is_asked_when_the_heatmap_is_drawn(
    gos_predictor: Predictor, head_ct: Path, tmp_path: Path, alone: bool
) -> None:
    drawn: list[bool] = []

    def ask() -> bool:
        drawn.append((tmp_path / PNG_NAME).exists())
        return alone

    for choice in ("native", "none"):
        answer_case(Case((head_ct,), {}, choice), gos_predictor, tmp_path, alone=ask)
    assert drawn == [False]
    assert (tmp_path / PNG_NAME).exists()
