"""What clinicians say of answers, asked of a real server."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from tests.service.server import Server, problem

CANARY = "ZZREASON"
NOTHING = {"agreement": None, "reason": None, "outcome": None, "updated": None}


@pytest.fixture(scope="module")
def answer(server: Server, head_ct: Path) -> dict[str, Any]:
    given: dict[str, Any] = server.predict(head_ct, task="gos", heatmap="none", reference="judged").json()
    return given


@pytest.fixture(scope="module")
def path(answer: dict[str, Any]) -> str:
    return f"/predictions/{answer['id']}/feedback"


def gist(server: Server) -> Any:
    (item,) = server.client.get("/predictions?q=judged").json()["items"]
    return item["feedback"]


def test_what_is_said_last_is_what_is_kept(server: Server, path: str) -> None:
    first = {"agreement": "disagree", "reason": "old infarct", "outcome": "gos_1"}
    second = {"agreement": "agree", "reason": None, "outcome": None}
    for said in (first, second):
        kept = server.client.put(path, json=said).json()
        assert {name: value for name, value in kept.items() if name != "updated"} == said
        assert kept["updated"].endswith("Z")
        assert server.client.get(path).json() == kept
        assert gist(server) == {name: said[name] for name in ("agreement", "outcome")}
    assert server.client.get("/predictions?q=judged&feedback=agree").json()["total"] == 1
    assert server.client.get("/predictions?q=judged&feedback=disagree").json()["total"] == 0


def test_saying_nothing_takes_back_what_was_said(server: Server, path: str) -> None:
    server.client.put(path, json={"agreement": "agree"}).raise_for_status()
    assert server.client.put(path, json={"reason": " \n "}).json() == NOTHING
    assert server.client.get(path).json() == NOTHING
    assert gist(server) is None
    assert "judged" not in server.client.get("/feedback.csv").text


def test_every_class_of_the_package_can_be_the_outcome_and_nothing_else(
    server: Server, path: str, answer: dict[str, Any]
) -> None:
    for label in answer["prediction"]["probabilities"]:
        assert server.client.put(path, json={"outcome": label}).json()["outcome"] == label
    refused = server.client.put(path, json={"outcome": "cn"})
    assert problem(refused, 422, "feedback-invalid")["known"] == list(answer["prediction"]["probabilities"])


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"agreement": "perhaps"}, "body.agreement"), ({"reason": "x" * 1001 + CANARY}, "body.reason"),
        ({"reason": f"{CANARY}\0"}, "body.reason"), ({"outcome": "x" * 65}, "body.outcome"), ({CANARY: 1}, "body"),
        ([], "body"),
    ],
)  # fmt: skip
def test_feedback_that_is_not_of_the_contract_is_malformed(
    server: Server, path: str, said: Any, place: str
) -> None:
    refused = server.client.put(path, json=said)
    assert problem(refused, 400, "malformed-request")["parameters"] == [place]
    assert CANARY not in refused.text


def test_feedback_that_says_two_things_at_once_is_refused(server: Server, path: str) -> None:
    both = b'{"agreement": "agree", "agreement": "disagree"}'
    refused = server.client.put(path, content=both, headers={"Content-Type": "application/json"})
    assert "unique names" in problem(refused, 400, "malformed-request")["detail"]


def test_a_body_that_is_too_large_is_refused(server: Server, path: str) -> None:
    problem(server.client.put(path, json={"reason": "x" * 2**20}), 413, "upload-too-large")


def test_nothing_is_said_of_an_answer_that_is_not_kept(server: Server) -> None:
    absent = "/predictions/absent/feedback"
    problem(server.client.get(absent), 404, "unknown-prediction")
    problem(server.client.put(absent, json={"agreement": "agree"}), 404, "unknown-prediction")


def test_the_table_has_what_was_said_beside_what_was_answered(
    server: Server, path: str, answer: dict[str, Any]
) -> None:
    said = {"agreement": "disagree", "reason": '=2+2, "quoted"\nand more', "outcome": "gos_2"}
    updated = server.client.put(path, json=said).json()["updated"]
    response = server.client.get("/feedback.csv")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == 'attachment; filename="feedback.csv"'
    rows = csv.DictReader(io.StringIO(response.text, newline=""))
    (row,) = [row for row in rows if row["id"] == answer["id"]]
    probabilities = {
        f"probability_{label}": repr(value) for label, value in answer["prediction"]["probabilities"].items()
    }
    assert row == {
        "id": answer["id"],
        "created": answer["created"],
        "reference": "judged",
        "release": answer["release"],
        "model": "gos",
        "version": "2",
        "sha256": answer["model"]["sha256"],
        "label": answer["prediction"]["label"],
        **{name: value for name, value in row.items() if name.startswith("probability_") and not value},
        **probabilities,
        "agreement": "disagree",
        "reason": "'" + said["reason"],
        "outcome": "gos_2",
        "updated": updated,
    }


def test_what_clinicians_write_is_never_logged(server: Server, path: str) -> None:
    server.client.put(path, json={"reason": CANARY}).raise_for_status()
    assert CANARY in server.client.get(path).text
    server.client.get("/feedback.csv")
    server.client.put(path, json={"reason": CANARY, "outcome": CANARY})
    log = server.log.read_text()
    assert "/predictions/{prediction_id}/feedback" in log
    assert CANARY not in log


def test_the_model_card_is_the_file_of_the_package(server: Server, tiny_store: Path) -> None:
    response = server.client.get("/models/gos/2/card")
    assert response.headers["content-type"] == "text/markdown; charset=utf-8"
    assert response.content == (tiny_store / "gos/2/MODEL_CARD.md").read_bytes()
    assert server.client.head("/models/gos/2/card").headers["etag"] == response.headers["etag"]
    problem(server.client.get("/models/gos/9/card"), 404, "unknown-model")
    problem(server.client.get("/models/gos/x/card"), 400, "malformed-request")
