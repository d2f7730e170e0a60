"""A preview says of an image what its answer will say, and keeps the files; a refused image leaves nothing."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from app.data_folder.upload_store import UploadStore
from app.errors import RequestError, UploadTooLargeError
from app.imaging.load import load_case
from app.inference.predictor import Predictor
from app.predictions.answering import answer_case
from app.predictions.case import Case
from app.predictions.preview import Preview, Previewer


def preview(image: Path, predictor: Predictor, folder: Path, max_bytes: int = 10**8) -> Preview:
    """Preview a copy of an image, `sent`, with a store in `previews`."""
    shutil.copy(image, folder / "sent")
    previewer = Previewer(UploadStore(folder / "previews", max_bytes), load_case)
    return previewer.preview([folder / "sent"], predictor.package.manifest.image, "1.2.3", "")


def test_it_says_what_the_answer_says_of_the_image(
    gos_predictor: Predictor, head_ct: Path, tmp_path: Path
) -> None:
    seen = preview(head_ct, gos_predictor, tmp_path)
    answer = answer_case(Case((head_ct,), {"age": 71}, "none"), gos_predictor, tmp_path).answer
    assert seen.image == answer.image
    codes = {finding.code for finding in seen.image.findings}
    assert seen.warnings == [caution for caution in answer.warnings if caution.code in codes]


def test_what_it_keeps_gives_the_answer_of_the_image(
    gos_predictor: Predictor, head_ct: Path, tmp_path: Path
) -> None:
    seen = preview(head_ct, gos_predictor, tmp_path)
    with UploadStore(tmp_path / "previews", 10**8).using(seen.id) as kept:
        assert kept.series == kept.series_of("1.2.3") != "1.2.3"
        answers = [
            answer_case(Case(images, {}, "none"), gos_predictor, tmp_path).answer
            for images in (kept.images, (head_ct,))
        ]
    assert answers[0].prediction == answers[1].prediction


def test_it_draws_a_picture(gos_predictor: Predictor, head_ct: Path, tmp_path: Path) -> None:
    seen = preview(head_ct, gos_predictor, tmp_path)
    with UploadStore(tmp_path / "previews", 10**8).overview(seen.id) as path:
        picture = Image.open(path)
        picture.load()
    assert picture.format == "PNG"
    assert min(picture.size) > 100
    assert len(picture.getcolors(10**6) or []) > 50


@pytest.mark.parametrize("content", [b"only words, of no use here", b""])
def test_a_refused_image_leaves_nothing(gos_predictor: Predictor, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "words").write_bytes(content)
    with pytest.raises(RequestError):
        preview(tmp_path / "words", gos_predictor, tmp_path)
    assert list((tmp_path / "previews").iterdir()) == []


def test_an_upload_that_cannot_be_kept_is_refused_and_leaves_nothing(
    gos_predictor: Predictor, head_ct: Path, tmp_path: Path
) -> None:
    with pytest.raises(UploadTooLargeError):
        preview(head_ct, gos_predictor, tmp_path, max_bytes=1000)
    assert list((tmp_path / "previews").iterdir()) == []
