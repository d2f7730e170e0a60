"""A check finds everything at once, names lines and columns, and never says what stands in a cell."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from rich.console import Console

from app.imaging.synthetic import SYNTHETIC
from app.imaging.volume import Grid
from app.imaging.write import write_nifti
from training.__main__ import main
from training.cohort_check.design import check_config
from training.cohort_check.finding import Finding
from training.cohort_check.report import check_cohort
from training.cohort_check.table import read_table
from training.config import load_config

AGE = {
    "name": "age", "title": "Age", "kind": "numeric", "loinc": "30525-0", "unit": "a",
    "plausible_range": [18, 110], "categories": [], "required": False,
}  # fmt: skip
SEX = {
    "name": "sex", "title": "Sex", "kind": "categorical", "loinc": None, "unit": None,
    "plausible_range": None, "categories": ["female", "male"], "required": False,
}  # fmt: skip
PATIENTS = 120


def write_cohort(folder: Path, edits: dict[tuple[int, str], str] | None = None, **fields: Any) -> Path:
    """Patients whose three slices are text, not images, so that nothing slow is read; `edits` by line and column."""
    description = {
        "task": "gos", "modality": "CT", "source": "a ward", "outcome": "state", "positive": "good", "seed": None,
        "features": [AGE, SEX], "minimum_features": 0, "levels": {"poor": "unfavourable", "good": "favourable"},
        "site": "ward", "date": "day", **fields,
    }  # fmt: skip
    rows = []
    for line in range(2, PATIENTS + 2):
        row = {
            "patient_id": f"secret{line}", "image": "absent.nii", "age": str(40 + line * 7 % 40),
            "sex": "male" if line % 3 else "female", "state": "good" if line % 2 else "poor",
            "ward": "north" if line % 5 else "south", "day": "2020-01-31",
        }  # fmt: skip
        rows.append(row | {column: text for (at, column), text in (edits or {}).items() if at == line})
    header = list(dict.fromkeys(name for row in rows for name in row))
    lines = [
        ",".join(row.get(name, "") for name in header)
        for row in [dict(zip(header, header, strict=True)), *rows]
    ]
    (folder / "cohort.csv").write_text("\n".join(lines) + "\n")
    (folder / "cohort.json").write_text(json.dumps(description))
    return folder


def found(folder: Path) -> dict[str, Finding]:
    report = check_cohort(folder, None, 1, Console(quiet=True))
    return {finding.code: finding for finding in report.findings}


def test_a_sound_table_has_no_finding_but_the_absent_images(tmp_path: Path) -> None:
    assert {code for code in found(write_cohort(tmp_path)) if code != "split-small"} == {"image-missing"}


@pytest.mark.parametrize(
    ("edit", "code", "line"),
    [
        ({(5, "age"): "160"}, "out-of-range", 5),
        ({(6, "age"): "old"}, "not-a-number", 6),
        ({(6, "age"): "7_1"}, "not-a-number", 6),
        ({(7, "sex"): "Male"}, "unknown-category", 7),
        ({(8, "state"): "fair"}, "outcome-unknown", 8),
        ({(9, "state"): ""}, "outcome-missing", 9),
        ({(10, "patient_id"): "secret11"}, "patient-twice", 10),
        ({(12, "patient_id"): ""}, "patient-id-missing", 12),
        ({(13, "day"): "31.01.2020"}, "date-unparsable", 13),
        ({(13, "day"): "1900-01-01"}, "date-implausible", 13),
        ({(13, "day"): "9999-12-31"}, "date-implausible", 13),
        ({(14, "split"): "holdout"}, "split-unknown", 14),
        ({(15, "patient_id"): "Secret16"}, "spelt-alike", 15),
        ({(16, "ward"): "North "}, "spelt-alike", 16),
        ({(17, "patient_id"): "secret018"}, "spelt-alike", 17),
    ],
)
def test_a_wrong_cell_is_named_by_its_line(
    tmp_path: Path, edit: dict[tuple[int, str], str], code: str, line: int
) -> None:
    finding = found(write_cohort(tmp_path, edit))[code]
    assert line in finding.rows
    assert finding.remedy


def test_a_part_of_what_is_counted_is_named_by_its_line(tmp_path: Path) -> None:
    alleles = AGE | {"name": "apoe4_alleles", "loinc": None, "unit": "{count}", "plausible_range": [0, 2]}
    cells = {(line, "apoe4_alleles"): str(line % 3) for line in range(2, PATIENTS + 2)}
    features = [AGE, SEX, alleles]
    assert "not-whole" not in found(
        write_cohort(tmp_path, cells | {(6, "apoe4_alleles"): "1.0"}, features=features)
    )
    finding = found(write_cohort(tmp_path, cells | {(6, "apoe4_alleles"): "0.98"}, features=features))[
        "not-whole"
    ]
    assert (finding.column, finding.rows) == ("apoe4_alleles", (6,))


def test_a_cohort_of_one_outcome_is_not_ready_to_train(tmp_path: Path) -> None:
    edits = {(line, "state"): "good" for line in range(2, PATIENTS + 2)}
    finding = found(write_cohort(tmp_path, edits))["outcome-constant"]
    assert (finding.severity, finding.column) == ("error", "state")


def test_of_an_outcome_that_cannot_be_read_no_class_is_called_too_small(tmp_path: Path) -> None:
    edits = {(line, "state"): "fair" for line in range(2, PATIENTS + 2)}
    findings = found(write_cohort(tmp_path, edits))
    assert len(findings["outcome-unknown"].rows) == PATIENTS
    assert "class-small" not in findings


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_a_name_that_no_file_can_have_is_an_image_that_is_not_there(tmp_path: Path, name: str) -> None:
    findings = found(write_cohort(tmp_path, {(5, "image"): name, (6, "mask"): name}))
    assert 5 in findings["image-missing"].rows
    assert findings["mask-missing"].rows == (6,)


def test_a_file_that_the_disk_does_not_give_ends_no_check(tmp_path: Path) -> None:
    (tmp_path / "broken.nii").symlink_to("/proc/self/mem")  # whose first byte is an error of reading
    findings = found(write_cohort(tmp_path, {(5, "image"): "broken.nii", (6, "mask"): "broken.nii"}))
    assert 5 in findings["image-missing"].rows
    assert findings["mask-missing"].rows == (6,)


def test_a_table_that_cannot_be_told_into_cells_is_a_finding(tmp_path: Path) -> None:
    folder = write_cohort(tmp_path)
    table = (folder / "cohort.csv").read_text()
    for content in (
        table + '"never closed',
        table + "p,absent.nii,7,5,male,good,north,2020-01-31\n",
        table.replace(",", ";"),
    ):
        (folder / "cohort.csv").write_text(content)
        finding = found(folder)["table-unreadable"]
        assert finding.severity == "error"


def test_lines_are_those_of_the_file_behind_empty_ones(tmp_path: Path) -> None:
    folder = write_cohort(tmp_path, {(6, "age"): "old"})
    header, *rows = (folder / "cohort.csv").read_text().splitlines()
    (folder / "cohort.csv").write_text("\n".join([header, "", *rows]) + "\n")
    assert found(folder)["not-a-number"].rows == (7,)


@pytest.mark.parametrize(
    ("name", "categories", "flips"),
    [
        ("lesion_side", ["a", "b"], True),
        ("hemiparesis", ["none", "left", "right"], True),
        ("sex", ["female", "male"], False),
    ],
)
def test_a_feature_that_names_a_side_is_warned_of_where_images_are_flipped(
    tmp_path: Path, name: str, categories: list[str], flips: bool
) -> None:
    folder = write_cohort(tmp_path, features=[AGE, SEX | {"name": name, "categories": categories}])
    table, _ = read_table(folder)
    assert table is not None
    config = load_config(Path(__file__).parents[3] / "training" / "configs" / "gos.toml")
    still = replace(config, augmentation=replace(config.augmentation, flip_probability=0.0))
    codes, codes_still = ({each.code for each in check_config(table, one)} for one in (config, still))
    assert ("config-flip" in codes) == flips
    assert "config-flip" not in codes_still
    skewed = replace(
        config, model=replace(config.model, ehr=replace(config.model.ehr, log1p=("age", "ages")))
    )
    assert "config-log1p" in {each.code for each in check_config(table, skewed)}


def test_all_problems_are_found_at_once(tmp_path: Path) -> None:
    edits = {(5, "age"): "160", (7, "sex"): "Male", (8, "state"): "fair", (13, "day"): "31.01.2020"}
    assert {
        "out-of-range",
        "unknown-category",
        "outcome-unknown",
        "date-unparsable",
        "image-missing",
    } <= found(write_cohort(tmp_path, edits)).keys()


def test_a_feature_that_tells_the_outcome_is_a_leak_and_one_that_hints_at_it_is_not(tmp_path: Path) -> None:
    told = {(line, "age"): "80" if line % 2 else "30" for line in range(2, PATIENTS + 2)}
    assert found(write_cohort(tmp_path, told))["leak-by-value"].column == "age"
    hint = {(line, "age"): "80" if line % 2 or line % 6 == 0 else "30" for line in range(2, PATIENTS + 2)}
    assert "leak-by-value" not in found(write_cohort(tmp_path, hint))


@pytest.mark.parametrize(
    ("name", "title", "leaks"),
    [
        ("mrs_90d", "", True),
        ("length_of_stay", "", True),
        ("discharged_to", "", True),
        ("hospital_days", "", True),
        ("x_17", "Length of stay", True),
        ("pre_ich_mrs", "Modified Rankin scale before the haemorrhage", False),
        ("rankin", "Rankin scale before the haemorrhage", False),
        ("x_18", "Length of stay before transfer", True),
        ("dnr", "DNR order before day 2", True),
    ],
)
def test_a_feature_of_the_time_after_admission_is_known_by_its_name_or_its_title(
    tmp_path: Path, name: str, title: str, leaks: bool
) -> None:
    edits = {(line, name): str(line % 6) for line in range(2, PATIENTS + 2)}
    feature = AGE | {"name": name, "title": title, "plausible_range": [0, 6]}
    folder = write_cohort(tmp_path, edits, features=[AGE, SEX, feature])
    assert ("leak-by-name" in found(folder)) == leaks


@pytest.mark.parametrize("loinc", ["9269-2", None])
@pytest.mark.parametrize(("counts", "reversed_"), [(("poor", "good"), False), (("good", "poor"), True)])
def test_an_outcome_that_counts_the_other_way_round_is_known_by_the_coma_scale(
    tmp_path: Path, counts: tuple[str, str], reversed_: bool, loinc: str | None
) -> None:
    """Modified Rankin 1 to 5, or a GOS with 5 for dead, would be trained on without a word, and every answer be its opposite."""
    gcs = AGE | {"name": "gcs", "loinc": loinc, "plausible_range": [3, 15]}
    edits = {(line, "gcs"): str(9 + line % 2 * 3 - line % 3 * 2) for line in range(2, PATIENTS + 2)}
    levels = dict(zip(counts, ("unfavourable", "favourable"), strict=True))
    finding = found(write_cohort(tmp_path, edits, features=[AGE, SEX, gcs], levels=levels)).get(
        "outcome-reversed"
    )
    assert (finding is not None) == reversed_
    assert finding is None or (finding.severity, finding.column) == ("error", "state")


def test_a_number_in_two_units_is_asked_about_and_a_skewed_one_is_not(tmp_path: Path) -> None:
    creatinine = AGE | {"name": "creatinine", "unit": "umol/L", "plausible_range": [0.1, 5000]}
    umol_per_l = {line: 40 * 1.04 ** (line * 37 % PATIENTS) for line in range(2, PATIENTS + 2)}
    skewed = {(line, "creatinine"): f"{value:.3g}" for line, value in umol_per_l.items()}
    assert "two-scales" not in found(write_cohort(tmp_path, skewed, features=[AGE, SEX, creatinine]))
    usual = {line: 60 + line * 37 % PATIENTS / 2 for line in umol_per_l}
    in_mg_per_dl = tuple(line for line in usual if line % 5 == 0)
    mixed = {
        (line, "creatinine"): f"{value / 88.4 if line in in_mg_per_dl else value:.3g}"
        for line, value in usual.items()
    }
    finding = found(write_cohort(tmp_path, mixed, features=[AGE, SEX, creatinine]))["two-scales"]
    assert (finding.column, finding.rows) == ("creatinine", in_mg_per_dl)


def test_one_record_under_two_pseudonyms_is_asked_about_unless_few_features_make_it_common(
    tmp_path: Path,
) -> None:
    """Two scans of a patient in two rows, each with the record of the admission, may be trained on and tested."""
    names = ("sodium", "glucose", "platelets")
    labs = [AGE | {"name": name, "plausible_range": [0, 1000]} for name in names]
    edits = {
        (line, name): str(100 + line * (7 + 4 * place) % 61)
        for line in range(2, PATIENTS + 2)
        for place, name in enumerate(names)
    }
    again = {(40, name): edits[9, name] for name in names} | {(40, "age"): "63", (9, "age"): "63"}
    sound = write_cohort(tmp_path, edits, features=[AGE, SEX, *labs])
    assert "record-twice" not in found(sound)
    edits |= again | {(40, "sex"): "male", (9, "sex"): "male"}
    assert found(write_cohort(tmp_path, edits, features=[AGE, SEX, *labs]))["record-twice"].rows == (9, 40)


def test_sites_that_tell_the_outcome_are_an_error(tmp_path: Path) -> None:
    edits = {(line, "ward"): "north" if line % 2 else "south" for line in range(2, PATIENTS + 2)}
    assert found(write_cohort(tmp_path, edits))["site-confounded"].column == "ward"


def test_phantoms_among_patients_are_known_by_their_true_probability_and_by_the_seed(tmp_path: Path) -> None:
    folder = write_cohort(tmp_path, {(7, "true_probability"): "0.31"})
    finding = found(folder)["phantom-row"]
    assert (finding.severity, finding.rows) == ("error", (7,))
    assert "phantom-row" in found(write_cohort(tmp_path, seed=3))
    assert "phantom-row" not in found(
        write_cohort(tmp_path, {(7, "true_probability"): "0.31"}, source="phantoms", seed=3)
    )


@pytest.mark.parametrize(("source", "codes"), [("a ward", {"phantom-image"}), ("phantoms", set())])
def test_an_image_of_nobody_among_patients_is_an_error(tmp_path: Path, source: str, codes: set[str]) -> None:
    grid = Grid((4, 4, 4), np.eye(4))
    for name, words in (("patient.nii.gz", ""), ("phantom.nii.gz", SYNTHETIC)):
        write_nifti(np.zeros((4, 4, 4), np.int16), grid, tmp_path / name, description=words)
    edits = {(2, "image"): "patient.nii.gz", (3, "image"): "phantom.nii.gz"}
    findings = found(write_cohort(tmp_path, edits, source=source))
    assert findings.keys() & {"phantom-image"} == codes
    if codes:
        assert findings["phantom-image"].rows == (3,)
        assert "source" in findings["phantom-image"].remedy


def write_slices(folder: Path, **edits: str) -> Path:
    """In line 2 two slices of one oval head, a mask on each, whatever `edits` change."""
    places = np.moveaxis(np.indices((24, 20)), 0, -1) - (11.5, 9.5)
    radius = np.hypot(*np.moveaxis(places / (9, 7), -1, 0))[:, :, None]
    head = np.where(radius < 0.9, 40, np.where(radius < 1, 900, -1000)).astype(np.int16)
    grid, beside = (Grid((24, 20, 1), np.diag([8.0, 8, 5, 1]) + shift) for shift in (0, np.eye(4, k=3) * 20))
    lesion = (radius < 0.3).astype(np.uint8)
    for name, voxels, place in (
        ("low", head, grid), ("high", head + (radius < 0.5).astype(np.int16), grid), ("m1", lesion, grid), ("m2", 0 * lesion, grid),
        ("beside", lesion, beside), ("whole", np.repeat(lesion, 4, axis=2), Grid((24, 20, 4), grid.affine)),
    ):  # fmt: skip
        write_nifti(voxels, place, folder / f"{name}.nii.gz")
    cells = {name: f"{name}.nii.gz" for name in ("low", "high", "m1", "m2")} | edits
    columns = {(2, name): text for name, text in cells.items()}
    return write_cohort(folder, columns, images=["low", "high"], masks=["m1", "m2"])


def test_a_mask_of_every_slice_is_accepted_and_one_of_them_may_be_empty(tmp_path: Path) -> None:
    report = check_cohort(write_slices(tmp_path), None, 1, Console(quiet=True))
    assert not [finding for finding in report.findings if 2 in finding.rows]


@pytest.mark.parametrize(
    ("edits", "code", "column"),
    [
        ({"m2": ""}, "mask-missing", "m2"),
        ({"m1": "absent.nii.gz"}, "mask-missing", "m1"),
        ({"m1": "beside.nii.gz"}, "mask-off-grid", "m1"),
        ({"m1": "whole.nii.gz"}, "no-usable-series", "m1"),
        ({"m1": "m2.nii.gz"}, "mask-empty", "m1, m2"),
        ({"m1": "low.nii.gz"}, "mask-is-image", "m1"),
    ],
)
def test_a_wrong_mask_of_a_slice_is_named_by_its_column(
    tmp_path: Path, edits: dict[str, str], code: str, column: str
) -> None:
    report = check_cohort(write_slices(tmp_path, **edits), None, 1, Console(quiet=True))
    assert [(each.code, each.column) for each in report.findings if 2 in each.rows] == [(code, column)]


def test_the_same_voxels_in_another_axis_order_are_one_image(tmp_path: Path) -> None:
    voxels = np.full((24, 20, 1), -1000, np.int16)
    voxels[4:20, 4:16] = np.random.default_rng(0).integers(20, 60, (16, 12, 1))
    voxels[4, 4:16] = 900
    nibabel.Nifti1Image(voxels, np.diag([8.0, 8, 5, 1])).to_filename(tmp_path / "a.nii.gz")
    affine = np.diag([-8.0, 8, 5, 1])
    affine[0, 3] = 8.0 * 23
    nibabel.Nifti1Image(voxels[::-1], affine).to_filename(tmp_path / "b.nii.gz")
    edits = {(2, "low"): "a.nii.gz", (2, "high"): "absent", (3, "low"): "b.nii.gz", (3, "high"): "absent"}
    finding = found(write_cohort(tmp_path, edits, images=["low", "high"]))["duplicate-image"]
    assert finding.rows == (2, 3)


def test_the_command_prints_no_pseudonym_and_no_value_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_cohort(tmp_path, {(5, "age"): "160.123", (10, "patient_id"): "secret11"})
    out = tmp_path / "not yet there" / "findings.json"
    assert main(["check", str(folder), "--workers", "1", "--json", str(out)]) == 1
    printed = capsys.readouterr().out + out.read_text()
    assert "out-of-range" in printed
    assert "secret" not in printed
    assert "160.123" not in printed


def test_every_code_is_in_the_reference() -> None:
    root = Path(__file__).parents[3]
    page = (root / "docs" / "reference" / "cohort.md").read_text(encoding="utf-8")
    for code in (
        "out-of-range",
        "leak-by-value",
        "duplicate-image",
        "config-slices",
        "split-small",
        "spelt-alike",
        "outcome-constant",
        "outcome-reversed",
        "record-twice",
        "two-scales",
        "missing-code",
        "mask-is-image",
        "mask-shared",
        "config-flip",
        "config-log1p",
        "date-implausible",
    ):
        assert f"`{code}`" in page
