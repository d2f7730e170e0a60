"""The service with its answers in PostgreSQL and its heatmaps in an object store, shared, restarted, and swept by age."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.api.predict_document import ANSWER
from app.identifiers import made_s
from app.records.predictions import KeptPrediction
from app.records.remote_artefacts import open_artefacts
from app.records.store import RecordStore
from tests.service.jobs import ASYNC, send
from tests.service.server import Server, named_below, problem, serving
from tests.support.postgres import PASSWORD, Postgres
from tests.support.s3 import BUCKET, ObjectStore
from tests.support.waiting import wait_until

PLACE = f"s3://{BUCKET}/service"
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def shared(postgres: Postgres, object_store: ObjectStore) -> Iterator[dict[str, Any]]:
    """Settings of every process that works on the same answers."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in object_store.environment.items():
            patch.setenv(name, value)
        yield {
            "database_url": postgres.make_database(),
            "artefacts": PLACE,
            "keep_heatmaps_days": 30,
            "keep_predictions_days": 365,
        }


@pytest.fixture(scope="module")
def aged(shared: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """Ids of answers that are 1, 60 and 400 days old when the service starts, with their heatmaps."""
    folder = tmp_path_factory.mktemp("aged")
    artefacts = open_artefacts(PLACE, folder, folder)
    ids = {}
    with closing(RecordStore(shared["database_url"])) as records:
        for days in (1, 60, 400):
            made = datetime.now(UTC) - days * DAY
            ids[days] = uuid7_of(made)
            records.predictions.add(
                KeptPrediction(
                    ids[days], made, "gos", 1, "0" * 64, json.dumps({**ANSWER, "id": ids[days]}), "gos", "gos_4", 0.7,
                    abstained=False, out_of_distribution=False, reference=f"{days} days",
                )
            )  # fmt: skip
            for suffix in ("nii.gz", "png"):
                (folder / suffix).write_text(f"{suffix} of {days}")
                artefacts.put(f"heatmaps/{ids[days]}.{suffix}", folder / suffix)
    return ids


def uuid7_of(moment: datetime) -> str:
    text = f"{int(moment.timestamp() * 1000):012x}70008000000000000000"
    identifier = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    assert made_s(identifier) == pytest.approx(moment.timestamp(), abs=0.001)
    return identifier


@pytest.fixture(scope="module")
def remote(
    gos_store: Path,
    shared: dict[str, Any],
    aged: dict[int, str],  # noqa: ARG001 - before the start
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    with serving(gos_store, tmp_path_factory.mktemp("remote") / "var", **shared) as running:
        yield running


@pytest.fixture(scope="module")
def answer(remote: Server, head_ct: Path) -> dict[str, Any]:
    response = remote.predict(head_ct, task="gos", reference="K-17")
    assert response.status_code == 200, response.text
    given: dict[str, Any] = response.json()
    return given


def test_an_answer_and_its_heatmap_come_from_elsewhere(
    remote: Server, answer: dict[str, Any], object_store: ObjectStore
) -> None:
    assert remote.client.get(f"/predictions/{answer['id']}").json() == answer
    for link, beginning in (("nifti", b"\x1f\x8b"), ("png", b"\x89PNG")):
        response = remote.client.get(answer["heatmap"][link])
        assert response.content.startswith(beginning)
        assert f"{answer['id']}" in object_store.objects()
    assert [path.name for path in named_below(remote.data, answer["id"])] == [answer["id"]]  # the kept case
    assert not (remote.data / "records.sqlite3").exists()


def test_a_heatmap_from_elsewhere_has_the_headers_of_a_file(remote: Server, answer: dict[str, Any]) -> None:
    path = answer["heatmap"]["nifti"]
    whole = remote.client.get(path)
    assert int(whole.headers["content-length"]) == len(whole.content)
    assert whole.headers["accept-ranges"] == "bytes"
    head = remote.client.head(path)
    assert (head.status_code, head.headers["etag"]) == (200, whole.headers["etag"])
    part = remote.client.get(path, headers={"Range": "bytes=2-5", "If-Range": whole.headers["etag"]})
    assert (part.status_code, part.content) == (206, whole.content[2:6])
    assert remote.uploads_left() == [], "the copies go once their responses were sent"


def test_the_worklist_and_feedback_are_those_of_the_database(remote: Server, answer: dict[str, Any]) -> None:
    said = remote.client.put(f"/predictions/{answer['id']}/feedback", json={"agreement": "agree"})
    assert said.status_code == 200
    page = remote.client.get("/predictions", params={"q": "k-1", "feedback": "agree"}).json()
    assert [item["id"] for item in page["items"]] == [answer["id"]]
    assert answer["id"] in remote.client.get("/feedback.csv").text


def test_answers_and_heatmaps_are_gone_at_their_age(
    remote: Server, aged: dict[int, str], object_store: ObjectStore
) -> None:
    oldest = f"/predictions/{aged[400]}"
    wait_until(lambda: remote.client.get(oldest).status_code == 404, look_s=0.1)
    problem(remote.client.get(oldest), 404, "unknown-prediction")

    def with_heatmap() -> list[int]:
        listed = object_store.objects()
        return [days for days, each in aged.items() if each in listed]

    wait_until(lambda: with_heatmap() == [1], look_s=0.1)
    assert remote.client.get(f"/predictions/{aged[60]}").status_code == 200
    problem(remote.client.get(f"/predictions/{aged[60]}/heatmap.png"), 410, "case-expired")
    assert remote.client.get(f"/predictions/{aged[1]}/heatmap.png").text == "png of 1"


def test_another_process_answers_for_the_same_cases(
    remote: Server, shared: dict[str, Any], gos_store: Path, head_ct: Path, tmp_path: Path
) -> None:
    with serving(gos_store, tmp_path / "var", **shared) as other:
        given = other.predict(head_ct, task="gos").json()
        assert remote.client.get(f"/predictions/{given['id']}").json() == given
        assert (
            remote.client.get(given["heatmap"]["png"]).content
            == other.client.get(given["heatmap"]["png"]).content
        )
        assert remote.client.delete(f"/predictions/{given['id']}").status_code == 204
        problem(other.client.get(given["heatmap"]["png"]), 404, "unknown-prediction")


def test_what_is_deleted_is_deleted_elsewhere(
    remote: Server, head_ct: Path, object_store: ObjectStore
) -> None:
    given = remote.predict(head_ct, task="gos").json()
    assert given["id"] in object_store.objects()
    assert remote.client.delete(f"/predictions/{given['id']}").status_code == 204
    assert given["id"] not in object_store.objects()


def test_a_database_that_is_gone_is_said_to_be_and_its_restart_needs_no_other(
    remote: Server, answer: dict[str, Any], postgres: Postgres
) -> None:
    postgres.stop()
    try:
        response = remote.client.get(f"/predictions/{answer['id']}")
        problem(response, 503, "storage-unavailable")
        assert int(response.headers["retry-after"]) > 0
        assert remote.client.get("/livez").status_code == 200
    finally:
        postgres.start()
    assert remote.client.get(f"/predictions/{answer['id']}").json() == answer


def test_a_database_that_does_not_answer_keeps_no_probe_waiting(
    remote: Server, postgres: Postgres, head_ct: Path
) -> None:
    batch = remote.client.post("/batches", json={"task": "gos"}).json()["id"]
    with ThreadPoolExecutor(2) as pool:
        with postgres.frozen():
            asking = [
                pool.submit(
                    send, remote, head_ct, ASYNC | {"Idempotency-Key": f"frozen-{part}"}, **{part: value}
                )
                for part, value in (("batch", batch), ("task", "gos"))
            ]
            # Both are as far as they can come well before that, and neither has an answer: a probe that waited for the database would not have one either.
            for _ in range(20):
                time.sleep(0.1)
                assert remote.client.get("/livez").status_code == 200
            assert not any(each.done() for each in asking)
        assert [each.result().status_code for each in asking] == [202, 202]


def test_an_id_that_postgresql_cannot_compare_is_refused(remote: Server) -> None:
    problem(remote.client.get("/predictions/%00"), 400, "malformed-request")


def test_no_line_of_the_log_tells_the_password_or_the_key(remote: Server, object_store: ObjectStore) -> None:
    log = remote.log.read_text()
    assert "database-unavailable" in log  # the restart above
    assert PASSWORD not in log
    assert object_store.environment["AWS_SECRET_ACCESS_KEY"] not in log
