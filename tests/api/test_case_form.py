"""From the parts of a form to a case."""

from pathlib import Path

import pytest

from app.api.case_form import MAX_REFERENCE, case_of
from app.api.form_receiver import Form
from app.data_folder.upload_store import KeptUpload
from app.errors import MalformedRequestError
from app.imaging.deidentify.dicom import series_uid
from app.predictions.case import Case

IMAGE = Path("000000")
UPLOAD = KeptUpload((Path("kept"),), "1.2.3", b"key")


def case(**fields: str) -> Case:
    return case_of(Form(fields, [IMAGE]), None, "")


def test_without_wishes_a_case_is_answered_plainly_and_its_image_not_kept() -> None:
    assert case() == Case((IMAGE,), {}, "native", None, "none", keep_image=False, reference=None)


def test_every_wish_is_read() -> None:
    read = case(ehr='{"age": 1}', heatmap="none", series="1.2", explain="ehr", keep="image", reference="K-17")
    assert read == Case((IMAGE,), {"age": 1}, "none", "1.2", "ehr", keep_image=True, reference="K-17")


def test_an_upload_stands_for_images_with_the_series_that_was_named_for_it() -> None:
    read = case_of(Form({"upload": "id"}), UPLOAD, "")
    assert (read.images, read.series) == (UPLOAD.images, "1.2.3")
    assert case_of(Form({"series": "4.5"}), UPLOAD, "").series == series_uid("4.5", b"key")


@pytest.mark.parametrize("sent", [" 1.2.3", "1.2.3\r\n", "1.2.3\0"])
def test_a_series_is_known_by_its_uid_whatever_fills_it_up(sent: str) -> None:
    assert case(series=sent).series == "1.2.3"
    assert case_of(Form({"series": sent}), UPLOAD, "").series == series_uid("1.2.3", b"key")


@pytest.mark.parametrize(("images", "upload"), [([], None), ([IMAGE], UPLOAD)])
def test_neither_and_both_are_malformed(images: list[Path], upload: KeptUpload | None) -> None:
    with pytest.raises(MalformedRequestError):
        case_of(Form({}, images), upload, "")


@pytest.mark.parametrize(
    "fields",
    [{"explain": "all"}, {"keep": "everything"}, {"keep": ""}, {"heatmap": "red"}, {"ehr": "[]"}],
)
def test_a_wish_that_is_none_of_those_offered_names_its_part(fields: dict[str, str]) -> None:
    with pytest.raises(MalformedRequestError) as refused:
        case(**fields)
    assert [refused.value.fields["part"]] == list(fields)


@pytest.mark.parametrize("reference", ["x" * (MAX_REFERENCE + 1), "line\nbreak", "\x00", "bell\a"])
def test_a_reference_is_short_and_printable_and_is_not_echoed(reference: str) -> None:
    with pytest.raises(MalformedRequestError) as refused:
        case(reference=reference)
    assert reference not in str(refused.value)
    assert reference not in str(refused.value.fields)


@pytest.mark.parametrize(
    ("sent", "kept"), [("", None), ("  ", None), (" Fall 17/b ", "Fall 17/b"), ("é" * 64, "é" * 64)]
)
def test_a_reference_is_kept_without_spaces_around_it(sent: str, kept: str | None) -> None:
    assert case(reference=sent).reference == kept
