"""`neurofuse audit`: the trail of a database is proved and given out as FHIR, and what was changed is said."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from sqlalchemy import Engine, create_engine, text

from app.cli import main
from app.data_folder.layout import DataFolder
from app.exit_status import FAILED
from app.records.audit import AuditTrail, Deed
from app.records.store import RecordStore
from tests.support.small_disk import full

MOMENT = datetime(2026, 11, 3, 8, 30, tzinfo=UTC)
DEEDS = [
    Deed(
        "key:3f9a", "key", "POST /predict", "0193c2f4-6a00-7a31-9c2e-5d1f0b7e8a90", "gos@2 sha256:ab", "ok", "r1", MOMENT
    ),
    Deed(
        "oidc:77", "oidc", "GET /predictions/{prediction_id}", "0193c2f4-6a00-7a31-9c2e-5d1f0b7e8a90", "", "ok", "r2",
        MOMENT + timedelta(days=1),
    ),
    Deed("", "unknown", "PUT /admin/models/{name}/aliases/{alias}", "gos@production", "", "not-authenticated", "r3",
         MOMENT + timedelta(days=2)),
    Deed("service", "service", "audit forgotten", "lines before 1", moment=MOMENT + timedelta(days=3)),
    Deed("service", "service", "job failed", "0193c2f4-6a00-7a31-9c2e-5d1f0b7e8a91", "gos@2", "wrong-modality", "",
         MOMENT + timedelta(days=4)),
]  # fmt: skip


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEUROFUSE_DATA", str(tmp_path))
    with closing(RecordStore(DataFolder(tmp_path).database)) as records:
        for deed in DEEDS:
            records.audit.add(deed)
    return tmp_path


@pytest.fixture
def engine(data: Path) -> Iterator[Engine]:
    opened = create_engine(f"sqlite:///{DataFolder(data).database}")
    yield opened
    opened.dispose()


def head(data: Path) -> str:
    with closing(RecordStore(DataFolder(data).database)) as records:
        return records.audit.head().digest


def test_a_whole_trail_is_said_to_be_and_its_head_is_told(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "verify"]) == 0
    assert capsys.readouterr().out == f"whole: 5 lines, 1 to 5; head {head(data)}\n"


def test_a_changed_line_is_named(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE audit SET subject = 'nobody' WHERE number = 2"))
    assert main(["audit", "verify"]) == FAILED
    assert "BROKEN at line 2" in capsys.readouterr().out


def test_a_chain_that_was_made_anew_does_not_hold_the_head_that_was_kept_elsewhere(
    data: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = head(data)
    assert main(["audit", "verify", "--head", kept]) == 0
    with closing(RecordStore(DataFolder(data).database)) as records:
        records.audit.add(DEEDS[0])
    assert main(["audit", "verify", "--head", kept]) == 0, "it may go on"
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM audit"))
        connection.execute(text("UPDATE audit_head SET last = 0, digest = base"))
    with closing(RecordStore(DataFolder(data).database)) as records:
        for deed in DEEDS[1:]:
            records.audit.add(deed)
    assert main(["audit", "verify"]) == 0, "by itself it is whole"
    capsys.readouterr()
    assert main(["audit", "verify", "--head", kept]) == FAILED
    assert "made anew" in capsys.readouterr().out


def test_every_line_is_a_valid_audit_event_that_leads_back_to_it(data: Path) -> None:
    out = data / "events.ndjson"
    assert main(["audit", "export", "--out", str(out), "--observer", "NeuroFuse, ward 3"]) == 0
    events = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    for event in events:
        AuditEvent.model_validate(event)
    assert [event["outcome"] for event in events] == ["0", "0", "4", "0", "4"]
    assert [event["action"] for event in events] == ["C", "R", "U", "E", "E"]
    assert events[0]["entity"][0]["what"]["identifier"]["value"] == DEEDS[0].object_id
    assert events[0]["recorded"] == "2026-11-03T08:30:00Z"
    assert events[2]["outcomeDesc"] == "not-authenticated"
    failed = events[4]
    assert (failed["type"]["display"], failed["outcomeDesc"]) == ("Application Activity", "wrong-modality")
    assert failed["agent"][0]["requestor"] is False
    with closing(RecordStore(DataFolder(data).database)) as records:
        digests = [line.digest for line in AuditTrail.lines(records.audit)]
    details = [
        {each["type"]: each["valueString"] for each in event["entity"][0]["detail"]} for event in events
    ]
    assert [detail["digest"] for detail in details] == digests


def test_a_time_is_given_out_alone_and_no_export_is_written_over(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = data / "day.ndjson"
    command = ["audit", "export", "--since", "2026-11-04", "--until", "2026-11-05", "--out", str(out)]
    assert main(command) == 0
    (event,) = map(json.loads, out.read_text(encoding="utf-8").splitlines())
    assert event["agent"][0]["who"]["identifier"]["value"] == "oidc:77"
    assert main(command) == 2
    assert "File exists" in capsys.readouterr().err


@pytest.mark.usefixtures("data")
def test_an_export_that_was_cut_off_does_not_pass_for_a_whole_one(
    small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = small_disk / "events.ndjson"
    with full(small_disk):
        assert main(["audit", "export", "--out", str(out)]) == 2
        assert "No space left" in capsys.readouterr().err
        assert [each.name for each in small_disk.iterdir()] == ["filler"]
    assert main(["audit", "export", "--out", str(out)]) == 0
    assert len(out.read_text(encoding="utf-8").splitlines()) == len(DEEDS)
    assert list(small_disk.iterdir()) == [out]


def test_a_folder_without_a_database_is_said_and_none_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEUROFUSE_DATA", str(tmp_path / "wrong"))
    (tmp_path / "wrong").mkdir()
    assert main(["audit", "verify"]) == 2
    assert "NEUROFUSE_DATA" in capsys.readouterr().err
    assert list((tmp_path / "wrong").iterdir()) == []


def _copy_to(disk: Path, data: Path, ends: Sequence[str]) -> None:
    for end in ends:
        shutil.copy(f"{DataFolder(data).database}{end}", disk)


@pytest.mark.parametrize(
    "ends", [("",), ("", "-wal"), ("", "-wal", "-shm")], ids=["at rest", "with a log", "with a log in use"]
)
def test_a_copy_that_cannot_be_written_to_is_verified_and_given_out_as_it_is(
    data: Path,
    small_disk: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ends: Sequence[str],
) -> None:
    with closing(RecordStore(DataFolder(data).database)) as records:
        digest = records.audit.head().digest
        if len(ends) > 1:
            _copy_to(small_disk, data, ends)
    if len(ends) == 1:
        _copy_to(small_disk, data, ends)
    before = {file.name: file.read_bytes() for file in small_disk.iterdir()}
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)  # noqa: S603, S607 - our own words
    monkeypatch.setenv("NEUROFUSE_DATA", str(small_disk))
    assert main(["audit", "verify", "--head", digest]) == 0
    assert capsys.readouterr().out.endswith(f"head {digest}\n")
    assert main(["audit", "export"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(DEEDS)
    assert {file.name: file.read_bytes() for file in small_disk.iterdir()} == before


def test_what_cannot_be_read_as_a_database_is_said_where_nothing_can_be_written(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    DataFolder(small_disk).database.write_bytes(b"no database" * 1000)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)  # noqa: S603, S607 - as above
    monkeypatch.setenv("NEUROFUSE_DATA", str(small_disk))
    assert main(["audit", "verify"]) != 0
    assert "storage-unavailable" in capsys.readouterr().err


def test_making_and_taking_back_a_key_leave_lines(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "create", "router", "--role", "system"]) == 0
    told = capsys.readouterr()
    key_id = told.err.partition(":")[0]
    assert main(["keys", "revoke", key_id]) == 0
    with closing(RecordStore(DataFolder(data).database)) as records:
        made, revoked = list(records.audit.lines())[-2:]
    assert (made.deed.action, revoked.deed.action) == ("keys create", "keys revoke")
    assert made.deed.object_id == revoked.deed.object_id == key_id
    assert told.out.strip() not in repr((made, revoked))
