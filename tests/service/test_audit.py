"""Who did what, to which prediction, with which package: a line for each request that touches a case or a package, and none that holds a patient's value."""

import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.records.audit import Deed
from app.records.store import RecordStore
from tests.service import jobs
from tests.service.server import Server, serving

CANARY = "ZZAUDIT"
ADMIN_TOKEN = "0123456789abcdef0123456789abcdef"  # noqa: S105 - of this test


@pytest.fixture(scope="module")
def audited(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tiny_store, tmp_path_factory.mktemp("audited") / "var", admin_token=ADMIN_TOKEN) as running:
        yield running


def deeds(server: Server) -> list[Deed]:
    with closing(RecordStore(server.data / "records.sqlite3")) as records:
        assert records.audit.verify().broken_at is None
        return [line.deed for line in records.audit.lines()]


def last(server: Server, count: int = 1) -> list[Deed]:
    return deeds(server)[-count:]


def test_an_answer_and_those_who_read_it_are_written_down_with_the_package_that_gave_it(
    audited: Server, head_ct: Path
) -> None:
    given = audited.predict(head_ct, task="gos", reference=CANARY, ehr='{"age": 71}')
    answer = given.json()
    audited.client.get(f"/predictions/{answer['id'].upper()}").raise_for_status()
    audited.client.get(answer["heatmap"]["png"]).raise_for_status()
    predicted, read, seen = last(audited, 3)
    assert predicted.action == "POST /predict"
    assert predicted.request_id == given.headers["X-Request-ID"]
    model = answer["model"]
    assert predicted.model == f"{model['name']}@{model['version']} sha256:{model['sha256']}"
    assert read.action == "GET /predictions/{prediction_id}"
    assert seen.action == "GET /predictions/{prediction_id}/heatmap.png"
    assert {each.object_id for each in (predicted, read, seen)} == {answer["id"]}
    assert {(each.subject, each.kind, each.outcome) for each in (predicted, read, seen)} == {
        ("local", "local", "ok")
    }


def test_a_job_is_written_down_when_it_is_accepted_and_when_it_has_ended(
    audited: Server, head_ct: Path, tmp_path: Path
) -> None:
    no_ct = tmp_path / f"{CANARY}.nii"
    no_ct.write_bytes(jobs.NO_CT)
    answered, failed = (jobs.accepted(jobs.send(audited, image, task="gos")) for image in (head_ct, no_ct))
    assert [jobs.ended(audited, each)["state"] for each in (answered, failed)] == ["done", "failed"]
    model = audited.client.get(f"/predictions/{answered}").json()["model"]
    # A job may have ended before the request that brought it is written down, which is when it is answered.
    asked, ended, _ = sorted(
        (each for each in deeds(audited) if each.object_id == answered),
        key=lambda each: ("POST", "job", "GET").index(each.action.split()[0]),
    )
    assert (asked.action, asked.subject) == ("POST /predict", "local")
    assert asked.model == f"{model['name']}@{model['version']}"
    assert (ended.action, ended.kind, ended.outcome) == ("job done", "service", "ok")
    assert ended.model == f"{model['name']}@{model['version']} sha256:{model['sha256']}"
    assert {(each.action, each.outcome) for each in deeds(audited) if each.object_id == failed} == {
        ("POST /predict", "ok"),
        ("job failed", "wrong-modality"),
    }


def test_what_a_request_has_made_is_what_its_line_is_about(audited: Server, head_ct: Path) -> None:
    batch = audited.client.post("/batches", json={"model": "gos@1"}).json()["id"]
    image = [("image", (CANARY, head_ct.read_bytes()))]
    upload = audited.client.post("/uploads", data={"task": "gos"}, files=image).json()["id"]
    assert [(each.action, each.object_id, each.model) for each in last(audited, 2)] == [
        ("POST /batches", batch, "gos@1"),
        ("POST /uploads", upload, ""),
    ]


def test_of_tensors_the_line_says_which_version_answered(audited: Server) -> None:
    inputs = [
        {"name": each["name"], "datatype": "FP32", "shape": [1, *each["shape"][1:]], "data": [0] * math.prod(each["shape"][1:])}
        for each in audited.client.get("/v2/models/gos").json()["inputs"]
    ]  # fmt: skip
    answer = audited.client.post("/v2/models/gos/infer", json={"inputs": inputs}).raise_for_status().json()
    deed, sha256 = last(audited)[0], answer["parameters"]["sha256"]
    assert (deed.object_id, deed.model) == ("gos", f"gos@{answer['model_version']} sha256:{sha256}")


def test_what_was_refused_is_written_down_with_its_code(audited: Server, tmp_path: Path) -> None:
    no_image = tmp_path / f"{CANARY}.nii"
    no_image.write_bytes(b"nothing")
    assert audited.predict(no_image, task="gos").status_code == 415
    assert last(audited)[0].outcome == "unsupported-file"
    assert audited.client.get("/predictions/0193c2f4-6a00-7a31-9c2e-5d1f0b7e8a90").status_code == 404
    assert last(audited)[0].outcome == "unknown-prediction"


def test_moving_packages_is_written_down_and_trying_to_without_the_token_too(audited: Server) -> None:
    path = "/admin/models/gos/aliases/production"
    assert audited.client.put(path, json={"version": 1}).status_code == 401
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    audited.client.put(path, json={"version": 1}, headers=headers).raise_for_status()
    refused, done = last(audited, 2)
    action = "PUT /admin/models/{name}/aliases/{alias}"
    assert (refused.action, refused.outcome) == (action, "not-authenticated")
    assert (done.action, done.outcome, done.object_id, done.model) == (
        action,
        "ok",
        "gos@production",
        "gos@1",
    )
    assert (done.subject, done.kind) != (refused.subject, refused.kind)


def test_probes_polls_and_documents_leave_no_line(audited: Server) -> None:
    before = len(deeds(audited))
    for path in (
        "/livez",
        "/readyz",
        "/metrics",
        "/models",
        "/problems",
        "/jobs",
        "/openapi.json",
        "/no/such/place",
    ):
        audited.client.get(path)
    assert len(deeds(audited)) == before


def test_no_line_holds_what_a_client_wrote(audited: Server, head_ct: Path) -> None:
    audited.client.get(f"/predictions/{CANARY}")
    assert last(audited)[0].object_id == "not a name of ours"
    audited.client.get("/predictions", params={"q": CANARY})
    audited.predict(head_ct, task="gos", ehr=f'{{"{CANARY}": "{CANARY}"}}', heatmap="none")
    audited.client.post(f"/admin/models/{CANARY}/1/load", headers={"Authorization": f"Bearer {CANARY}"})
    assert CANARY not in repr(deeds(audited))


def test_where_the_line_cannot_be_written_there_is_no_answer(audited: Server, head_ct: Path) -> None:
    answer = audited.predict(head_ct, task="gos", heatmap="none").json()
    path = f"/predictions/{answer['id']}"
    assert audited.client.get(path).status_code == 200
    with closing(RecordStore(audited.data / "records.sqlite3")) as records:
        with records.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE audit RENAME TO elsewhere")
        try:
            withheld = audited.client.get(path)
        finally:
            with records.engine.begin() as connection:
                connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO audit")
    assert withheld.status_code >= 500
    assert answer["id"] not in withheld.text
    assert audited.client.get(path).json()["id"] == answer["id"]
