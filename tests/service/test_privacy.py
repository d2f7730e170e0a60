"""A patient's name, planted wherever a client can put one, appears in no log line and no problem document."""

import gzip
import io
import re
import sys
import zipfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pydicom
import pytest

from app.records.store import RecordStore
from tests.imaging.nifti_bytes import parts
from tests.service.jobs import ASYNC, ended
from tests.service.processes import descendants, workers
from tests.service.server import Server, files_below, serving
from tests.support.frozen import frozen
from tests.support.waiting import wait_until

CANARY = "ZZCANARY"
BIRTH_DATE = "19010203"
ACCESSION = "ZZ77190102"
STUDY_UID = "1.2.826.0.1.3680043.8.498.77190102777"
SERIES_UID = "1.2.826.0.1.3680043.8.498.77190102888"
PLANTED = (CANARY, BIRTH_DATE, ACCESSION, STUDY_UID, SERIES_UID)


@dataclass(frozen=True)
class Planted:
    """What a service holds that was sent a patient's name in every place that takes words.

    Attributes:
        data: Its folder; the service has ended. Last it was told the name as a reference and a reason, which it keeps.
        records: Its database before that.
        waiting: All that was kept of a job that nobody had begun.
        previews: All that was kept of uploads.
        cases: Name and content of every file that was kept of cases before that.
        watched: Its metrics.
        log: What it wrote.
    """

    data: Path
    records: bytes
    waiting: bytes
    previews: bytes
    cases: list[tuple[str, bytes]]
    watched: str
    log: str


@pytest.fixture(scope="module")
def held(gos_store: Path, samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Planted:
    data = tmp_path_factory.mktemp("planted") / "var"
    with serving(gos_store, data, log_level="DEBUG") as server:
        plant_everywhere(server, samples)
        waiting, previews = while_it_waits(server, samples), on_disk(data / "previews")
        records = b"".join(path.read_bytes() for path in data.glob("records.sqlite3*"))
        cases = [(path.name, read(path)) for path in files_below(data / "cases")]
        answer = server.predict(
            renamed_file(samples), task="gos", reference=CANARY, keep="image", ehr='{"age": 71}'
        ).json()
        said = {"reason": f"as {CANARY} said", "agreement": "disagree", "outcome": None}
        server.client.put(f"/predictions/{answer['id']}/feedback", json=said).raise_for_status()
        watched = server.client.get("/metrics").text
    return Planted(data, records, waiting, previews, cases, watched, server.log.read_text())


@pytest.mark.samples
def test_a_planted_name_reaches_neither_log_nor_metrics_nor_record_store(held: Planted) -> None:
    assert held.log.count('"request-finished"') >= 6
    assert "PatientName" not in held.log
    for planted in PLANTED:
        assert planted not in held.watched
        assert planted not in held.log
    # The record store keeps what the answer says, and an answer names no patient.
    assert CANARY.encode() not in held.records
    for kept_meanwhile in (held.waiting, held.previews):
        assert len(kept_meanwhile) > 10**6, "an image"
        assert not [planted for planted in PLANTED if planted.encode() in kept_meanwhile]
    assert {name for name, _ in held.cases} == {"tensor.npy", "record.json", "image.nii.gz"}
    assert all(CANARY.encode() not in content for _, content in held.cases)


@pytest.mark.skipif(sys.platform != "linux", reason="what is looked at is in /proc")
def test_no_process_of_the_service_writes_a_core_file(server: Server) -> None:
    processes = {server.process.pid, *descendants(server.process.pid)}
    assert len(processes) > len(workers(server)) + 1
    for each in processes:
        limits = Path(f"/proc/{each}/limits").read_text(encoding="ascii")
        assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE), each


@pytest.mark.slow
@pytest.mark.samples
def test_what_was_planted_is_nowhere_once_its_time_is_over(gos_store: Path, held: Planted) -> None:
    """Names, ids, dates and UIDs; in files, records, references and reasons; in what is kept and written down."""
    data = held.data
    assert CANARY.encode() in on_disk(data), "a reason and a reference are kept with their answer"
    trail = audit_lines(data)
    assert "POST /predict" in trail
    assert not any(planted in trail for planted in PLANTED)

    for folder in (data / "previews").iterdir():
        # Their half hour is no operator's choice. The first digits of a name are its time: this one was made in 2022.
        folder.rename(folder.with_name("01800000-0000" + folder.name[13:]))
    with serving(gos_store, data, keep_predictions_days=1e-6, job_days=1e-6, case_hours=1e-9) as server:
        wait_until(lambda: not left(server), look_s=0.1)
    after = on_disk(data)
    assert not [planted for planted in PLANTED if planted.encode() in after]
    assert audit_lines(data).count("POST /predict") == trail.count("POST /predict"), "deeds outlive answers"


def left(server: Server) -> list[str]:
    """What is kept of patients."""
    folders = (server.data / name for name in ("cases", "previews", "uploads", "heatmaps", "jobs"))
    files = [path.name for folder in folders for path in files_below(folder)]
    listed = server.client.get("/predictions").json()["total"] + server.client.get("/jobs").json()["total"]
    return [*files, *["a row"] * listed]


def while_it_waits(server: Server, samples: Path) -> bytes:
    """All that is kept of a job that nobody has begun, its row included; it is answered as ever after that."""
    with frozen(workers(server)):
        name, content = renamed_file(samples)
        accepted = server.client.post(
            "/predict",
            data={"task": "gos", "series": SERIES_UID},
            files=[("image", (name, content))],
            headers=ASYNC,
        )
        assert accepted.status_code == 202, accepted.text
        kept = on_disk(server.data / "jobs")
        kept += b"".join(path.read_bytes() for path in server.data.glob("records.sqlite3*"))
    assert ended(server, accepted.json()["id"])["state"] == "done"
    return kept


def on_disk(data: Path) -> bytes:
    """Every byte of every file, packed ones unpacked."""
    return b"".join(read(path) for path in files_below(data))


def audit_lines(data: Path) -> str:
    with closing(RecordStore(data / "records.sqlite3")) as records:
        assert records.audit.verify().broken_at is None
        return "\n".join(repr(line) for line in records.audit.lines())


def renamed_file(samples: Path) -> tuple[str, bytes]:
    return f"{CANARY}.zip", zipped(samples / "ct-head-ge")


def zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.writestr(f"{CANARY}/{path.name}", renamed(path))
    return buffer.getvalue()


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
        server.client.get("/livez", headers={"X-Request-ID": CANARY}),
        *jobs(server, named),
    ]
    assert answers[0].status_code == 200, answers[0].text
    assert all(answer.status_code < 500 for answer in answers)
    # The one place that names a client's own word back is the list of unknown record fields.
    assert all(CANARY not in answer.text for number, answer in enumerate(answers) if number != 3)


def jobs(server: Server, named: list[tuple[str, bytes]]) -> list[httpx.Response]:
    """The same as jobs: their status, when they have ended, says no more than an answer does."""
    no_ct = b"".join(parts(fields={"descrip": CANARY})) + CANARY.encode()
    accepted = [
        server.client.post(
            "/predict", data={"task": "gos"}, files=[("image", image) for image in images], headers=ASYNC
        )
        for images in (named, [(f"{CANARY}.nii", no_ct)], [(f"{CANARY}.nii", b"damaged" + CANARY.encode())])
    ]
    statuses = [ended(server, each.json()["id"]) for each in accepted[:2]]
    assert [status["state"] for status in statuses] == ["done", "failed"]
    assert accepted[2].status_code == 415
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
    dataset.PatientBirthDate = BIRTH_DATE
    dataset.AccessionNumber = ACCESSION
    dataset.StudyInstanceUID = STUDY_UID
    dataset.SeriesInstanceUID = SERIES_UID
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()
