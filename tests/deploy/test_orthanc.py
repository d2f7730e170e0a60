"""deploy/orthanc: what arrives in a real Orthanc is answered by a real service, once, and shown in its study."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import httpx
import pydicom
import pytest
from pydicom.uid import SecondaryCaptureImageStorage, generate_uid

from app.imaging.volume import Modality
from tests.imaging.making import Series
from tests.service.server import Server, serving
from tests.support.ports import free_port
from tests.support.waiting import end, wait_until

FORWARD = Path(__file__).parents[2] / "deploy" / "orthanc" / "forward.py"


@pytest.fixture(scope="module")
def service(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tiny_store, tmp_path_factory.mktemp("asked") / "var") as running:
        yield running


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """An Orthanc of its own, in which a study is stable after a second."""
    program = shutil.which("Orthanc")
    if program is None and os.environ.get("CI"):
        pytest.fail("CI must have Orthanc: install Debian's package orthanc")
    if program is None:
        pytest.skip("Orthanc is not here: install Debian's package orthanc")
    folder, port = tmp_path_factory.mktemp("orthanc"), free_port()
    chosen = {
        "StorageDirectory": "db",
        "IndexDirectory": "db",
        "HttpPort": port,
        "DicomServerEnabled": False,
        "StableAge": 1,
        "Plugins": [],
    }
    (folder / "orthanc.json").write_text(json.dumps(chosen))
    with (
        (folder / "log").open("wb") as log,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        process = subprocess.Popen([program, "orthanc.json"], cwd=folder, stdout=log, stderr=log)  # noqa: S603
        try:
            wait_until(lambda: _is_up(client), look_s=0.05)
            yield client
        finally:
            end(process)


def _is_up(client: httpx.Client) -> bool:
    try:
        return client.get("/system").is_success
    except httpx.TransportError:
        return False


class Study:
    """A head CT as a scanner sends it, slice by slice.

    Args:
        orthanc: Where it goes.
        folder: For its files.
        accession_number: As a RIS gave it.
        series: Its images.
    """

    def __init__(
        self, orthanc: httpx.Client, folder: Path, accession_number: str, series: Series | None = None
    ) -> None:
        tags = {
            "StudyInstanceUID": generate_uid(),
            "PatientID": accession_number,
            "AccessionNumber": accession_number,
        }
        self._orthanc = orthanc
        self.files = replace(series or Series(), extra=tags).write(folder / accession_number.replace("/", ""))
        self.id = ""

    def arrive(self, files: Sequence[Path] | None = None) -> Self:
        """Send some files, and wait until the study is stable with them."""
        seen = len(self._stable())
        for file in self.files if files is None else files:
            told = self._orthanc.post("/instances", content=file.read_bytes()).raise_for_status().json()
            self.id = told["ParentStudy"]
        wait_until(lambda: len(self._stable()) > seen, look_s=0.1)
        return self

    def captures(self) -> list[pydicom.Dataset]:
        """What was put into it."""
        found = self._orthanc.get(f"/studies/{self.id}/instances").json()
        files = (self._orthanc.get(f"/instances/{each['ID']}/file").content for each in found)
        read = [pydicom.dcmread(BytesIO(file)) for file in files]
        return [each for each in read if each.Modality == "OT"]

    def _stable(self) -> list[dict[str, Any]]:
        changes = self._orthanc.get("/changes?since=0&limit=100000").json()["Changes"]
        return [each for each in changes if (each["ChangeType"], each["ID"]) == ("StableStudy", self.id)]


@pytest.fixture
def forward(service: Server, orthanc: httpx.Client, tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Runs the program until nothing more is stable; gives what lies in its outbox then, the latest last."""

    def run(*more: str, path: str = "", fails: bool = False) -> list[dict[str, Any]]:
        command = [
            sys.executable,
            str(FORWARD),
            "--task",
            "gos",
            "--outbox",
            "outbox",
            "--records",
            "records",
        ]
        ran = subprocess.run(  # noqa: S603 - our own program
            [*command, *(more or ["--once"])],
            cwd=tmp_path,
            env=os.environ
            | {"ORTHANC": str(orthanc.base_url), "SERVICE": f"{service.client.base_url}{path}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ran.returncode != 0) == fails, ran.stderr
        told = sorted((tmp_path / "outbox").glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
        return [json.loads(file.read_text()) for file in told]

    (tmp_path / "records").mkdir()
    return run


def test_a_study_is_answered_once_with_its_record_and_its_picture_is_put_into_it(
    orthanc: httpx.Client, forward: Callable[..., list[dict[str, Any]]], tmp_path: Path
) -> None:
    (tmp_path / "records" / "A%2F17.json").write_text('{"age": 71}')
    study = Study(orthanc, tmp_path, "A/17").arrive()
    told = [case for case in forward() if case["study"] == study.id]
    assert [feature["value"] for feature in told[0]["ehr"]["features"] if feature["name"] == "age"] == [71]
    (capture,) = study.captures()
    assert capture.SOPClassUID == capture.file_meta.MediaStorageSOPClassUID == SecondaryCaptureImageStorage
    assert capture.PatientID == capture.AccessionNumber == "A/17"
    assert "Not for diagnosis" in capture.SeriesDescription
    assert told[0]["id"] in capture.DerivationDescription
    assert capture.SOPInstanceUID == f"2.25.{UUID(told[0]['id']).int}"
    assert capture.pixel_array.shape[2] == 3
    # Of what it put there it is told too.
    wait_until(lambda: len(study._stable()) > 1, look_s=0.1)
    assert len(forward()) == len(told)
    assert len(study.captures()) == 1


def test_slices_that_come_late_make_another_case(
    orthanc: httpx.Client, forward: Callable[..., list[dict[str, Any]]], tmp_path: Path
) -> None:
    study = Study(orthanc, tmp_path, "A18")
    study.arrive(study.files[:-2])
    forward()
    study.arrive(study.files[-2:])
    cases = [case for case in forward() if case["study"] == study.id]
    assert [case["image"]["series"]["chosen"]["slices"] for case in cases] == [18, 20]


def test_what_would_be_so_with_every_case_ends_it_and_what_was_cut_off_goes_on_as_the_same_case(
    orthanc: httpx.Client, forward: Callable[..., list[dict[str, Any]]], tmp_path: Path
) -> None:
    study = Study(orthanc, tmp_path, "A19").arrive()
    outbox = tmp_path / "outbox"
    assert forward("--study", study.id, path="/nowhere", fails=True) == []
    (archive,) = outbox.glob("*.zip")
    content = archive.read_bytes()
    (answer,) = forward("--study", study.id)
    told = outbox / f"{archive.stem.removeprefix(study.id + '.')}.json"
    assert {file.name for file in outbox.iterdir()} == {told.name, "namespace"}
    # As where it was killed before the answer was written down.
    told.unlink()
    archive.write_bytes(content)
    assert forward("--study", study.id) == [answer]
    assert len(study.captures()) == 1


def test_what_was_on_its_way_of_a_study_that_was_deleted_is_no_longer_kept(
    orthanc: httpx.Client, forward: Callable[..., list[dict[str, Any]]], tmp_path: Path
) -> None:
    study = Study(orthanc, tmp_path, "A23").arrive()
    forward("--study", study.id, path="/nowhere", fails=True)
    assert list((tmp_path / "outbox").glob("*.zip"))
    orthanc.delete(f"/studies/{study.id}").raise_for_status()
    assert forward("--study", study.id) == []
    assert not list((tmp_path / "outbox").glob("*.zip"))


def test_a_record_that_cannot_be_read_is_a_problem_of_its_case_alone(
    orthanc: httpx.Client, forward: Callable[..., list[dict[str, Any]]], tmp_path: Path
) -> None:
    study = Study(orthanc, tmp_path, "A24").arrive()
    for record in (b'{"name": "M\xfcller"}', b'{"age": ', b'{"age": "old"}'):
        (tmp_path / "records" / "A24.json").write_bytes(record)
        case = forward("--study", study.id)[-1]
        assert case["type"] in {"/problems/malformed-request", "/problems/ehr-invalid"}


def test_an_orthanc_whose_database_was_made_anew_is_followed_from_its_beginning(
    orthanc: httpx.Client, forward: Callable[..., list[dict[str, Any]]], tmp_path: Path
) -> None:
    study = Study(orthanc, tmp_path, "A25").arrive()
    (tmp_path / "outbox").mkdir()
    (tmp_path / "outbox" / "position").write_text("1000000")
    assert study.id in {case["study"] for case in forward()}


def test_a_study_without_an_answer_says_why_and_is_not_sent_again(
    orthanc: httpx.Client, forward: Callable[..., list[dict[str, Any]]], tmp_path: Path
) -> None:
    shapeless = Series(field_at=lambda points: 0 * points[..., 0] - 1000)
    study = Study(orthanc, tmp_path, "A20", shapeless).arrive()
    for _ in range(2):
        (case,) = forward("--study", study.id)
        assert case["type"] == "/problems/not-a-head"
    assert study.captures() == []


def test_another_modality_is_left_alone(
    orthanc: httpx.Client, forward: Callable[..., list[dict[str, Any]]], tmp_path: Path
) -> None:
    study = Study(orthanc, tmp_path, "A21", Series(modality=Modality.MR)).arrive()
    assert forward("--study", study.id) == []
