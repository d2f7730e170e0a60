"""Earlier answers, asked of a real server: found, filtered, paged through, deleted."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.data_folder.layout import DataFolder
from tests.service.server import Server, named_below, problem


@pytest.fixture(scope="module")
def answers(server: Server, head_ct: Path, head_mr: Path) -> list[dict[str, Any]]:
    """Four answers, in the order in which they were given."""
    asked: list[tuple[Path, dict[str, str]]] = [
        (head_ct, {"task": "gos", "reference": "WL-1 50%", "keep": "image", "ehr": '{"age": 40, "gcs": 15}'}),
        (head_ct, {"model": "gos@1", "reference": "wl-2 50x", "ehr": '{"age": 90, "gcs": 3}'}),
        (head_mr, {"task": "ad", "reference": "WL-3"}),
        (head_ct, {"task": "gos", "reference": "WL-4", "heatmap": "none"}),
    ]
    given = [server.predict(image, **fields) for image, fields in asked]
    assert [response.status_code for response in given] == [200] * 4
    return [response.json() for response in given]


def listed(server: Server, **query: str | int) -> tuple[list[dict[str, Any]], int]:
    response = server.client.get("/predictions", params={"q": "wl-", **query})
    assert response.status_code == 200, response.text
    return response.json()["items"], response.json()["total"]


def ids(server: Server, **query: str | int) -> list[str]:
    return [item["id"] for item in listed(server, **query)[0]]


def test_a_line_says_what_the_answer_says(server: Server, answers: list[dict[str, Any]]) -> None:
    (item,), total = listed(server, q="WL-1")
    answer, prediction = answers[0], answers[0]["prediction"]
    assert total == 1
    assert item == {
        "id": answer["id"],
        "created": answer["created"],
        "release": answer["release"],
        "task": "gos",
        "model": {"name": "gos", "version": 2},
        "reference": "WL-1 50%",
        "label": prediction["label"],
        "favourable": prediction["favourable"],
        "probabilities": prediction["probabilities"],
        "abstained": prediction["abstained"],
        "out_of_distribution": prediction["out_of_distribution"]["flagged"],
        "findings": [finding["code"] for finding in answer["image"]["findings"]],
        "warnings": [caution["code"] for caution in answer["warnings"]],
        "has_image": True,
        "feedback": None,
    }


def test_the_image_is_kept_only_where_it_was_asked(server: Server, answers: list[dict[str, Any]]) -> None:
    kept = {item["id"]: item["has_image"] for item in listed(server)[0]}
    assert [kept[answer["id"]] for answer in answers] == [True, False, False, False]


def test_the_latest_comes_first_and_pages_add_up(server: Server, answers: list[dict[str, Any]]) -> None:
    latest = [answer["id"] for answer in reversed(answers)]
    assert ids(server) == latest
    assert ids(server, limit=3) + ids(server, limit=3, offset=3) == latest
    assert listed(server, limit=3, offset=9) == ([], 4)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"task": "ad"}, [2]), ({"model": "gos"}, [0, 1, 3]), ({"model": "gos@1"}, [1]), ({"model": "moon"}, []),
        ({"feedback": "none"}, [0, 1, 2, 3]), ({"feedback": "any"}, []), ({"q": "50%"}, [0]), ({"q": "50_"}, []),
        ({"until": "2020-01-01T00:00:00Z"}, []), ({"since": "2020-01-01T00:00:00Z", "task": ""}, [0, 1, 2, 3]),
    ],
)  # fmt: skip
def test_filters_narrow(
    server: Server, answers: list[dict[str, Any]], query: dict[str, str], found: list[int]
) -> None:
    assert ids(server, sort="created", **query) == [answers[place]["id"] for place in found]


def test_the_beginning_of_an_id_finds_it(server: Server, answers: list[dict[str, Any]]) -> None:
    assert ids(server, q=answers[1]["id"][:-4].upper()) == [answers[1]["id"]]
    assert ids(server, q=answers[1]["id"][1:]) == []


@pytest.mark.usefixtures("answers")
def test_the_probability_sorts_and_what_has_none_comes_last(server: Server) -> None:
    for sort, sign in (("favourable", 1), ("-favourable", -1)):
        values = [item["favourable"] for item in listed(server, sort=sort)[0]]
        assert values[-1] is None
        assert values[:-1] == sorted(values[:-1], key=lambda value: sign * value)


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("limit=201", "query.limit"), ("sort=document", "query.sort"), ("q=%00", "query.q"),
        ("since=2026-11-23T10:00:00", "query.since"), ("ZZCANARY=1", "query"),
    ],
)  # fmt: skip
def test_a_query_that_is_not_of_the_contract_is_malformed(server: Server, query: str, place: str) -> None:
    response = server.client.get(f"/predictions?{query}")
    assert problem(response, 400, "malformed-request")["parameters"] == [place]
    assert "ZZCANARY" not in response.text


def test_of_a_deleted_answer_nothing_is_left(server: Server, head_ct: Path) -> None:
    answer = server.predict(head_ct, task="gos", keep="image", reference="deleted").json()
    path = f"/predictions/{answer['id']}"
    server.client.put(f"{path}/feedback", json={"reason": "a mistake"}).raise_for_status()
    assert len(named_below(server.data, answer["id"])) == 3, "two files of the heatmap and the kept case"
    response = server.client.delete(path)
    assert (response.status_code, response.content, response.headers.get("content-type")) == (204, b"", None)
    assert named_below(server.data, answer["id"]) == []
    assert ids(server, q="deleted") == []
    for suffix in ("", "/feedback", "/heatmap.nii.gz", "/heatmap.png", "/image.nii.gz", "/record"):
        problem(server.client.get(path + suffix), 404, "unknown-prediction")
    assert answer["id"] not in server.client.get("/feedback.csv").text
    problem(server.client.delete(path), 404, "unknown-prediction")


def test_an_answer_that_cannot_be_read_is_said_to_be_so_and_can_be_deleted(
    server: Server, head_ct: Path
) -> None:
    answer = server.predict(head_ct, task="gos", keep="image", reference="unreadable").json()
    with closing(sqlite3.connect(DataFolder(server.data).database)) as database, database:
        # As after the way back to an older release.
        newer = "UPDATE predictions SET document = json_set(document, '$.task', 'newer') WHERE id = ?"
        database.execute(newer, [answer["id"]])
    path = f"/predictions/{answer['id']}"
    asked = [
        server.client.get(path + suffix) for suffix in ("", "/feedback", "/heatmap.png", "/image.nii.gz")
    ]
    asked.append(server.client.post(f"{path}/what-if", json={"ehr": {}}))
    asked.append(server.client.put(f"{path}/feedback", json={"agreement": "agree"}))
    for response in asked:
        assert "Send the case again" in problem(response, 500, "answer-unreadable")["detail"]
    assert [item["warnings"] for item in listed(server, q="unreadable")[0]] == [["answer-unreadable"]]
    assert server.client.delete(path).status_code == 204


def test_an_id_in_capitals_means_the_same_answer(server: Server, head_ct: Path) -> None:
    answer = server.predict(head_ct, task="gos", keep="image").json()
    path = f"/predictions/{answer['id'].upper()}"
    assert server.client.get(path).json() == answer
    for suffix in ("/feedback", "/heatmap.png", "/image.nii.gz"):
        assert server.client.get(path + suffix).status_code == 200
    assert server.client.post(f"{path}/what-if", json={"ehr": {}}).json()["id"] == answer["id"]
    assert server.client.delete(path).status_code == 204
    problem(server.client.get(f"/predictions/{answer['id']}"), 404, "unknown-prediction")


@pytest.mark.parametrize("name", ["heatmap.nii.gz", "heatmap.png", "image.nii.gz"])
def test_head_on_a_file_says_what_get_would_give(
    server: Server, answers: list[dict[str, Any]], name: str
) -> None:
    path = f"/predictions/{answers[0]['id']}/{name}"
    given, said = server.client.get(path), server.client.head(path)
    assert (said.status_code, said.content) == (200, b"")
    for header in ("content-type", "content-length", "etag", "cache-control"):
        assert said.headers[header] == given.headers[header]
    assert int(said.headers["content-length"]) == len(given.content)
