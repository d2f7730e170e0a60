"""The probes tell the truth."""

import shutil
from pathlib import Path

import pytest

from tests.service.server import Server, problem, serving
from tests.support.waiting import wait_until

TINY_USE = "Tests of the software only."


def test_a_healthy_service_is_ready_and_says_of_what(server: Server) -> None:
    response = server.client.get("/readyz")
    assert response.status_code == 200
    body = response.json()
    assert (body["ready"], body["provider"]) == (True, "cpu")
    assert [(model["name"], model["version"], model["state"]) for model in body["models"]] == [
        ("ad", 1, "ready"), ("gos", 1, "ready"), ("gos", 2, "ready"),
    ]  # fmt: skip


@pytest.mark.parametrize("probe", ["/livez", "/readyz", "/v2/health/live", "/v2/health/ready"])
def test_a_probe_that_wants_the_status_alone_gets_it(server: Server, probe: str) -> None:
    given, said = server.client.get(probe), server.client.head(probe)
    assert (said.status_code, said.content) == (200, b"")
    assert said.headers["content-length"] == given.headers["content-length"]


def test_every_package_says_what_it_may_be_used_for(server: Server) -> None:
    assert intended_uses(server) == dict.fromkeys(("ad@1", "gos@1", "gos@2"), TINY_USE)


def test_a_changed_file_makes_its_package_not_ready_and_no_other(
    tiny_store: Path, head_ct: Path, head_mr: Path, tmp_path: Path
) -> None:
    store = shutil.copytree(tiny_store, tmp_path / "store")
    with (store / "gos/2/model.onnx").open("ab") as model:
        model.write(b"\0")
    with serving(store, tmp_path / "var", ready=False) as server:
        settled(server)
        readiness = server.client.get("/readyz")
        states = {f"{m['name']}@{m['version']}": m for m in readiness.json()["models"]}
        assert readiness.status_code == server.client.head("/readyz").status_code == 503
        assert states["gos@2"]["state"] == "failed"
        assert states["gos@2"]["reason"]["code"] == "package-digest"
        assert states["gos@1"]["state"] == states["ad@1"]["state"] == "ready"
        refused = server.predict(head_ct, task="gos")
        assert problem(refused, 503, "not-ready")["model"] == "gos@2"
        assert int(refused.headers["retry-after"]) > 0
        assert server.predict(head_ct, model="gos@1").status_code == 200
        assert server.predict(head_mr, task="ad").status_code == 200
        assert server.client.get("/livez").status_code == 200
        assert server.client.get("/models/gos").json()["reason"]["code"] == "package-digest"
        assert intended_uses(server) == {"ad@1": TINY_USE, "gos@1": TINY_USE, "gos@2": None}
        assert server.client.get("/models/gos/ehr-schema").status_code == 503
        for path, status in {"gos": 503, "gos/versions/2": 503, "gos/versions/1": 200, "ad": 200}.items():
            by_protocol = server.client.get(f"/v2/models/{path}/ready")
            assert (by_protocol.status_code, by_protocol.json()["ready"]) == (status, status == 200)
            assert by_protocol.json()["name"] == path.partition("/")[0]
        assert "neurofuse_models_ready 2.0" in server.client.get("/metrics").text
    log = server.log.read_text()
    assert '"code": "package-digest"' in log


def test_a_gpu_that_is_not_there_is_never_replaced_in_silence(tiny_store: Path, tmp_path: Path) -> None:
    if shutil.which("nvidia-smi"):
        pytest.skip("this machine has a GPU")
    with serving(tiny_store, tmp_path / "var", ready=False, provider="cuda") as server:
        settled(server)
        readiness = server.client.get("/readyz")
        assert readiness.status_code == 503
        assert readiness.json()["provider"] == "cuda"
        reasons = [model["reason"] for model in readiness.json()["models"]]
        assert all(reason["code"] == "not-ready" for reason in reasons)
        assert all("CPUExecutionProvider" in reason["detail"] for reason in reasons)


def test_an_empty_store_is_not_ready(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    with serving(tmp_path / "store", tmp_path / "var", ready=False) as server:
        assert server.client.get("/readyz").status_code == 503
        assert server.client.get("/models").json() == {"models": [], "aliases": []}
        assert server.client.get("/livez").status_code == 200


def intended_uses(server: Server) -> dict[str, str | None]:
    """What `GET /models` says each package may be used for."""
    models = server.client.get("/models").json()["models"]
    return {f"{model['name']}@{model['version']}": model["intended_use"] for model in models}


def settled(server: Server) -> None:
    """Wait until no package is loading."""

    def models() -> list[dict[str, str]]:
        told: list[dict[str, str]] = server.client.get("/readyz").json()["models"]
        return told

    wait_until(lambda: all(model["state"] != "loading" for model in models()), look_s=0.05)
