"""A patient's name, planted wherever a client can put one, appears in no log line and no problem document."""

import gzip
import io
from pathlib import Path

import httpx
import pydicom
import pytest

from tests.service.jobs import ASYNC, ended
from tests.service.server import Server, serving

CANARY = "ZZCANARY"


@pytest.mark.samples
def test_a_planted_name_reaches_neither_log_nor_record_store(
    tiny_store: Path, samples: Path, tmp_path: Path
) -> None:
    with serving(tiny_store, tmp_path / "var", log_level="DEBUG") as server:
        plant_everywhere(server, samples)
    log = server.log.read_text()
    assert log.count('"request-finished"') >= 6
    assert CANARY not in log
    assert "PatientName" not in log
    # The record store keeps what the answer says, and an answer names no patient.
    assert CANARY.encode() not in b"".join(
        path.read_bytes() for path in (tmp_path / "var").rglob("*.sqlite3*")
    )
    kept = [path for path in (tmp_path / "var" / "cases").rglob("*") if path.is_file()]
    assert {path.name for path in kept} == {"tensor.npy", "record.json", "image.nii.gz"}
    assert all(CANARY.encode() not in read(path) for path in kept)
    assert CANARY not in server.client.base_url.path


def read(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def plant_everywhere(server: Server, samples: Path) -> None:
    slices = sorted((samples / "ct-head-ge").iterdir())
    named = [(f"{CANARY}-{number}.dcm", renamed(path)) for number, path in enumerate(slices)]
    answers = [
        server.predict(*named, task="gos", keep="image"),
        server.predict(named[0], task="gos"),
        server.predict((f"{CANARY}.nii", b"damaged" + CANARY.encode()), task="gos"),
        server.predict(named[0], task="gos", ehr=f'{{"{CANARY}": "{CANARY}", "sex": "{CANARY} x"}}'),
        server.predict(named[0], task=CANARY),
        server.predict(named[0], model=CANARY),
        server.client.get(f"/predictions/{CANARY}?name={CANARY}"),
        server.client.get("/predictions", params={"q": CANARY}),
        server.client.get("/predictions", params={CANARY: CANARY}),
        server.client.put("/predictions/absent/feedback", json={"reason": CANARY, "outcome": CANARY}),
        server.predict(*named, path="/uploads", task="gos"),
        server.predict((f"{CANARY}.nii", CANARY.encode() * 9), path="/uploads", task="gos"),
        server.predict(path="/predict", task="gos", upload=CANARY, reference=CANARY, keep=CANARY),
        server.client.get(f"/uploads/{CANARY}/overview.png"),
        server.client.post(f"/predictions/{CANARY}/what-if", json={"ehr": {CANARY: CANARY}, CANARY: CANARY}),
        server.client.post(f"/predictions/{CANARY}/curve", json={"ehr": {}, "feature": CANARY}),
        server.client.get(f"/{CANARY}"),
        server.client.get("/livez", headers={"X-Request-ID": f"{CANARY} {CANARY}"}),
        *jobs(server, named),
    ]
    assert answers[0].status_code == 200, answers[0].text
    assert all(answer.status_code < 500 for answer in answers)
    # The one place that names a client's own word back is the list of unknown record fields.
    assert all(CANARY not in answer.text for number, answer in enumerate(answers) if number != 3)


def jobs(server: Server, named: list[tuple[str, bytes]]) -> list[httpx.Response]:
    """The same as jobs: their status, when they have ended, says no more than an answer does."""
    accepted = [
        server.client.post(
            "/predict", data={"task": "gos"}, files=[("image", part) for part in parts], headers=ASYNC
        )
        for parts in (named, [(f"{CANARY}.nii", b"damaged" + CANARY.encode())])
    ]
    statuses = [ended(server, each.json()["id"]) for each in accepted]
    assert [status["state"] for status in statuses] == ["done", "failed"]
    refused = server.client.post(
        "/predict",
        data={"task": "gos", "webhook": f"https://{CANARY}"},
        files=[("image", named[0])],
        headers=ASYNC | {"Idempotency-Key": CANARY},
    )
    return [*accepted, refused, server.client.get("/jobs"), server.client.get(f"/batches/{CANARY}")]


def renamed(path: Path) -> bytes:
    dataset = pydicom.dcmread(path)
    dataset.PatientName = f"{CANARY}^{CANARY}"
    dataset.PatientID = CANARY
    dataset.InstitutionName = CANARY
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()
