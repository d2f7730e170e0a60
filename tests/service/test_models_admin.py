"""Packages move in a running service: no request fails, none is answered by what it should not be, and only operators move them."""

import re
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.imaging.workers.isolation import CLEANER
from app.records.store import RecordStore
from tests.service.jobs import accepted, ended, send
from tests.service.processes import descendants, name
from tests.service.server import Server, problem, serving
from tests.support.frozen import frozen
from tests.support.tiny_package import build_tiny_package
from tests.support.waiting import LONGEST_S, wait_until

TOKEN = "a-token-of-tests-0123456789"  # noqa: S105 - of this test alone
ADMIN = {"Authorization": f"Bearer {TOKEN}"}
SWAPS = 8
CLIENTS = 3
RECORD = '{"age": 71, "gcs": 9}'


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """gos@3 and gos@4, which are not in the store of the service yet."""
    store = tmp_path_factory.mktemp("later")
    for version in (3, 4):
        build_tiny_package(store, "gos", version=version, image_weight=5.0)
    return store / "gos"


@pytest.fixture(scope="module")
def store(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    copied = tmp_path_factory.mktemp("moving") / "store"
    shutil.copytree(tiny_store / "gos", copied / "gos")
    return copied


@pytest.fixture(scope="module")
def moving(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service whose packages may be moved, with a worker for each client."""
    data = tmp_path_factory.mktemp("moving") / "var"
    with serving(store, data, admin_token=TOKEN, max_concurrent=2, max_batch=1, read_workers=2) as running:
        yield running


@pytest.fixture(autouse=True)
def as_it_was(moving: Server) -> Iterator[None]:
    """Every test leaves gos@1 and gos@2 in service, and no alias."""
    yield
    known = moving.client.get("/models").json()
    for alias in known["aliases"]:
        admin(moving, "DELETE", f"gos/aliases/{alias['alias']}")
    for version in (1, 2):
        admin(moving, "POST", f"gos/{version}/load")
    for model in known["models"]:
        if model["version"] > 2:
            admin(moving, "POST", f"gos/{model['version']}/unload")


def admin(server: Server, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
    return server.client.request(method, f"/admin/models/{path}", json=body, headers=ADMIN)


def answered_by(response: httpx.Response) -> int:
    assert response.status_code == 200, response.text
    version: int = response.json()["model"]["version"]
    return version


def states(server: Server) -> dict[int, str]:
    return {model["version"]: model["state"] for model in server.client.get("/models").json()["models"]}


@contextmanager
def load(server: Server, image: Path) -> Iterator[Callable[[int], None]]:
    """Cases are sent all the time, and all are answered; gives what waits until a version has answered one more."""
    stop, seen, wrong = threading.Event(), Counter[int](), list[str]()

    def ask() -> None:
        with httpx.Client(base_url=server.client.base_url, timeout=LONGEST_S) as client:
            while not stop.is_set():
                form = {"task": "gos", "ehr": RECORD, "heatmap": "none"}
                response = client.post("/predict", data=form, files={"image": image.read_bytes()})
                if response.status_code == 200:
                    seen[response.json()["model"]["version"]] += 1
                else:
                    wrong.append(response.text)

    def wait_for(version: int) -> None:
        before = seen[version]
        wait_until(lambda: wrong or seen[version] > before)

    with ThreadPoolExecutor(CLIENTS) as clients:
        asking = [clients.submit(ask) for _ in range(CLIENTS)]
        try:
            yield wait_for
        finally:
            stop.set()
    assert [each.result() for each in asking] == [None] * CLIENTS
    assert wrong == []


def test_swaps_under_load_fail_no_request(moving: Server, store: Path, later: Path, head_ct: Path) -> None:
    shutil.copytree(later / "3", store / "gos" / "3")
    with load(moving, head_ct) as wait_for:
        for _ in range(SWAPS // 2):
            wait_for(2)
            assert admin(moving, "POST", "gos/3/load").json()["state"] == "ready"
            assert moving.client.get("/readyz").status_code == 200
            wait_for(3)
            assert admin(moving, "POST", "gos/3/unload").json()["state"] == "unloaded"
    text = moving.client.get("/metrics").text
    assert f'neurofuse_switches_total{{model_name="gos"}} {SWAPS}.0' in text
    assert 'neurofuse_packages{state="unloaded"} 1.0' in text
    wait_until(lambda: moving.log.read_text().count('"event": "session-released"') >= SWAPS // 2)


def test_a_job_whose_package_goes_while_it_is_taken_in_is_answered_by_what_its_name_means_then(
    moving: Server, head_ct: Path
) -> None:
    admin(moving, "PUT", "gos/aliases/production", {"version": 1})
    cleaner = {pid for pid in descendants(moving.process.pid) if name(pid) == CLEANER}
    assert cleaner
    with ThreadPoolExecutor(1) as pool:
        with frozen(cleaner):  # it takes out of the image what leads to the patient
            sent = pool.submit(send, moving, head_ct, model="gos@production", heatmap="none")
            wait_until(moving.uploads)
            admin(moving, "PUT", "gos/aliases/production", {"version": 2})
            assert admin(moving, "POST", "gos/1/unload").json()["state"] == "unloaded"
        job_id = accepted(sent.result())
    assert ended(moving, job_id)["state"] == "done"
    assert answered_by(moving.client.get(f"/predictions/{job_id}")) == 2


def test_a_broken_package_is_refused_listed_and_never_asked(
    moving: Server, store: Path, later: Path, head_ct: Path
) -> None:
    broken = shutil.copytree(later / "4", store / "gos" / "4")
    with (broken / "model.onnx").open("ab") as model:
        model.write(b"\0")
    refused = problem(admin(moving, "POST", "gos/4/load"), 422, "package-refused")
    assert refused["reason"]["code"] == "package-digest"
    wish = {"version": 2, "canary": {"version": 4, "share": 0.99}}
    problem(admin(moving, "PUT", "gos/aliases/production", wish), 422, "package-refused")
    listed = {m["version"]: m for m in moving.client.get("/models").json()["models"]}
    assert (listed[4]["state"], listed[4]["reason"]["code"]) == ("failed", "package-digest")
    assert answered_by(moving.predict(head_ct, task="gos", heatmap="none")) == 2
    assert moving.client.get("/readyz").status_code == 200
    problem(moving.predict(head_ct, model="gos@4"), 503, "not-ready")
    assert 'neurofuse_packages{state="failed"} 1.0' in moving.client.get("/metrics").text
    shutil.rmtree(broken)
    assert admin(moving, "POST", "gos/4/unload").json()["state"] == "unloaded"
    assert 'neurofuse_packages{state="failed"} 0.0' in moving.client.get("/metrics").text
    in_store = moving.client.get("/admin/models", headers=ADMIN).json()["models"]
    assert 4 not in {model["version"] for model in in_store}
    problem(moving.predict(head_ct, model="gos@4"), 404, "unknown-model")


def test_an_alias_moves_and_goes_back_in_one_call(moving: Server, head_ct: Path) -> None:
    def now(model: str) -> int:
        return answered_by(moving.predict(head_ct, model=model, heatmap="none"))

    path = "gos/aliases/production"
    for version in (2, 1):
        assert admin(moving, "PUT", path, {"version": version}).json()["version"] == version
    assert (now("gos"), now("gos@production"), now("gos@2")) == (1, 1, 2)
    assert moving.client.get("/models/gos").json()["version"] == 1
    assert 'neurofuse_alias_version{alias="gos@production"} 1.0' in moving.client.get("/metrics").text
    assert admin(moving, "POST", f"{path}/rollback").json() == {
        "name": "gos", "alias": "production", "version": 2, "canary": None, "shadow": None, "previous": [],
    }  # fmt: skip
    assert (now("gos"), now("gos@production")) == (2, 2)
    problem(admin(moving, "POST", f"{path}/rollback"), 409, "nothing-to-roll-back")
    forgotten = admin(moving, "DELETE", path)
    assert (forgotten.status_code, forgotten.headers.get("content-type")) == (204, None)
    problem(moving.predict(head_ct, model="gos@production"), 404, "unknown-model")
    assert "neurofuse_alias_version{" not in moving.client.get("/metrics").text


def test_a_canary_and_a_shadow_are_given_and_ended_by_themselves(moving: Server) -> None:
    path, canary = "gos/aliases/production", {"version": 2, "share": 0.5}
    problem(admin(moving, "PATCH", path, {"shadow": 2}), 404, "unknown-model")
    admin(moving, "PUT", path, {"version": 1})
    for trial, meant in (
        ({"shadow": 2}, (1, None, 2)),
        ({"canary": canary}, (1, canary, 2)),
        ({}, (1, canary, 2)),
        ({"shadow": None}, (1, canary, None)),
        ({"canary": None}, (1, None, None)),
    ):
        now = admin(moving, "PATCH", path, trial).json()
        assert (now["version"], now["canary"], now["shadow"]) == meant
    with closing(RecordStore(moving.data / "records.sqlite3")) as records:
        told = [line.deed.model for line in records.audit.lines() if line.deed.outcome == "ok"][-4:]
    both = "gos@1, canary 0.5 gos@2, shadow gos@2"
    assert told == [both, both, "gos@1, canary 0.5 gos@2", "gos@1"]
    for wrong in ({"shadow": 1}, {"canary": {"version": 1, "share": 0.5}}, {"version": 2}, {"shadow": 0}):
        problem(admin(moving, "PATCH", path, wrong), 400, "malformed-request")
    problem(admin(moving, "PATCH", path, {"shadow": 9}), 404, "unknown-model")


def test_what_an_alias_needs_is_not_unloaded(moving: Server) -> None:
    admin(moving, "PUT", "gos/aliases/trial", {"version": 1})
    conflict = problem(admin(moving, "POST", "gos/1/unload"), 409, "package-in-use")
    assert conflict["known"] == ["gos@trial"]
    assert states(moving)[1] == "ready"


def test_a_case_that_is_sent_again_gets_the_version_it_got(moving: Server, head_ct: Path) -> None:
    admin(moving, "PUT", "gos/aliases/production", {"version": 1, "canary": {"version": 2, "share": 0.5}})
    before = canary_counts(moving)

    def ask(number: int) -> int:
        return answered_by(moving.predict(head_ct, task="gos", heatmap="none", reference=f"case-{number}"))

    first = [ask(number) for number in range(8)]
    assert set(first) == {1, 2}
    assert canary_counts(moving) - before == Counter(first)
    assert [ask(number) for number in range(8)] == first


def test_the_request_id_decides_where_a_case_has_no_reference(moving: Server) -> None:
    admin(moving, "PUT", "gos/aliases/production", {"version": 1, "canary": {"version": 2, "share": 0.5}})

    def ask(request_id: str) -> Counter[int]:
        before = canary_counts(moving)
        # These tensors are refused, but by one of the two versions.
        refused = moving.client.post(
            "/v2/models/gos/infer", json={"inputs": []}, headers={"X-Request-ID": request_id}
        )
        problem(refused, 400, "malformed-request")
        return canary_counts(moving) - before

    first = [ask(str(UUID(int=number))) for number in range(8)]
    assert {version for counted in first for version in counted} == {1, 2}
    assert [ask(str(UUID(int=number))) for number in range(8)] == first


def canary_counts(server: Server) -> Counter[int]:
    """Cases that production's versions got until now."""
    pattern = r'^neurofuse_alias_cases_total\{alias="gos@production",version="(\d+)"\} (\d+)'
    found = re.findall(pattern, server.client.get("/metrics").text, re.MULTILINE)
    return Counter({int(version): int(count) for version, count in found})


def test_a_shadow_is_compared_and_the_answer_is_the_same_as_without(
    moving: Server, later: Path, store: Path, head_ct: Path
) -> None:
    shutil.copytree(later / "3", store / "gos" / "3", dirs_exist_ok=True)

    def ask() -> list[Any]:
        answer = moving.predict(head_ct, task="gos", ehr=RECORD, heatmap="none").json()
        return [answer[part] for part in ("model", "prediction", "ehr")]

    def kept_of_the_shadow() -> int:
        total: int = moving.client.get("/predictions", params={"model": "gos@3"}).json()["total"]
        return total

    alone, kept = ask(), kept_of_the_shadow()
    admin(moving, "PUT", "gos/aliases/production", {"version": 2, "shadow": 3})
    assert ask() == alone
    compared = 'neurofuse_shadow_cases_total{model="gos@2",outcome="compared",shadow="gos@3"} 1.0'
    wait_until(lambda: compared in moving.client.get("/metrics").text, look_s=0.05)
    text = moving.client.get("/metrics").text
    assert 'neurofuse_shadow_total_variation_count{model="gos@2",shadow="gos@3"} 1.0' in text
    assert kept_of_the_shadow() == kept


@pytest.mark.parametrize(
    "header",
    [b"", b"Bearer", f"Bearer {TOKEN}x".encode(), f"Basic {TOKEN}".encode(), "Bearer ümlaut".encode()],
)
def test_another_token_is_none(moving: Server, header: bytes) -> None:
    refused = moving.client.get("/admin/models", headers={b"Authorization": header})
    problem(refused, 401, "not-authenticated")
    assert refused.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", "/gos/1/unload"),
        ("POST", "/gos/1/load"),
        ("PUT", "/gos/aliases/production"),
        ("PATCH", "/gos/aliases/production"),
        ("POST", "/gos/aliases/production/rollback"),
        ("DELETE", "/gos/aliases/production"),
    ],
)
def test_nobody_moves_packages_without_the_token(moving: Server, method: str, path: str) -> None:
    refused = moving.client.request(method, f"/admin/models{path}", json={"version": 1})
    problem(refused, 401, "not-authenticated")
    assert states(moving)[1] == "ready"


def test_without_a_token_of_its_own_a_service_is_closed(server: Server) -> None:
    for headers in ({}, ADMIN):
        problem(server.client.get("/admin/models", headers=headers), 403, "not-allowed")


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"version": 0},
        {"version": 1, "canary": {"version": 2, "share": 0}},
        {"version": 1, "canary": {"version": 2, "share": 1}},
        {"version": 1, "canary": {"version": 1, "share": 0.5}},
        {"version": 1, "shadow": 1},
        {"version": 1, "unknown": 1},
    ],
)
def test_a_wish_that_makes_no_sense_is_malformed(moving: Server, wish: dict[str, Any]) -> None:
    problem(admin(moving, "PUT", "gos/aliases/production", wish), 400, "malformed-request")


@pytest.mark.parametrize("alias", ["1", "Production", "a_b", "x" * 64])
def test_an_alias_begins_with_a_letter_and_is_short(moving: Server, alias: str) -> None:
    problem(admin(moving, "PUT", f"gos/aliases/{alias}", {"version": 1}), 400, "malformed-request")


def test_what_is_unloaded_says_so_and_not_when_to_come_back(moving: Server, head_ct: Path) -> None:
    admin(moving, "POST", "gos/1/unload")
    refused = moving.predict(head_ct, model="gos@1")
    assert "unloaded" in problem(refused, 503, "not-ready")["detail"]
    assert "retry-after" not in refused.headers
    assert moving.client.get("/models/gos/1/card").status_code == 200


def test_what_is_not_there_is_unknown(moving: Server) -> None:
    problem(admin(moving, "POST", "gos/9/load"), 404, "unknown-model")
    problem(admin(moving, "POST", "gos/9/unload"), 404, "unknown-model")
    problem(admin(moving, "PUT", "gos/aliases/trial", {"version": 9}), 404, "unknown-model")
    problem(admin(moving, "POST", "gos/aliases/trial/rollback"), 404, "unknown-model")
    problem(admin(moving, "DELETE", "gos/aliases/trial"), 404, "unknown-model")


def test_the_token_is_in_no_log(moving: Server) -> None:
    moving.client.get("/admin/models", headers=ADMIN)
    moving.client.get("/admin/models", headers={"Authorization": f"Bearer {TOKEN}x"})
    assert TOKEN not in moving.log.read_text()
