"""Cases that are accepted now and answered later: one answer each, whoever asks how often, and nothing left behind."""

import base64
import csv
import hashlib
import hmac
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.identifiers import uuid7
from app.inference.ticket import Urgency
from app.records.jobs import Job
from app.records.store import RecordStore
from tests.service.jobs import ASYNC, LOOK_S, NO_CT, Receiver, accepted, ended, receiving, send, state
from tests.service.processes import held
from tests.service.server import Server, files_below, problem, serving
from tests.support.waiting import wait_until

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
CANARY = "ZZCANARY"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture(scope="module")
def server(
    tiny_store: Path, tmp_path_factory: pytest.TempPathFactory, receiver: Receiver
) -> Iterator[Server]:
    """A service that works on one case at a time, takes six jobs, and may tell the receiver."""
    settings: dict[str, Any] = {
        "max_concurrent": 1, "read_workers": 1, "job_limit": 6, "webhook_hosts": receiver.url, "webhook_secret": SECRET,
    }  # fmt: skip
    with serving(tiny_store, tmp_path_factory.mktemp("jobs") / "var", **settings) as running:
        yield running


def wait_until_gone(folder: Path, pattern: str = "*") -> None:
    """Files go right after the state of their job is seen: the state comes first, or a kill between the two would lose the job."""
    wait_until(lambda: not any(path.match(pattern) for path in files_below(folder)))


def test_a_job_is_answered_as_the_case_is_answered_at_once(server: Server, head_ct: Path) -> None:
    record = '{"age": 71, "gcs": 9}'
    response = send(server, head_ct, task="gos", ehr=record, reference="K-17")
    job_id = accepted(response)
    assert response.headers["preference-applied"] == "respond-async"
    assert int(response.headers["retry-after"]) > 0
    status = ended(server, job_id)
    assert (status["state"], status["model"], status["priority"]) == ("done", "gos@2", "batch")
    answer = server.client.get(response.headers["location"]).json()
    at_once = server.predict(head_ct, task="gos", ehr=record).json()
    assert {name: answer[name] for name in ("prediction", "ehr", "image", "model")} == {
        name: at_once[name] for name in ("prediction", "ehr", "image", "model")
    }
    assert answer["id"] == job_id
    assert server.client.get(answer["heatmap"]["nifti"]).status_code == 200
    assert server.client.get("/predictions", params={"q": "K-17"}).json()["items"][0]["id"] == job_id
    wait_until_gone(server.data / "jobs")


def test_a_job_that_is_done_in_time_is_answered_at_once(server: Server, head_ct: Path) -> None:
    response = send(server, head_ct, {"Prefer": "respond-async, wait=600"}, task="gos", heatmap="none")
    assert response.status_code == 200
    assert state(server, response.json()["id"]) == "done"


def test_a_job_that_is_not_done_in_time_goes_on(server: Server, head_ct: Path) -> None:
    late = {"Prefer": "wait=0", "Idempotency-Key": "late"}
    with held(server):
        waiting = send(server, head_ct, {"Prefer": "respond-async, wait=0"}, task="gos", heatmap="none")
        job_id = accepted(waiting)
        problem(send(server, head_ct, late, task="gos", heatmap="none"), 503, "deadline-passed")
        newest = server.client.get("/jobs").json()["items"][0]["id"]
    assert newest != job_id
    assert [ended(server, each)["state"] for each in (job_id, newest)] == ["done", "done"]


def test_what_can_be_judged_without_the_image_is_judged_first(server: Server, head_ct: Path) -> None:
    problem(send(server, head_ct, task="gos", ehr='{"agee": 1}'), 422, "ehr-invalid")
    problem(send(server, head_ct, task="moon"), 404, "unknown-model")
    problem(send(server, head_ct, task="gos", batch="absent"), 400, "malformed-request")
    problem(send(server, head_ct, batch="absent"), 404, "unknown-batch")
    problem(send(server, head_ct, {}, task="gos", webhook="https://a.example"), 400, "malformed-request")
    problem(send(server, CANARY.encode(), task="gos"), 415, "unsupported-file")
    assert server.client.get("/jobs", params={"batch": "absent"}).json()["total"] == 0


def test_a_job_that_fails_is_answered_with_its_problem(server: Server) -> None:
    job_id = accepted(send(server, NO_CT, task="gos"))
    status = ended(server, job_id)
    assert (status["state"], status["problem"]["type"]) == ("failed", "/problems/wrong-modality")
    problem(server.client.get(f"/predictions/{job_id}"), 422, "wrong-modality")
    problem(server.client.delete(f"/jobs/{job_id}"), 409, "job-finished")


def test_a_request_sent_again_under_its_key_is_one_job(server: Server, head_ct: Path) -> None:
    headers = ASYNC | {"Idempotency-Key": '"again"'}
    first = accepted(send(server, head_ct, headers, task="gos"))
    assert accepted(send(server, head_ct, ASYNC | {"Idempotency-Key": "again"}, task="gos")) == first
    problem(send(server, head_ct, headers, task="gos", ehr="{}"), 422, "idempotency-key-reused")
    ended(server, first)
    assert accepted(send(server, head_ct, headers, task="gos")) == first
    assert send(server, head_ct, {"Idempotency-Key": "again"}, task="gos").json()["id"] == first


def test_a_request_sent_again_under_its_key_is_the_same_job_though_its_upload_has_gone(
    server: Server, head_ct: Path
) -> None:
    files = {"image": ("image", head_ct.read_bytes())}
    upload = server.client.post("/uploads", files=files, data={"task": "gos"}).json()["id"]

    def ask() -> str:
        form = {"task": (None, "gos"), "upload": (None, upload), "heatmap": (None, "none")}
        headers = ASYNC | {"Idempotency-Key": "of-an-upload"}
        return accepted(server.client.post("/predict", files=form, headers=headers))

    first = ask()
    ended(server, first)
    assert server.client.delete(f"/uploads/{upload}").status_code == 204
    assert ask() == first


def test_many_requests_at_the_same_time_under_one_key_have_one_answer(server: Server, head_ct: Path) -> None:
    def ask(_: int) -> tuple[int, str]:
        response = send(server, head_ct, {"Idempotency-Key": "race"}, task="gos", heatmap="none")
        said = response.json()
        return response.status_code, said.get("id") or said["type"]

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(ask, range(5)))
    (answer,) = {found for code, found in answers if code == 200}
    assert {found for code, found in answers if code != 200} <= {"/problems/idempotency-key-in-use"}
    assert ask(0) == (200, answer)


def test_a_key_that_is_none_is_refused(server: Server, head_ct: Path) -> None:
    problem(send(server, head_ct, {"Idempotency-Key": "x" * 256}, task="gos"), 400, "malformed-request")
    two = [("Idempotency-Key", "one"), ("Idempotency-Key", "another")]
    problem(server.client.post("/batches", json={"task": "gos"}, headers=two), 400, "malformed-request")


def test_jobs_wait_and_are_cancelled_and_one_too_many_is_told_to_come_back(
    server: Server, head_ct: Path
) -> None:
    with held(server):
        ids = [accepted(send(server, head_ct, task="gos", heatmap="none")) for _ in range(6)]
        refused = problem(send(server, head_ct, task="gos"), 503, "overloaded")
        assert refused["limit"] == 6
        running, *waiting = ids
        wait_until(lambda: state(server, running) == "running", LOOK_S)
        assert server.client.get(f"/predictions/{waiting[0]}").status_code == 202
        queued = server.client.get("/jobs", params={"state": "queued", "limit": 2}).json()
        assert (queued["total"], [item["id"] for item in queued["items"]]) == (5, waiting[:2:-1])
        assert server.client.delete(f"/jobs/{waiting[0]}").json()["state"] == "cancelled"
        marked = server.client.delete(f"/jobs/{running}").json()
        assert (marked["state"], marked["cancelling"]) == ("running", True)
    assert ended(server, running)["state"] == "cancelled"
    gone = problem(server.client.get(f"/predictions/{running}"), 410, "job-cancelled")
    assert "another Idempotency-Key" in gone["detail"], "under its own it stays cancelled"
    assert [ended(server, each)["state"] for each in waiting] == ["cancelled", *["done"] * 4]
    wait_until_gone(server.data / "jobs")
    wait_until_gone(server.data / "heatmaps", f"*{running}*")


def test_an_urgent_job_goes_before_those_that_wait(server: Server, head_ct: Path) -> None:
    with held(server):
        waiting = [accepted(send(server, head_ct, task="gos", heatmap="none")) for _ in range(3)]
        urgent = accepted(
            send(server, head_ct, ASYNC | {"NeuroFuse-Priority": "stat"}, task="gos", heatmap="none")
        )
    first, *others = [ended(server, each)["started"] for each in (urgent, *waiting[1:])]
    assert all(first < other for other in others)


def test_the_end_of_a_job_is_told_signed_and_says_nothing_of_the_patient(
    server: Server, head_ct: Path, receiver: Receiver
) -> None:
    receiver.received.clear()
    receiver.statuses[:] = [307]
    address = f"{receiver.url}/told?of={CANARY}"
    job_id = accepted(send(server, head_ct, task="gos", ehr='{"age": 71}', webhook=address, reference=CANARY))
    receiver.wait_for(2)
    (path, _, _), (again, headers, body) = receiver.received
    assert path == again == f"/told?of={CANARY}"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.digest(bytes(range(32)), signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"
    assert headers["webhook-id"] == job_id
    said = json.loads(body)
    assert (said["type"], said["data"]["id"]) == ("prediction.done", job_id)
    assert set(said["data"]) == {"id", "state", "links"}
    assert server.client.get(said["data"]["links"]["self"]).status_code == 200
    assert CANARY.encode() not in body
    assert CANARY not in server.log.read_text()


@pytest.mark.parametrize(
    "address", ["https://a.example", "http://127.0.0.1:1/", "file:///etc/passwd", "x", ""]
)
def test_only_a_named_host_is_told(server: Server, head_ct: Path, address: str) -> None:
    problem(send(server, head_ct, task="gos", webhook=address), 422, "webhook-refused")
    batch = server.client.post("/batches", json={"task": "gos", "webhook": address})
    problem(batch, 422, "webhook-refused")


def test_what_waits_to_be_told_is_given_up_once_the_secret_is_taken_away(
    gos_store: Path, tmp_path: Path, receiver: Receiver
) -> None:
    receiver.received.clear()
    data, now = tmp_path / "var", datetime.now(UTC)
    data.mkdir()
    with closing(RecordStore(data / "records.sqlite3")) as records:
        job_id = str(uuid7())
        records.jobs.add(
            Job(job_id, "queued", Urgency.BATCH, "gos", 1, "{}", now, now, 3, webhook_url=receiver.url)
        )
        records.jobs.cancel(job_id, now)
    with serving(gos_store, data, webhook_hosts=receiver.url) as server:

        def told() -> str:
            of_the_webhook: str = server.client.get(f"/jobs/{job_id}").json()["webhook"]["state"]
            return of_the_webhook

        wait_until(lambda: told() != "waiting", LOOK_S)
        assert told() == "failed"
        assert 'neurofuse_webhooks_total{outcome="given-up"} 1.0' in server.client.get("/metrics").text
    assert receiver.received == []


def test_a_batch_is_counted_tabled_told_and_cancelled(
    server: Server, head_ct: Path, receiver: Receiver
) -> None:
    receiver.received.clear()
    made = server.client.post("/batches", json={"task": "gos", "webhook": receiver.url})
    assert made.status_code == 201
    place = made.headers["location"]
    batch = made.json()["id"]
    first = accepted(send(server, head_ct, batch=batch, reference="=1+1", heatmap="none"))
    second = accepted(send(server, NO_CT, batch=batch))
    for each in (first, second):
        ended(server, each)
    with held(server):
        others = [accepted(send(server, head_ct, batch=batch)) for _ in range(2)]
        assert server.client.delete(place).json()["closed"]
    problem(send(server, head_ct, batch=batch), 409, "batch-closed")
    for each in others:
        ended(server, each)
    status = server.client.get(place).json()
    assert status["jobs"] == {"queued": 0, "running": 0, "done": 1, "failed": 1, "cancelled": 2}
    assert status["finished"]
    receiver.wait_for(1)
    assert json.loads(receiver.received[0][2])["type"] == "batch.finished"
    rows = list(csv.DictReader(io.StringIO(server.client.get(status["links"]["results"]).text)))
    assert [(row["id"], row["status"], row["code"]) for row in rows] == [
        ("'=1+1", "answered", ""),
        (second, "failed", "wrong-modality"),
    ]
    answer = server.client.get(f"/predictions/{first}").json()
    assert float(rows[0]["favourable"]) == pytest.approx(answer["prediction"]["favourable"], abs=1e-6)


def test_a_batch_asked_for_again_under_its_key_is_one_batch(server: Server) -> None:
    def ask(key: str, **wish: str) -> httpx.Response:
        return server.client.post("/batches", json=wish, headers={"Idempotency-Key": key})

    first = ask('"one"', task="gos")
    again = ask("one", task="gos", priority="batch")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    problem(ask("one", task="ad"), 422, "idempotency-key-reused")
    assert ask("two", task="gos").json()["id"] != first.json()["id"]
    problem(ask("", task="gos"), 400, "malformed-request")
    server.client.delete(first.headers["location"])
    closed = ask("one", task="gos").json()
    assert (closed["id"], closed["finished"]) == (first.json()["id"], True)


def test_a_batch_of_a_package_without_a_name_is_refused(server: Server) -> None:
    problem(server.client.post("/batches", json={"model": ""}), 404, "unknown-model")


def test_a_deleted_answer_takes_its_job_with_it(server: Server, head_ct: Path) -> None:
    job_id = accepted(send(server, head_ct, task="gos", heatmap="none"))
    ended(server, job_id)
    assert server.client.delete(f"/predictions/{job_id}").status_code == 204
    problem(server.client.get(f"/jobs/{job_id}"), 404, "unknown-job")
    problem(server.client.get(f"/predictions/{job_id}"), 404, "unknown-prediction")


def test_ids_in_capitals_mean_the_same_batch_and_job(server: Server, head_ct: Path) -> None:
    batch = server.client.post("/batches", json={"task": "gos"}).json()["id"].upper()
    job_id = accepted(send(server, head_ct, batch=batch, heatmap="none"))
    assert ended(server, job_id.upper())["state"] == "done"
    (listed,) = server.client.get(f"/jobs?batch={batch}").json()["items"]
    assert (listed["id"], listed["batch"]) == (job_id, batch.lower())
    assert server.client.post(f"/batches/{batch}/close").json()["finished"]
