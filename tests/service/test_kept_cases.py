"""What a real server answers while a case is kept, and afterwards."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.predictions.what_if_answer import Curve, WhatIf
from tests.service.server import Server, problem, serving
from tests.service.test_predict import RECORD, downloaded, loaded

SENT: dict[str, Any] = {
    "age": 71,
    "sex": "female",
    "gcs": 9,
    "glucose": {"value": 126, "unit": "mg/dL"},
    "inr": None,
}
ABSENT = "0193c2f4-6a00-7a31-9c2e-5d1f0b7e8a90"


def asked(server: Server, prediction_id: str, question: str, **body: Any) -> httpx.Response:
    return server.client.post(f"/predictions/{prediction_id}/{question}", json=body)


@pytest.fixture(scope="module")
def answer(server: Server, head_ct: Path) -> dict[str, Any]:
    response = server.predict(head_ct, task="gos", ehr=RECORD, keep="image", explain="ehr", reference="K-17")
    given: dict[str, Any] = response.raise_for_status().json()
    return given


def test_the_record_comes_back_as_it_was_sent(server: Server, answer: dict[str, Any]) -> None:
    record = server.client.get(f"/predictions/{answer['id']}/record")
    assert record.json() == {"ehr": SENT}


def test_what_if_nothing_changed_the_answer_is_the_answer(server: Server, answer: dict[str, Any]) -> None:
    again = asked(server, answer["id"], "what-if", ehr=SENT, explain="ehr").json()
    assert again == {"id": answer["id"], "prediction": answer["prediction"], "ehr": answer["ehr"]}
    assert WhatIf.model_validate(again).model_dump(mode="json") == again


def test_contributions_are_given_for_known_features_and_only_where_asked(
    server: Server, answer: dict[str, Any], head_ct: Path
) -> None:
    contributions = {each["name"]: each["effect"] for each in answer["ehr"]["contributions"]}
    assert list(contributions) == ["age", "sex", "gcs", "glucose"]
    rest = {name: value for name, value in SENT.items() if name != "gcs"}
    without = asked(server, answer["id"], "what-if", ehr=rest).json()
    assert without["ehr"]["contributions"] is None
    difference = answer["prediction"]["favourable"] - without["prediction"]["favourable"]
    assert contributions["gcs"] == pytest.approx(difference, abs=1e-6)
    plain = server.predict(head_ct, task="gos", ehr=RECORD).json()
    assert plain["ehr"]["contributions"] is None
    assert plain["prediction"] == answer["prediction"]


def test_a_curve_follows_a_feature(server: Server, answer: dict[str, Any]) -> None:
    curve = asked(server, answer["id"], "curve", ehr=SENT, feature="gcs").json()
    assert Curve.model_validate(curve).model_dump(mode="json") == curve
    assert curve["values"] == [*range(3, 16)]
    favourable = [outcome["favourable"] for outcome in curve["outcomes"]]
    assert favourable == sorted(favourable)  # the tiny package: a better score, a better outcome


def test_the_image_lies_where_the_heatmap_lies(
    server: Server, answer: dict[str, Any], head_ct: Path, tmp_path: Path
) -> None:
    image = downloaded(server, f"/predictions/{answer['id']}/image.nii.gz", tmp_path)
    voxels, affine = image.get_fdata(), image.affine
    heatmap = downloaded(server, answer["heatmap"]["nifti"], tmp_path)
    assert np.array_equal(affine, heatmap.affine)
    assert np.array_equal(voxels, loaded(head_ct).get_fdata())


@pytest.mark.samples
def test_the_image_of_a_tilted_series_lies_where_its_heatmap_lies(
    server: Server, samples: Path, tmp_path: Path
) -> None:
    slices = sorted((samples / "ct-head-ge").iterdir())
    given = server.predict(*slices, task="gos", keep="image").raise_for_status().json()
    image = downloaded(server, f"/predictions/{given['id']}/image.nii.gz", tmp_path)
    assert image.get_data_dtype() == np.int16
    placed = image.shape, image.affine
    heatmap = downloaded(server, given["heatmap"]["nifti"], tmp_path)
    assert placed[0] == heatmap.shape
    assert np.array_equal(placed[1], heatmap.affine)


def test_files_of_an_answer_that_is_deleted_while_they_are_read_come_whole_or_not_at_all(
    server: Server, head_ct: Path
) -> None:
    with ThreadPoolExecutor(2) as pool:
        for number in range(16):
            answer = server.predict(head_ct, task="gos", keep="image").json()
            names = ("heatmap.nii.gz", "image.nii.gz")
            reading = [
                pool.submit(server.client.get, f"/predictions/{answer['id']}/{name}") for name in names
            ]
            time.sleep(0.001 * number)  # so that the end comes at any moment of the reading
            assert server.client.delete(f"/predictions/{answer['id']}").status_code == 204
            for each in reading:
                response = each.result()  # a body shorter than its header says would be an error here
                assert response.status_code in {200, 404, 410}


def test_an_image_that_was_not_asked_for_is_not_kept(server: Server, head_ct: Path) -> None:
    given = server.predict(head_ct, task="gos").json()
    problem(server.client.get(f"/predictions/{given['id']}/image.nii.gz"), 410, "case-expired")
    folder = server.data / "cases" / given["id"]
    assert {path.name for path in folder.iterdir()} == {"tensor.npy", "record.json"}


def every_way_to_ask(server: Server, prediction_id: str) -> list[httpx.Response]:
    return [
        asked(server, prediction_id, "what-if", ehr={}),
        asked(server, prediction_id, "curve", ehr={}, feature="age"),
        server.client.get(f"/predictions/{prediction_id}/image.nii.gz"),
        server.client.get(f"/predictions/{prediction_id}/record"),
    ]


@pytest.mark.parametrize("prediction_id", [ABSENT, "absent"])
def test_a_prediction_that_is_not_kept_is_unknown(server: Server, prediction_id: str) -> None:
    for response in every_way_to_ask(server, prediction_id):
        problem(response, 404, "unknown-prediction")


@pytest.mark.parametrize(
    ("question", "body"),
    [
        ("what-if", {}),
        ("what-if", {"ehr": []}),
        ("what-if", {"ehr": {}, "explain": "all"}),
        ("what-if", {"ehr": {}, "unknown": 1}),
        ("curve", {"ehr": {}}),
        ("curve", {"ehr": {}, "feature": "age", "points": 1}),
        ("curve", {"ehr": {}, "feature": "age", "points": 102}),
    ],
)
def test_a_question_of_another_form_is_malformed(
    server: Server, answer: dict[str, Any], question: str, body: dict[str, Any]
) -> None:
    assert problem(asked(server, answer["id"], question, **body), 400, "malformed-request")["parameters"]


@pytest.mark.parametrize(
    "body",
    [
        '{"ehr": {"age": 40, "age": 80}, "feature": "gcs"}',
        '{"ehr": {"age": 40}, "ehr": {"age": 80}, "feature": "gcs"}',
        '{"ehr": {"age": {"value": 40, "unit": "a", "value": 80}}, "feature": "gcs"}',
        '{"ehr": {"age": NaN}, "feature": "gcs"}',
        100_000 * "[",
    ],
)
def test_a_body_that_parsers_read_differently_is_refused(
    server: Server, answer: dict[str, Any], body: str
) -> None:
    for question, sent in (("curve", body), ("what-if", body.replace(', "feature": "gcs"', ""))):
        path = f"/predictions/{answer['id']}/{question}"
        response = server.client.post(path, content=sent, headers={"Content-Type": "application/json"})
        assert "unique names" in problem(response, 400, "malformed-request")["detail"]


@pytest.mark.parametrize("question", ["what-if", "curve"])
def test_a_record_that_cannot_be_used_is_named_without_its_value(
    server: Server, answer: dict[str, Any], question: str
) -> None:
    feature = {"feature": "gcs"} if question == "curve" else {}
    response = asked(server, answer["id"], question, ehr={"age": 710710710}, **feature)
    assert problem(response, 422, "ehr-invalid")["features"][0]["name"] == "age"
    assert "710710710" not in response.text


def test_a_curve_over_no_feature_of_the_model_is_refused(server: Server, answer: dict[str, Any]) -> None:
    response = asked(server, answer["id"], "curve", ehr={}, feature="ZZCANARY")
    assert "age" in problem(response, 422, "ehr-invalid")["known"]
    assert "CANARY" not in response.text


def test_a_body_that_hides_its_length_is_refused_as_it_grows(server: Server, answer: dict[str, Any]) -> None:
    response = server.client.post(
        f"/predictions/{answer['id']}/what-if",
        content=iter([bytes(200_000)] * 6),
        headers={"Content-Type": "application/json"},
    )
    assert problem(response, 413, "upload-too-large")["limit"] == 2**20


def test_a_service_that_keeps_no_cases_answers_all_the_same_and_sweeps_what_was_left(
    gos_store: Path, head_ct: Path, tmp_path: Path
) -> None:
    left = [tmp_path / "var" / folder / ".half-written" for folder in ("cases", "previews")]
    for folder in left:
        folder.mkdir(parents=True)
    with serving(gos_store, tmp_path / "var", case_hours=0) as server:
        given = server.predict(head_ct, task="gos", keep="image").raise_for_status().json()
        for response in every_way_to_ask(server, given["id"]):
            problem(response, 410, "case-expired")
    assert [path for folder in left for path in folder.parent.iterdir()] == []
