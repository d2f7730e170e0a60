"""`/uploads` of a real server: an image travels once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.imaging.making import Series
from tests.service.server import Server, problem
from tests.service.test_predict import RECORD, lasting

ABSENT = "0193c2f4-6a00-7a31-9c2e-5d1f0b7e8a90"


def uploaded(server: Server, *images: Path | tuple[str, bytes], **fields: str) -> httpx.Response:
    return server.predict(*images, path="/uploads", **fields)


def kept(server: Server) -> list[str]:
    return [path.name for path in (server.data / "previews").iterdir()]


def predicted(server: Server, **fields: str) -> httpx.Response:
    return server.client.post("/predict", files={name: (None, value) for name, value in fields.items()})


def test_a_preview_names_its_place_and_its_time(server: Server, head_ct: Path) -> None:
    response = uploaded(server, head_ct, task="gos")
    assert response.status_code == 201
    preview = response.json()
    assert list(preview) == ["id", "expires", "image", "warnings"]
    assert response.headers["location"] == f"/uploads/{preview['id']}/overview.png"
    assert server.client.get(response.headers["location"]).status_code == 200
    left = datetime.fromisoformat(preview["expires"]) - datetime.now(UTC)
    assert timedelta(minutes=28) < left <= timedelta(minutes=30)
    assert (
        preview["image"]["orientation"]
        == lasting(server.predict(head_ct, task="gos"))["image"]["orientation"]
    )


def test_an_upload_gives_the_answer_of_its_files_again_and_again(server: Server, head_ct: Path) -> None:
    upload = uploaded(server, head_ct, task="gos").json()["id"]
    sent = lasting(server.predict(head_ct, task="gos", ehr=RECORD))
    for _ in range(2):
        assert lasting(predicted(server, task="gos", upload=upload, ehr=RECORD)) == sent
    assert server.uploads_left() == []


def test_its_picture_is_a_png(server: Server, head_ct: Path) -> None:
    upload = uploaded(server, head_ct, task="gos").json()["id"]
    picture = server.client.get(f"/uploads/{upload}/overview.png")
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")


def test_the_series_that_was_named_at_the_preview_is_answered(server: Server, tmp_path: Path) -> None:
    made = {"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "BodyPartExamined": "HEAD"}
    soft, bone = (
        Series(extra={**made, "ConvolutionKernel": kernel, "SeriesNumber": number})
        for number, kernel in ((2, "STANDARD"), (3, "BONEPLUS"))
    )
    files = [
        path for number, series in enumerate((soft, bone)) for path in series.write(tmp_path / str(number))
    ]
    preview = uploaded(server, *files, task="gos", series=bone.series_uid).json()
    assert preview["image"]["series"]["chosen"]["number"] == 3
    assert bone.series_uid not in str(preview)
    for fields, number in (({}, 3), ({"series": soft.series_uid}, 2)):
        answer = predicted(server, task="gos", upload=preview["id"], heatmap="none", **fields).json()
        assert answer["image"]["series"]["chosen"]["number"] == number


def test_a_deleted_upload_is_unknown(server: Server, head_ct: Path) -> None:
    upload = uploaded(server, head_ct, task="gos").json()["id"]
    deleted = server.client.delete(f"/uploads/{upload}")
    assert (deleted.status_code, deleted.content, deleted.headers.get("content-type")) == (204, b"", None)
    assert upload not in kept(server)
    problem(server.client.delete(f"/uploads/{upload}"), 404, "unknown-upload")
    problem(server.client.get(f"/uploads/{upload}/overview.png"), 404, "unknown-upload")
    problem(predicted(server, task="gos", upload=upload), 404, "unknown-upload")


@pytest.mark.parametrize("upload", [ABSENT, "../../etc", "", "x" * 300])
def test_an_id_that_leads_nowhere_is_unknown(server: Server, upload: str) -> None:
    problem(predicted(server, task="gos", upload=upload), 404, "unknown-upload")


def test_files_beside_an_upload_are_malformed(server: Server, head_ct: Path) -> None:
    upload = uploaded(server, head_ct, task="gos").json()["id"]
    problem(server.predict(head_ct, task="gos", upload=upload), 400, "malformed-request")


def test_a_refused_image_gets_the_problem_of_predict_and_is_not_kept(server: Server, head_mr: Path) -> None:
    before = kept(server)
    for image in (head_mr, ("notes.nii.gz", b"only words, of no use here")):
        refusals = [server.predict(image, path=path, task="gos") for path in ("/uploads", "/predict")]
        documents = [{**refusal.json(), "request_id": None} for refusal in refusals]
        assert documents[0] == documents[1]
        assert refusals[0].status_code in {415, 422}
    assert kept(server) == before
    assert server.uploads_left() == []


@pytest.mark.parametrize("fields", [{}, {"task": "gos", "model": "gos"}, {"task": "gos", "ehr": "{}"}])
def test_a_form_of_other_parts_is_malformed(server: Server, head_ct: Path, fields: dict[str, str]) -> None:
    problem(uploaded(server, head_ct, **fields), 400, "malformed-request")


def test_an_id_in_capitals_means_the_same_upload(server: Server, head_ct: Path) -> None:
    upload = uploaded(server, head_ct, task="gos").json()["id"]
    assert predicted(server, task="gos", upload=upload.upper()).status_code == 200
    assert server.client.delete(f"/uploads/{upload.upper()}").status_code == 204
    assert upload not in kept(server)
