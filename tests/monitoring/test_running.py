"""A running service beside a real Prometheus, which scrapes it, judges the rules and answers every query of the dashboards."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.service.jobs import ASYNC, ended
from tests.service.server import Server, serving
from tests.support.ports import free_port
from tests.support.promtool import RULES, tool
from tests.support.waiting import LONGEST_S, wait_until

DASHBOARDS = sorted((Path(__file__).parents[2] / "deploy" / "grafana" / "dashboards").glob("*.json"))
EMPTY_HERE = (
    "api_key", "certificate", "gpu", "shadow", "alias", "webhook", "memory_limit", "memory_used", "findings",
    "neurofuse_outcome", "neurofuse_feedback", "neurofuse_window", "neurofuse_drift", "neurofuse_share",
)  # fmt: skip
"""Queries of what this service has nothing of: keys, a certificate, cards, other versions, receivers, a limit of memory; and of what is told every 30 seconds."""
VARIABLES = {"$instance": ".*", "$model": ".*", "$version": ".*", "$__rate_interval": "30s"}


@dataclass
class Watched:
    """A service and its Prometheus."""

    server: Server
    prometheus: httpx.Client

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The result of a query now."""
        answer = self.prometheus.get("/api/v1/query", params={"query": query})
        assert answer.status_code == 200, f"{query}: {answer.text}"
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    def wait(self, query: str) -> list[dict[str, Any]]:
        """The same, once there is any."""
        return wait_until(lambda: self.ask(query), 0.2)


@contextmanager
def prometheus_of(target: str, folder: Path) -> Iterator[httpx.Client]:
    """A Prometheus that scrapes one service every second."""
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "neurofuse", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    command = [
        tool("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - our own words
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=LONGEST_S) as client:

            def is_ready() -> bool:
                assert process.poll() is None, (folder / "prometheus.log").read_text()
                try:
                    return client.get("/-/ready").status_code == httpx.codes.OK
                except httpx.TransportError:
                    return False

            wait_until(is_ready, 0.1)
            yield client
    finally:
        process.terminate()
        process.wait(timeout=LONGEST_S)


@pytest.fixture(scope="module")
def watched(tiny_store: Path, head_ct: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A service that has answered two cases and a job, and refused one, with its Prometheus."""
    folder = tmp_path_factory.mktemp("watched")
    with (
        serving(tiny_store, folder / "var") as server,
        prometheus_of(str(server.client.base_url.netloc, "ascii"), folder) as prometheus,
    ):
        found = Watched(server, prometheus)
        found.wait("up == 1")
        for number in (1, 2):  # the second time, what appeared with the first has an increase
            assert server.predict(head_ct, task="gos", ehr='{"age": 71}').status_code == 200
            assert server.predict(("x.nii", b"no image"), task="gos").status_code == 415
            image = ("image", ("x.nii.gz", head_ct.read_bytes()))
            job = server.client.post("/predict", data={"task": "gos"}, files=[image], headers=ASYNC)
            assert ended(server, job.json()["id"])["state"] == "done"
            found.wait(f"neurofuse_jobs_finished_total >= {number}")
        yield found


def test_a_real_prometheus_scrapes_the_service(watched: Watched) -> None:
    (up,) = watched.ask("up")
    assert up["value"][1] == "1"
    (answers,) = watched.ask("sum(neurofuse_answers_total)")
    assert answers["value"][1] == "4"


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_query_of_a_dashboard_is_answered(watched: Watched, path: Path) -> None:
    for panel in json.loads(path.read_text())["panels"]:
        for target in panel.get("targets", ()):
            query = target["expr"]
            for name, value in VARIABLES.items():
                query = query.replace(name, value)
            if any(word in query for word in EMPTY_HERE):
                watched.ask(query)
            else:
                assert watched.wait(query), panel["title"]


def test_every_rule_is_judged_and_a_healthy_service_raises_none(watched: Watched) -> None:
    watched.wait("ALERTS or vector(1)")
    groups = watched.prometheus.get("/api/v1/rules").json()["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {kind: sum(rule["type"] == kind for rule in rules) for kind in ("alerting", "recording")} == {
        "alerting": 35,
        "recording": 7,
    }
    assert {rule["health"] for rule in rules} == {"ok"}, [rule for rule in rules if rule["health"] != "ok"]
    assert not watched.ask(
        'ALERTS{alertstate="firing",severity!~"clinical|none",alertname!="NeuroFuseDiskNearlyFull"}'
    )


def test_the_level_of_the_log_follows_signals(watched: Watched) -> None:
    server = watched.server

    def quiet_lines() -> int:
        """Lines of probes, which are written at DEBUG only."""
        server.client.get("/livez")
        return server.log.read_text().count('"route": "/livez"')

    before = quiet_lines()
    server.process.send_signal(signal.SIGUSR1)
    deadline = time.monotonic() + LONGEST_S
    while (loud := quiet_lines()) == before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert loud > before
    server.process.send_signal(signal.SIGUSR2)
    deadline = time.monotonic() + LONGEST_S
    while (now := quiet_lines()) != loud and time.monotonic() < deadline:
        loud = now
        time.sleep(0.05)
    assert quiet_lines() == now
    assert server.process.poll() is None
