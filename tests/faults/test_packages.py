"""A model package is damaged: it is never served, and whatever is sound goes on."""

import platform
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.model_package.golden import read_golden_case
from app.model_package.package import GOLDEN_CASE, MANIFEST, MODEL, open_package, seal
from tests.faults.conftest import TOKEN
from tests.faults.outcomes import Outcome
from tests.service.server import Server, problem, serving
from tests.service.test_readiness import settled
from tests.support.deadly_graph import make_deadly
from tests.support.tiny_package import build_tiny_package

ADMIN = {"Authorization": f"Bearer {TOKEN}"}


def cut_short(package: Path) -> None:
    graph = package / MODEL
    graph.write_bytes(graph.read_bytes()[:-100])


def one_bit_turned(package: Path) -> None:
    graph = package / MODEL
    content = bytearray(graph.read_bytes())
    content[len(content) // 2] ^= 1
    graph.write_bytes(content)


def manifest_broken(package: Path) -> None:
    (package / MANIFEST).write_text('{"schema_version": 1, "name"', encoding="utf-8")


def another_answer(package: Path) -> None:
    """Sealed as it should be, but its golden case says what this graph does not answer."""
    opened = open_package(package)
    case = read_golden_case(opened)
    turned = dict(zip(case.probabilities, reversed(case.probabilities.values()), strict=True))
    changed = case.model_copy(update={"probabilities": turned})
    (package / GOLDEN_CASE).write_text(changed.model_dump_json(), encoding="utf-8")
    seal(package, opened.manifest)


DAMAGES: dict[int, tuple[Callable[[Path], None], str]] = {
    3: (cut_short, "package-digest"),
    4: (one_bit_turned, "package-digest"),
    5: (manifest_broken, "package-invalid"),
    6: (another_answer, "golden-mismatch"),
}


@pytest.mark.fault(
    "corrupt package",
    "is not served, `/readyz` is 503 and says why; a load of it is refused with 422 `package-refused` while the version "
    "before it goes on; every sound package answers",
)
def test_a_damaged_package_is_never_served(
    tiny_store: Path, head_ct: Path, tmp_path: Path, outcome: Outcome
) -> None:
    store, settings = tmp_path / "store", dict[str, Any](admin_token=TOKEN)
    shutil.copytree(tiny_store / "gos" / "1", store / "gos" / "1")
    with serving(store, tmp_path / "var", **settings) as server:
        for version, (damage, code) in DAMAGES.items():
            damage(build_tiny_package(store, "gos", version=version))
            refused = server.client.post(f"/admin/models/gos/{version}/load", headers=ADMIN)
            problem(refused, 422, "package-refused")
            assert code in refused.text
        answer = server.predict(head_ct, task="gos")
        assert (answer.status_code, answer.json()["model"]["version"]) == (200, 1)
        outcome.saw(
            "cut short, one bit turned, manifest broken, golden answer another: 422 each; gos@1 answers: 200"
        )
    with serving(store, tmp_path / "new", ready=False) as server:
        settled(server)
        readiness = server.client.get("/readyz")
        assert readiness.status_code == 503
        reasons = {
            model["version"]: model["reason"]["code"]
            for model in readiness.json()["models"]
            if model["reason"]
        }
        assert reasons == {version: code for version, (_, code) in DAMAGES.items()}
        problem(server.predict(head_ct, task="gos"), 503, "not-ready")
        assert server.predict(head_ct, model="gos@1").status_code == 200
        outcome.saw("a new service finds them: `/readyz` 503 with four reasons, gos@1 answers: 200")


@pytest.mark.fault(
    "package whose graph crashes ONNX Runtime",
    "a load into a running service is refused with 422 `package-refused`, reason `package-invalid`: what died is a process of its own; the "
    "version before it goes on. (One that a start finds in the store and should serve ends that start.)",
)
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="other processors do that division")
def test_a_package_that_crashes_onnx_runtime_ends_no_service(
    server: Server, store: Path, head_ct: Path, outcome: Outcome
) -> None:
    make_deadly(build_tiny_package(store, "gos", version=3))
    with outcome.timed("the process of the trial ended by SIGFPE, 422 after {}"):
        refused = server.client.post("/admin/models/gos/3/load", headers=ADMIN)
    reason = problem(refused, 422, "package-refused")["reason"]
    assert reason["code"] == "package-invalid"
    assert "SIGFPE" in reason["detail"]
    answer = server.predict(head_ct, task="gos")
    assert (answer.status_code, answer.json()["model"]["version"]) == (200, 2)
    assert server.client.get("/readyz").status_code == 200
    outcome.saw("gos@2 answers: 200; `/readyz` 200")
