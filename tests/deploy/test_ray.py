"""The service on a Ray cluster answers as the service of one process does, whichever replica is asked."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("ray", reason="Ray is not installed here: make test-ray")

from app.cli import main
from app.exit_status import FAILED
from benchmarks.processes import tree
from tests.deploy.conftest import Deployed
from tests.service.server import serving
from tests.support.waiting import LONGEST_S

pytestmark = pytest.mark.slow
RECORD = '{"age": 71, "gcs": 9}'


@pytest.fixture
def client(deployed: Deployed) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=deployed.url, timeout=LONGEST_S) as client:
        yield client


def predict(client: httpx.Client, image: Path, **headers: str) -> httpx.Response:
    parts = [("image", (image.name, image.read_bytes()))]
    return client.post("/predict", data={"task": "gos", "ehr": RECORD}, files=parts, headers=headers)


def without_chance(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what differs from one request to the next."""
    return {
        name: part
        for name, part in answer.items()
        if name not in {"id", "created", "heatmap", "timing_ms", "links"}
    }


def replica(response: httpx.Response) -> str:
    return response.headers["X-Served-By"]


def test_the_answer_is_that_of_the_service_of_one_process(
    client: httpx.Client, tiny_store: Path, head_ct: Path, tmp_path: Path
) -> None:
    there = predict(client, head_ct)
    with serving(tiny_store, tmp_path / "var") as server:
        here = server.predict(head_ct, task="gos", ehr=RECORD)
    assert there.status_code == here.status_code == 200
    assert without_chance(there.json()) == without_chance(here.json())
    assert there.json()["prediction"]["probabilities"] == here.json()["prediction"]["probabilities"]


def test_what_one_replica_answered_is_found_by_the_other(client: httpx.Client, head_ct: Path) -> None:
    answer = predict(client, head_ct)
    heatmap = answer.json()["heatmap"]["nifti"]
    seen: dict[str, bytes] = {}
    deadline = time.monotonic() + LONGEST_S
    while len(seen) < 2 and time.monotonic() < deadline:
        found = client.get(heatmap)
        assert found.status_code == 200
        seen[replica(found)] = found.content
    assert len(seen) == 2, "both replicas were asked"
    assert len(set(seen.values())) == 1


def test_a_job_is_answered_whichever_replica_runs_it(client: httpx.Client, head_ct: Path) -> None:
    accepted = predict(client, head_ct, Prefer="respond-async")
    assert accepted.status_code == 202
    deadline = time.monotonic() + LONGEST_S
    while (found := client.get(accepted.headers["location"])).status_code == 202:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    at_once = predict(client, head_ct)
    assert found.json()["prediction"] == at_once.json()["prediction"]


def test_a_refusal_is_a_problem_document(client: httpx.Client, tmp_path: Path) -> None:
    text = tmp_path / "letter.txt"
    text.write_text("no image")
    refused = predict(client, text)
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"].endswith("unsupported-file")


def test_one_request_id_comes_back(client: httpx.Client) -> None:
    mine = "0193c2f4-6a00-7a31-9c2e-5d1f0b7e8a90"
    answered = client.get("/models", headers={"X-Request-ID": mine})
    assert answered.headers.get_list("x-request-id") == [mine]


def test_a_case_whose_predictor_is_killed_is_answered_by_the_other(
    client: httpx.Client, deployed: Deployed, head_ct: Path
) -> None:
    with ThreadPoolExecutor(4) as clients:
        waiting = [clients.submit(predict, client, head_ct) for _ in range(12)]
        waiting[0].result()
        os.kill(predictor_pid(deployed), signal.SIGKILL)
        assert [each.result().status_code for each in waiting] == [200] * 12


def predictor_pid(deployed: Deployed) -> int:
    """The process that Ray has named after the deployment."""
    found = [pid for pid in tree(deployed.pid) if b"Predictor" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert found
    return found[0]


@pytest.mark.usefixtures("own_logging")
def test_a_cohort_gets_the_lines_that_it_gets_here(
    deployed: Deployed, tiny_store: Path, head_ct: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [[number, head_ct, 40 + number] for number in range(12)]
    with (tmp_path / "table.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "image", "age"], *rows, ["x", "absent.nii", 50]])
    for name, value in (("MODEL_STORE", str(tiny_store)), ("READ_WORKERS", "1"), ("THREADS", "1")):
        monkeypatch.setenv(f"NEUROFUSE_{name}", value)
    command = ["predict", "--task", "gos", "--cohort", str(tmp_path / "table.csv"), "--out"]
    assert main([*command, str(tmp_path / "here.csv")]) == FAILED, "one row has no image"
    # Ray wants a process of its own: it leaves threads and files open behind it.
    on_ray = [sys.executable, "-m", "app.cli", *command, str(tmp_path / "there.csv"), "--ray"]
    done = subprocess.run(  # noqa: S603 - our own command
        [*on_ray, deployed.cluster.address],
        env={**os.environ, **deployed.cluster.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == FAILED, done.stderr
    here, there = lines(tmp_path / "here.csv"), lines(tmp_path / "there.csv")
    assert len(here) == 13
    assert here == there


def lines(results: Path) -> list[dict[str, str]]:
    """The lines of a cohort without the time each took."""
    with results.open(newline="") as file:
        return [{**line, "milliseconds": ""} for line in csv.DictReader(file)]
