"""`neurofuse predict --cohort TABLE --server URL`: the table that the command makes by itself, from a service."""

import csv
from pathlib import Path

import pytest

from app import cli
from tests.service.server import Server

ROWS = (
    "K-17,head.nii.gz,71",
    "K-18,head.nii.gz,50",
    "K-19,words.nii.gz,50",
    "K-20,absent.nii.gz,50",
    "K-21,both,50",
    "K-22,head.nii.gz,nan",
)


@pytest.fixture
def table(tmp_path: Path, head_ct: Path) -> Path:
    """Two patients, a file of no kind, one that is not there, a folder of two images, and an age that is no number."""
    for name in ("head.nii.gz", "both/a.nii.gz", "both/b.nii.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(head_ct.read_bytes())
    (tmp_path / "words.nii.gz").write_text("only words")
    path = tmp_path / "table.csv"
    path.write_text("\n".join(("id,image,age", *ROWS)) + "\n")
    return path


def run(table: Path, out: Path, *more: str) -> list[dict[str, str]]:
    status = cli.main(["predict", "--cohort", str(table), "--task", "gos", "--out", str(out), *more])
    assert status == 1  # some row could not be answered
    with out.open(newline="", encoding="utf-8") as file:
        return [
            {name: cell for name, cell in row.items() if name != "milliseconds"}
            for row in csv.DictReader(file)
        ]


@pytest.mark.usefixtures("own_logging")
def test_a_service_gives_the_table_that_this_machine_gives(
    server: Server, tiny_store: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = ("--server", str(server.client.base_url))
    monkeypatch.setenv("NEUROFUSE_MODEL_STORE", str(tmp_path / "empty"))
    from_service = run(table, tmp_path / "service.csv", *address)
    answers = server.client.get("/predictions").json()["total"]
    # What was answered is not worked on again, though nothing is left of the first run here.
    assert run(table, tmp_path / "again.csv", *address) == from_service
    assert server.client.get("/predictions").json()["total"] == answers
    assert "K-17" not in server.log.read_text() + server.client.get("/jobs", params={"limit": 200}).text
    monkeypatch.setenv("NEUROFUSE_MODEL_STORE", str(tiny_store))
    assert run(table, tmp_path / "here.csv") == from_service
    codes = ["", "", "unsupported-file", "no-usable-series", "mixed-series", "ehr-invalid"]
    assert [row["code"] for row in from_service] == codes
    assert from_service[-1]["detail"] == "age must be a number"


@pytest.mark.usefixtures("own_logging")
def test_a_service_that_is_not_there_is_named(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["predict", "--cohort", str(table), "--task", "gos", "--out", str(tmp_path / "out.csv")]
    assert cli.main([*arguments, "--server", "http://127.0.0.1:1"]) == 1
    assert "not-ready" in capsys.readouterr().err
    assert cli.main([*arguments, "--server", "http://127.0.0.1:1", "--ray", "auto"]) == 2
