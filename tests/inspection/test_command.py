"""`neurofuse inspect` prints what the door sees, and ends as the service would."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.cli import main
from app.exit_status import OK, REFUSED
from tests.imaging.bodies import head, trunk
from tests.imaging.making import Series

pytestmark = pytest.mark.usefixtures("own_logging")


@pytest.fixture(autouse=True)
def store(tiny_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROFUSE_MODEL_STORE", str(tiny_store))
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def series(tmp_path: Path) -> Path:
    Series(extra={"PatientID": "SECRET-1", "StudyDate": "20010203", "StudyDescription": "SECRET-2"}).write(
        tmp_path / "study" / "deep"
    )
    (tmp_path / "study" / "notes.txt").write_text("notes")
    return tmp_path / "study"


def report(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    main(["inspect", *map(str, arguments), "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_folder_is_shown_with_its_series_and_geometry(
    series: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(series)]) == OK
    shown = capsys.readouterr().out
    for words in (
        "DICOM",
        "other",
        "CT axial",
        "is read",
        "56 x 64 x 20",
        "4 x 4 x 8 mm",
        "LPS",
        "gos@2",
        "files-ignored",
    ):
        assert words in shown


def test_json_says_the_same(series: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = report(capsys, series)
    assert {count["kind"]: count["files"] for count in found["files"]} == {"DICOM": 20, "other": 1}
    assert [(row["chosen"], row["series"]["slices"]) for row in found["series"]] == [(True, 20)]
    assert found["image"]["shape"] == [56, 64, 20]
    assert found["head"]["found"]
    assert found["head"]["vertex_mm"] == pytest.approx(115, abs=6)
    assert found["refused"] is None


@pytest.mark.parametrize("uid", ["1.2.3[/]", "1.2.3[red]"])
def test_a_series_is_shown_by_its_uid_though_that_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], uid: str
) -> None:
    Series(extra={"SeriesInstanceUID": uid}).write(tmp_path)
    assert main(["inspect", str(tmp_path)]) == OK
    assert uid in capsys.readouterr().out


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_no_attribute_of_the_patient_is_shown(
    series: Path, capsys: pytest.CaptureFixture[str], form: list[str]
) -> None:
    main(["inspect", str(series), *form])
    printed = "".join(capsys.readouterr())
    assert not [secret for secret in ("Secret", "SECRET", "20010203") if secret in printed]


def test_a_refusal_comes_after_what_could_be_seen(series: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(series), "--task", "ad"]) == REFUSED
    printed = capsys.readouterr()
    assert "CT axial" in printed.out
    assert "not MR" in printed.out
    assert printed.err.startswith("wrong-modality: ")
    assert report(capsys, series, "--modality", "MR")["refused"]["code"] == "wrong-modality"


def test_a_series_is_read_by_the_name_that_the_table_shows(
    series: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Series(depths_mm=range(0, 48, 8)).write(series / "other")
    rows = report(capsys, series)["series"]
    other = next(row["series"]["series_instance_uid"] for row in rows if not row["chosen"])
    rows = report(capsys, series, "--series", other)["series"]
    assert [row["series"]["slices"] for row in rows if row["chosen"]] == [6]
    assert main(["inspect", str(series), "--series", "1.2.3"]) == REFUSED


def test_the_picture_shows_the_model_grid_of_the_task(
    head_ct: Path, head_mr: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for image, modality in ((head_ct, "CT"), (head_mr, "MR")):
        picture = tmp_path / f"{modality}.png"
        assert main(["inspect", str(image), "--png", str(picture)]) == OK
        assert f"read for {modality}" in capsys.readouterr().out
        with Image.open(picture) as opened:
            assert (120, 200, 255) in {colour for _, colour in opened.getcolors(1 << 16) or []}


def test_without_packages_files_are_still_shown(
    head_ct: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEUROFUSE_MODEL_STORE", str(tmp_path / "none"))
    assert main(["inspect", str(head_ct), "--png", str(tmp_path / "a.png")]) == OK
    assert "no package for this modality" in capsys.readouterr().out
    assert (tmp_path / "a.png").is_file()


def test_without_packages_what_is_no_head_is_still_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEUROFUSE_MODEL_STORE", str(tmp_path / "none"))
    Series(field_at=trunk(lungs=True, scale=0.6)).write(tmp_path / "chest")
    assert main(["inspect", str(tmp_path / "chest")]) == REFUSED
    assert capsys.readouterr().err.startswith("not-a-head: ")
    Series(field_at=lambda points: np.minimum(head()(points), 80.0)).write(tmp_path / "windowed")
    assert main(["inspect", str(tmp_path / "windowed")]) == OK
    assert "windowed-image: " in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"text"])
def test_what_is_no_image_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    (tmp_path / "a").write_bytes(content)
    assert main(["inspect", str(tmp_path / "a"), "--png", str(tmp_path / "a.png")]) == REFUSED
    assert ": " in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()


@pytest.mark.samples
def test_a_messy_folder_of_real_files_is_shown(
    samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mess = shutil.copytree(samples / "hostile" / "dicom", tmp_path / "mess")
    shutil.copytree(samples / "ct-phantom-philips", mess / "series")
    found = report(capsys, mess, "--task", "gos")
    assert [row["series"]["slices"] for row in found["series"] if row["chosen"]] == [28]
    assert sum(count["files"] for count in found["files"]) == 53
    assert all(row["reason"] for row in found["series"])
