"""`neurofuse replay`: an answer is repeated from what is kept of its case, and one that cannot be is said to be."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import app
from app.cli import main
from app.data_folder.layout import DataFolder
from tests.service.server import Server, serving


@pytest.fixture(scope="module")
def answered(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory, head_ct: Path) -> tuple[Path, str]:
    """The data folder of a service that answered, and the id of its answer."""
    data = tmp_path_factory.mktemp("replayed") / "var"
    server: Server
    with serving(tiny_store, data) as server:
        answer = server.predict(head_ct, task="gos", ehr='{"age": 71, "gcs": 9}', heatmap="none").json()
    return data, str(answer["id"])


@pytest.fixture(autouse=True)
def settings(answered: tuple[Path, str], tiny_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROFUSE_DATA", str(answered[0]))
    monkeypatch.setenv("NEUROFUSE_MODEL_STORE", str(tiny_store))
    monkeypatch.setenv("NEUROFUSE_THREADS", "1")


def test_an_answer_is_repeated_to_the_last_digit(
    answered: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", answered[1]]) == 0
    told = capsys.readouterr().out
    words = " ".join(told.split())
    assert f"then by release {app.__version__} on CPUExecutionProvider, now by {app.__version__} on" in words
    assert "the same to the last digit" in words
    assert told.endswith("repeated\n")


@pytest.mark.parametrize(("file", "change"), [("tensor.npy", "image"), ("record.json", "record")])
def test_a_case_that_was_changed_is_noticed(
    answered: tuple[Path, str], capsys: pytest.CaptureFixture[str], file: str, change: str
) -> None:
    path = answered[0] / "cases" / answered[1] / file
    whole = path.read_bytes()
    try:
        if change == "image":
            np.save(path, np.load(path) + 300)
        else:
            path.write_text(json.dumps({"age": 20, "gcs": 15}))
        assert main(["replay", answered[1]]) == 1
    finally:
        path.write_bytes(whole)
    assert "DIFFERS" in capsys.readouterr().out


def test_an_unknown_answer_and_one_whose_case_is_gone_are_told_apart(
    answered: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", "0193c2f4-6a00-7a31-9c2e-5d1f0b7e8a90"]) == 2
    assert "unknown-prediction" in capsys.readouterr().err
    monkeypatch.setenv("NEUROFUSE_CASE_HOURS", "0")
    assert main(["replay", answered[1]]) == 2
    assert "case-expired" in capsys.readouterr().err


def test_an_answer_that_cannot_be_read_is_said_to_be_so(
    answered: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    document = "SELECT document FROM predictions WHERE id = ?"
    with closing(sqlite3.connect(DataFolder(answered[0]).database)) as database:
        (whole,) = database.execute(document, [answered[1]]).fetchone()
        for kept, status in ((whole[:-9], 1), (whole, 0)):
            with database:
                database.execute("UPDATE predictions SET document = ? WHERE id = ?", [kept, answered[1]])
            assert main(["replay", answered[1]]) == status
    assert "answer-unreadable" in capsys.readouterr().err
