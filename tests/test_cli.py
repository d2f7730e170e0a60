"""The command line answers as the service does and ends with a code that a script can use."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.cli import main
from app.data_folder.layout import DataFolder
from app.exit_status import FAILED, OK, REFUSED
from app.model_package.package import open_package, seal
from app.predictions.answer import Answer
from app.records.store import RecordStore
from app.settings import Settings
from tests.service.server import Server, serving
from tests.support.forked import serve
from tests.support.ports import free_port
from tests.support.tiny_package import build_tiny_package
from tests.support.waiting import LONGEST_S

RECORD = {"age": 71, "gcs": 9, "glucose": {"value": 126, "unit": "mg/dL"}}
START_FAILED = 3
"""How uvicorn ends where the application did not start."""
VARYING = {"id", "created", "heatmap", "timing_ms"}


pytestmark = pytest.mark.usefixtures("own_logging")


@pytest.fixture(autouse=True)
def environment(tiny_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny store, and a folder of its own to work in."""
    monkeypatch.setenv("NEUROFUSE_MODEL_STORE", str(tiny_store))
    monkeypatch.setenv("NEUROFUSE_THREADS", "1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def server(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tiny_store, tmp_path_factory.mktemp("cli") / "var") as running:
        yield running


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "record.json"
    path.write_text(json.dumps(RECORD))
    return path


def test_a_case_gets_the_answer_that_the_service_gives(
    server: Server, head_ct: Path, record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep" / "out"
    assert main(["predict", str(head_ct), "--ehr", str(record), "--task", "gos", "--out", str(out)]) == OK
    answer = json.loads((out / "answer.json").read_text())
    served = server.predict(head_ct, task="gos", ehr=record.read_text()).json()
    assert {k: v for k, v in answer.items() if k not in VARYING} == {
        k: v for k, v in served.items() if k not in VARYING
    }
    for kind in ("nifti", "png"):
        assert (out / answer["heatmap"][kind]).read_bytes() == server.client.get(
            served["heatmap"][kind]
        ).content
    shown = capsys.readouterr().out
    assert "gos_4" in shown
    assert "favourable" in shown
    assert "training-data" in shown


@pytest.mark.samples
def test_a_folder_of_slices_is_one_case(samples: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = [
        "predict",
        str(samples / "ct-head-ge"),
        "--model",
        "gos@1",
        "--heatmap",
        "none",
        "--out",
        str(out),
    ]
    assert main(arguments) == OK
    answer = Answer.model_validate_json((out / "answer.json").read_text())
    assert answer.model.version == 1
    assert answer.heatmap is None
    assert [path.name for path in out.iterdir()] == ["answer.json"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--model", "moon"], "unknown-model"),
        (["--task", "ad"], "ehr-invalid"),
    ],
)
def test_a_case_that_cannot_be_answered_is_refused_with_its_problem(
    head_ct: Path,
    record: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: str,
) -> None:
    command = ["predict", str(head_ct), "--ehr", str(record), "--out", str(tmp_path / "out"), *arguments]
    assert main(command) == REFUSED
    assert f"{code}: " in capsys.readouterr().err
    assert not (tmp_path / "out" / "answer.json").exists()


def test_nothing_of_an_earlier_case_stays_where_the_next_one_is_answered_or_refused(
    head_ct: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("not ours")

    def asked(image: Path, *more: str) -> tuple[int, set[str]]:
        code = main(["predict", str(image), "--task", "gos", "--out", str(out), *more])
        return code, {path.name for path in out.iterdir()} - {"notes.txt"}

    assert asked(head_ct) == (OK, {"answer.json", "heatmap.nii.gz", "heatmap.png"})
    assert asked(head_ct, "--heatmap", "none") == (OK, {"answer.json"})
    assert asked(head_ct)[0] == OK
    assert asked(out / "notes.txt") == (REFUSED, set())
    assert (out / "notes.txt").read_text() == "not ours"


def test_an_empty_folder_is_no_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "series").mkdir()
    assert main(["predict", "series", "--task", "gos", "--out", "out"]) == REFUSED
    assert "malformed-request: " in capsys.readouterr().err


@pytest.mark.parametrize("absent", ["image", "record"])
def test_a_file_that_cannot_be_read_is_refused_by_name(
    head_ct: Path, record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], absent: str
) -> None:
    (image, ehr) = (tmp_path / "absent", record) if absent == "image" else (head_ct, tmp_path / "absent")
    command = ["predict", str(image), "--ehr", str(ehr), "--task", "gos", "--out", str(tmp_path / "out")]
    assert main(command) == REFUSED
    assert "absent" in capsys.readouterr().err


def test_a_record_may_begin_with_a_byte_order_mark(head_ct: Path, tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    record.write_text('{"age": 71}', encoding="utf-8-sig")
    asked = ["predict", str(head_ct), "--task", "gos", "--ehr", str(record), "--heatmap", "none"]
    assert main([*asked, "--out", str(tmp_path / "out")]) == OK


def test_a_record_in_another_encoding_is_refused_by_name(
    head_ct: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "record.json"
    record.write_text('{"age": 71}', encoding="utf-16")
    asked = ["predict", str(head_ct), "--task", "gos", "--ehr", str(record), "--out", str(tmp_path / "out")]
    assert main(asked) == REFUSED
    told = capsys.readouterr().err
    assert "record.json" in told
    assert "UTF-8" in told


def test_whoever_reads_no_further_ends_a_command_in_silence() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "app.cli", "openapi"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()  # as `head` does, once it has enough
        told = process.stderr.read()
    assert (told, process.returncode) == (b"", FAILED)


def test_the_packages_are_listed_with_their_state(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == OK
    shown = capsys.readouterr().out
    assert all(package in shown for package in ("ad@1", "gos@1", "gos@2"))
    assert shown.count("ready") == 3


def test_a_title_is_shown_as_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    built = build_tiny_package(tmp_path / "store")
    seal(built, open_package(built).manifest.model_copy(update={"title": "Of our [ward] [/]"}))
    monkeypatch.setenv("NEUROFUSE_MODEL_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["models"]) == OK
    assert "Of our [ward] [/]" in capsys.readouterr().out


def test_a_changed_package_fails_the_list_and_the_case(
    tiny_store: Path,
    head_ct: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = shutil.copytree(tiny_store, tmp_path / "store")
    with (store / "gos/2/model.onnx").open("ab") as model:
        model.write(b"\0")
    monkeypatch.setenv("NEUROFUSE_MODEL_STORE", str(store))
    assert main(["models"]) == FAILED
    assert main(["predict", str(head_ct), "--task", "gos", "--out", str(tmp_path / "out")]) == FAILED
    assert "package-digest: " in capsys.readouterr().err


def test_the_openapi_document_is_printed_the_same_every_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["openapi"]) == OK
    first = capsys.readouterr().out
    assert "/predict" in json.loads(first)["paths"]
    assert main(["openapi"]) == OK
    assert capsys.readouterr().out == first


def test_a_health_check_follows_readiness(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROFUSE_PORT", str(server.client.base_url.port))
    assert main(["healthcheck"]) == OK
    monkeypatch.setenv("NEUROFUSE_HOST", "0.0.0.0")  # noqa: S104 - a service that listens everywhere
    assert main(["healthcheck"]) == OK
    monkeypatch.setenv("NEUROFUSE_PORT", "1")
    assert main(["healthcheck"]) == FAILED


def test_a_day_that_is_none_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["audit", "export", "--since", "yesterday"])
    assert stopped.value.code == REFUSED
    assert "expected a day such as 2026-11-01" in capsys.readouterr().err


def test_records_are_copied_to_the_database_that_is_set(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["copy-records"]) == REFUSED
    assert "NEUROFUSE_DATABASE_URL" in capsys.readouterr().err
    monkeypatch.setenv("NEUROFUSE_DATABASE_URL", postgres_url)
    assert main(["copy-records"]) == REFUSED
    assert "NEUROFUSE_DATA" in capsys.readouterr().err
    (tmp_path / "var").mkdir()
    RecordStore(tmp_path / "var" / "records.sqlite3").close()
    with DataFolder(tmp_path / "var").held():  # by a service
        assert main(["copy-records"]) == FAILED
    assert "End that one first" in capsys.readouterr().err
    assert main(["copy-records"]) == OK
    assert "predictions: 0" in capsys.readouterr().out.splitlines()


def test_a_setting_that_makes_no_sense_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEUROFUSE_PROVIDER", "rocm")
    monkeypatch.setenv("NEUROFUSE_JOB_DAYS", "0")
    assert main(["models"]) == REFUSED
    shown = capsys.readouterr().err
    assert "NEUROFUSE_PROVIDER" in shown
    assert "NEUROFUSE_JOB_DAYS" in shown


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("LOG_FORMAT", "xml", "expected 'json' or 'console'"),
        ("PORT", "99999", "expected less than or equal to 65535"),
        ("MAX_VOXELS", "many", "expected a valid integer"),
        ("DEVICES", "first", "Numbers of the GPUs"),
        ("OIDC_ISSUER", "http://elsewhere.example", "expected https://"),
    ],
)
def test_of_a_setting_that_makes_no_sense_it_is_said_what_is_expected(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(f"NEUROFUSE_{name}", value)
    assert main(["models"]) == REFUSED
    shown = capsys.readouterr().err
    assert f"NEUROFUSE_{name}: " in shown
    assert expected in shown


def test_of_a_setting_that_makes_no_sense_the_value_is_never_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = []
    for name in Settings.model_fields:
        with monkeypatch.context() as setting:
            setting.setenv(f"NEUROFUSE_{name.upper()}", "PLANTED;")
            try:
                Settings()
            except ValidationError:
                refused.append(name)
                main(["models"])
    assert len(refused) > len(Settings.model_fields) // 2
    assert "PLANTED" not in capsys.readouterr().err


def test_a_variable_that_is_no_setting_is_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEUROFUSE_MODEL_STORE", "absent")  # so that it ends at once
    monkeypatch.setenv("NEUROFUSE_KEEP_PREDICTION_DAYS", "30")
    assert main(["serve"]) == REFUSED
    told = json.loads(capsys.readouterr().err.splitlines()[0])
    assert (told["event"], told["level"]) == ("setting-unknown", "warning")
    assert told["detail"].endswith("Did you mean NEUROFUSE_KEEP_PREDICTIONS_DAYS?")


@pytest.mark.parametrize(
    "command",
    ["serve", "predict head.nii --task gos --out result", "inspect head.nii --task gos", "models"],
)
def test_a_model_store_that_is_no_folder_stops_the_start_and_a_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    for name in ("file", "head.nii"):
        (tmp_path / name).touch()
    for store in ("absent", "file"):
        monkeypatch.setenv("NEUROFUSE_MODEL_STORE", store)
        assert main(command.split()) == REFUSED
        assert f"{tmp_path / store} is none" in capsys.readouterr().err


def test_a_machine_without_a_folder_for_temporary_files_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc/nowhere"])
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("NEUROFUSE_DATA", str(tmp_path / "var"))
    assert main(["serve"]) == REFUSED
    assert "/proc/nowhere" in capsys.readouterr().err
    assert not (tmp_path / "var").exists()


def test_a_start_without_its_database_ends_with_our_words_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("NEUROFUSE_DATABASE_URL", f"postgresql://neurofuse@127.0.0.1:{port}/neurofuse")
    monkeypatch.setenv("NEUROFUSE_PORT", str(free_port()))
    log = tmp_path / "log"
    process = serve(log, os.environ)
    try:
        assert process.wait(LONGEST_S) == START_FAILED
    finally:
        process.kill()
    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert "storage-unavailable: Expected the database to answer; it does not. Try again later." in events
    assert not any("\n" in event or str(port) in event for event in events)
