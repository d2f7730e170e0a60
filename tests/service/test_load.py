"""More than the service can do at once: it says so, keeps its probes, and leaves nothing behind."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.service.processes import workers
from tests.service.server import Server, problem, serving
from tests.support.frozen import frozen
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def narrow(gos_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with one worker and one place in the queue, uploads included."""
    data = tmp_path_factory.mktemp("narrow") / "var"
    with serving(gos_store, data, max_concurrent=1, queue_limit=1, slow_uploads=0) as running:
        yield running


def unfinished_upload(server: Server) -> socket.socket:
    """A client that has begun to send, and stops."""
    url = server.client.base_url
    connection = socket.create_connection((url.host, url.port or 80))
    connection.sendall(
        b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        b"Content-Length: 3000000\r\n\r\n"
        b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n' + bytes(2_000_000)
    )
    return connection


def pending(server: Server) -> float:
    lines = server.client.get("/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("neurofuse_pending_requests "))


def wait_for_pending(server: Server, count: int) -> None:
    wait_until(lambda: pending(server) == count, look_s=0.05)


def predict_with(server: Server, image: Path, headers: dict[str, str]) -> httpx.Response:
    files = {"image": (image.name, image.read_bytes())}
    return server.client.post("/predict", data={"task": "gos"}, files=files, headers=headers)


def test_one_case_too_many_is_told_to_come_back(narrow: Server, head_ct: Path) -> None:
    held = [unfinished_upload(narrow) for _ in range(2)]
    wait_for_pending(narrow, 2)
    asked = {"ehr": {}, "feature": "age"}
    for refused in (
        narrow.predict(head_ct, task="gos"),
        narrow.predict(head_ct, task="gos", path="/uploads"),
        narrow.client.post("/predictions/any/curve", json=asked),
        narrow.client.post("/predictions/any/what-if", json={"ehr": {}}),
    ):
        assert problem(refused, 503, "overloaded")["limit"] == 2
        assert int(refused.headers["retry-after"]) > 0
    assert narrow.client.get("/livez").status_code == narrow.client.get("/readyz").status_code == 200
    for connection in held:
        connection.close()
    wait_for_pending(narrow, 0)
    assert narrow.predict(head_ct, task="gos").status_code == 200


def test_a_client_that_leaves_in_mid_upload_leaves_no_files(narrow: Server) -> None:
    connection = unfinished_upload(narrow)
    wait_for_pending(narrow, 1)
    wait_until(narrow.uploads)
    connection.close()
    wait_for_pending(narrow, 0)
    assert narrow.uploads_left() == []


def test_an_urgent_case_has_a_place_where_others_have_none(narrow: Server, head_ct: Path) -> None:
    held = [unfinished_upload(narrow) for _ in range(2)]
    wait_for_pending(narrow, 2)
    assert narrow.predict(head_ct, task="gos").status_code == 503
    urgent = predict_with(narrow, head_ct, {"NeuroFuse-Priority": "stat"})
    assert urgent.status_code == 200
    for connection in held:
        connection.close()
    wait_for_pending(narrow, 0)


def test_slow_networks_and_jobs_keep_nobody_out(gos_store: Path, tmp_path: Path, head_ct: Path) -> None:
    with serving(gos_store, tmp_path / "var", max_concurrent=1, queue_limit=0, slow_uploads=2) as running:
        held = unfinished_upload(running)
        wait_for_pending(running, 1)
        assert predict_with(running, head_ct, {"Prefer": "respond-async"}).status_code == 202

        def answered() -> bool:
            answer = running.predict(head_ct, task="gos")
            return answer.status_code == 200 or not problem(answer, 503, "overloaded")

        wait_until(answered, look_s=0.1)
        held.close()


def test_an_answer_that_would_come_too_late_is_not_worked_on(narrow: Server, head_ct: Path) -> None:
    late = predict_with(narrow, head_ct, {"Prefer": "wait=0"})
    assert "other cases" not in problem(late, 503, "deadline-passed")["detail"], "there were none"
    assert int(late.headers["retry-after"]) > 0
    refused = predict_with(narrow, head_ct, {"NeuroFuse-Priority": "soon"})
    assert problem(refused, 400, "malformed-request")["parameters"] == ["header.NeuroFuse-Priority"]


def test_a_package_says_how_it_gathers_cases(server: Server) -> None:
    serving = server.client.get("/models/gos").json()["serving"]
    assert serving["lanes"] >= 1
    assert serving["max_batch"] == 1  # on a CPU two cases take twice as long as one
    assert set(serving["run_ms"]) == {"1"}


def test_probes_answer_while_cases_are_worked_on(server: Server, head_ct: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        with frozen(workers(server)):
            answers = [pool.submit(server.predict, head_ct, task="gos") for _ in range(4)]
            wait_for_pending(server, 4)
            for probe in ("/livez", "/readyz", "/metrics"):
                assert server.client.get(probe).status_code == 200
            assert not any(answer.done() for answer in answers)
        assert [answer.result().status_code for answer in answers] == [200] * 4


def test_cases_at_the_same_time_get_the_answers_they_get_alone(server: Server, head_ct: Path) -> None:
    ages = [f'{{"age": {age}}}' for age in range(40, 90, 10)]

    def ask(record: str) -> dict[str, object]:
        answer: dict[str, object] = server.predict(head_ct, task="gos", ehr=record, heatmap="none").json()
        return {name: answer[name] for name in ("prediction", "ehr", "image")}

    alone = [ask(record) for record in ages]
    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(ask, ages)) == alone


def test_a_request_id_is_echoed_or_made(server: Server) -> None:
    def ask(sent: str) -> str:
        return server.client.get("/livez", headers={"X-Request-ID": sent}).headers["x-request-id"]

    for sent in ("0193c2f4-6a00-7a31-9c2e-5d1f0b7e8a90", "0193C2F46A007A319C2E5D1F0B7E8A90"):
        assert ask(sent) == sent
    for words in (
        "not an id; at all",
        "Doe-John-19500101",
        "0193c2f4-6a00-7a31-9c2e-5d1f0b7e8a901",
        "19500101",
    ):
        assert len({ask(words), ask(words), words}) == 3


def test_metrics_carry_the_stage_names_of_kserve_and_the_outcomes(server: Server, head_ct: Path) -> None:
    server.predict(head_ct, task="gos")
    server.predict(head_ct, task="moon")
    text = server.client.get("/metrics").text
    for stage in ("preprocess", "predict", "postprocess", "explain"):
        assert f'request_{stage}_seconds_count{{model_name="gos"}}' in text
    assert 'neurofuse_requests_total{code="",outcome="ok",route="/predict"}' in text
    assert 'neurofuse_requests_total{code="unknown-model",outcome="refused",route="/predict"}' in text
    assert "neurofuse_models_ready 3.0" in text
    assert 'neurofuse_batch_cases_count{model_name="gos"}' in text


def test_labels_do_not_grow_with_addresses(server: Server) -> None:
    for number in range(5):
        server.client.get(f"/models/canary-{number}/")
        server.client.get(f"/canary-{number}")
    assert "canary" not in server.client.get("/metrics").text
