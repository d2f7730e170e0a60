"""A cohort on a service: what failed is tried once more in each run, and what stands between is told from the service."""

import csv
import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from app.cli import main
from app.cohort.server_engine import AT_ONCE
from app.errors import NeuroFuseError, OverloadedError
from app.exit_status import FAILED, OK, REFUSED
from tests.cohort.proxy import Page, proxy_before
from tests.imaging.making import Series
from tests.service.jobs import NO_CT
from tests.service.server import Server, serving
from tests.service.test_access import make_certificate

pytestmark = pytest.mark.usefixtures("own_logging")
NO_MEMORY = OverloadedError("Expected memory on the device; there is none.")
HEAD, OTHER, WORDS = "head.nii.gz", "other.nii", "words.nii.gz"


@pytest.fixture(scope="module")
def server(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service of its own: its jobs are counted, and made to fail."""
    with serving(tiny_store, tmp_path_factory.mktemp("cohort") / "var") as running:
        yield running


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits asks often: by itself the first question about a job comes a second after it was sent."""
    monkeypatch.setattr("app.cohort.server_engine.AWAY_S", 0.05)


@pytest.fixture
def folder(tmp_path: Path, head_ct: Path) -> Path:
    """An image, one of another modality, and a file that is none."""
    (tmp_path / HEAD).write_bytes(head_ct.read_bytes())
    (tmp_path / OTHER).write_bytes(NO_CT)
    (tmp_path / WORDS).write_text("only words")
    return tmp_path


def predict(folder: Path, images: Sequence[str], address: str) -> int:
    table, out = folder / "table.csv", folder / "results.csv"
    table.write_text("\n".join(("image", *images)) + "\n")
    return main(
        ["predict", "--cohort", str(table), "--task", "gos", "--out", str(out), "--server", str(address)]
    )


def lines(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def jobs(server: Server) -> int:
    total: int = server.client.get("/jobs").json()["total"]
    return total


@contextmanager
def failing_with(error: NeuroFuseError, server: Server) -> Iterator[None]:
    """A job that fails keeps another problem than its own: here is no device that could be out of memory."""
    problem = json.dumps({"code": error.code, "detail": error.detail, "fields": error.fields})
    with closing(sqlite3.connect(server.data / "records.sqlite3", timeout=30)) as records:
        records.execute(
            "CREATE TRIGGER other_problem AFTER UPDATE OF state ON jobs WHEN new.state = 'failed' "  # noqa: S608 - a trigger takes no parameters
            f"BEGIN UPDATE jobs SET problem = '{problem}' WHERE id = new.id; END"
        )
        try:
            yield
        finally:
            records.execute("DROP TRIGGER other_problem")


def test_a_case_that_fails_is_tried_once_in_every_run(server: Server, folder: Path) -> None:
    # The same case under more names than are sent at once: the last ones find the try of this very run, already failed.
    images = [OTHER] * (AT_ONCE + 4)
    before, tries = jobs(server), []
    for _ in range(4):
        assert predict(folder, images, str(server.client.base_url)) == FAILED
        assert {line["code"] for line in lines(folder)} == {"wrong-modality"}
        tries.append(jobs(server) - before)
    assert tries == [1, 2, 3, 4]


def test_a_folder_is_the_same_case_in_another_time_zone_and_under_other_rights(
    server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slices = Series().write(folder / "series")
    before = jobs(server)
    for zone, mode in (("UTC", 0o644), ("Asia/Tokyo", 0o600)):
        (folder / "results.csv").unlink(missing_ok=True)
        slices[0].chmod(mode)
        with monkeypatch.context() as patch:
            patch.setenv("TZ", zone)
            time.tzset()
            assert predict(folder, ["series"], str(server.client.base_url)) == OK
    time.tzset()
    assert jobs(server) == before + 1


def test_a_case_that_failed_in_many_runs_is_sent_no_more_often_for_it(server: Server, folder: Path) -> None:
    sent: list[str] = []

    def noting(_method: str, path: str, _length: int) -> None:
        sent.append(path)

    counts = []
    with proxy_before(server.client, noting) as address:
        for _ in range(4):
            assert predict(folder, [OTHER], address) == FAILED
            counts.append(sent.count("/predict"))
            sent.clear()
    assert counts == [1, 2, 2, 2]


def test_a_job_that_failed_for_good_is_not_taken_for_a_service_that_is_busy(
    server: Server, folder: Path
) -> None:
    with failing_with(NO_MEMORY, server):
        assert predict(folder, [OTHER], str(server.client.base_url)) == FAILED
    assert [(line["code"], line["detail"]) for line in lines(folder)] == [("overloaded", NO_MEMORY.detail)]


def test_a_service_that_is_away_behind_its_proxy_is_waited_for(server: Server, folder: Path) -> None:
    first = {
        "predict": Page(502),
        "jobs": Page(504),
        "predictions": Page(503, {"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"}),
    }

    def away_once(_method: str, path: str, _length: int) -> Page | None:
        return first.pop(path.split("/")[1], None)

    with proxy_before(server.client, away_once) as address:
        assert predict(folder, [HEAD], address) == OK
    assert not first


def test_an_image_that_a_proxy_refuses_fails_its_row_alone(server: Server, folder: Path) -> None:
    def too_large(_method: str, _path: str, length: int) -> Page | None:
        return Page(413) if length > 10_000 else None

    with proxy_before(server.client, too_large) as address:
        assert predict(folder, [HEAD, WORDS], address) == FAILED
    refused, read = lines(folder)
    assert (refused["code"], read["code"]) == ("not-ready", "unsupported-file")
    assert "status 413" in refused["detail"]


def test_an_address_where_no_service_answers_is_named(
    server: Server, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with proxy_before(server.client, lambda *_: Page(200)) as address:
        assert predict(folder, [HEAD], address) == FAILED
    assert "not-ready" in capsys.readouterr().err
    assert predict(folder, [HEAD], "http://127.0.0.1:1") == FAILED
    assert "nothing answers there" in capsys.readouterr().err
    assert "SSL_CERT_FILE" not in capsys.readouterr().err
    for none in ("127.0.0.1:8000", "http://127.0.0.1:port", "http://[::1"):
        assert predict(folder, [HEAD], none) == REFUSED
        assert "http://" in capsys.readouterr().err


def test_a_service_whose_certificate_is_not_known_is_told_as_such(
    gos_store: Path,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    certificate, key = make_certificate(tmp_path)
    with serving(gos_store, tmp_path / "var", tls_certificate=certificate, tls_key=key) as running:
        assert predict(folder, [HEAD], str(running.client.base_url)) == FAILED
        assert "SSL_CERT_FILE" in capsys.readouterr().err
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert predict(folder, [HEAD], str(running.client.base_url)) == OK
