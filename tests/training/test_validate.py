"""training.validate: a package is asked about another cohort as the service would be, and who got no answer is counted, not left out."""

import csv
import json
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.ehr.reference import GOS_SCHEMA
from app.errors import GoldenMismatchError
from app.inference.case import Analysis, analyse
from app.inference.predictor import Predictor
from app.model_package.package import GOLDEN_CASE, open_package, seal
from training.__main__ import main
from training.cohort import CohortError, load_cohort
from training.cohort_check.report import check_table
from training.cohort_check.table import read_table
from training.validate import ANSWERS_FILE, Asked, save_answers, validate_package

pytestmark = pytest.mark.torch
HEADER = ("age", "gcs", "sex", "glucose")
PATIENTS = (
    # age, gcs, sex, glucose in mmol/L, GOS
    ("71", "9", "female", "8.2", "2"),
    ("45", "15", "male", "5.5", "5"),
    ("66", "13", "male", "6.0", "4"),
    ("83", "4", "female", "", "1"),
    ("58", "14", "female", "7.1", "4"),
    ("77", "7", "male", "9.9", "1"),
    ("49", "12", "male", "6.6", "3"),
    ("62", "15", "", "5.0", "5"),
)


@dataclass
class CohortFolder:
    """A cohort of one head and many records, to be changed before it is written."""

    root: Path
    head: Path
    columns: tuple[str, ...] = HEADER
    patients: tuple[tuple[str, ...], ...] = PATIENTS
    description: dict[str, object] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    no_heads: frozenset[int] = frozenset()

    def written(self) -> Path:
        """Write it; the folder."""
        self.root.mkdir()
        features = [each for each in GOS_SCHEMA.features if each.name in self.columns]
        told = [json.loads(each.model_dump_json()) for each in features]
        for each in told:
            if unit := self.units.get(each["name"]):
                low, high = each["plausible_range"]
                factor = {"mo": 12.0, "mg/dL": 18.0156}.get(unit, 1.0)
                each |= {"unit": unit, "plausible_range": [low * factor, high * factor]}
        description = {
            "task": "gos", "modality": "CT", "source": "tests", "outcome": "outcome", "positive": "favourable outcome", "seed": None,
            "features": told, "minimum_features": 0,
        } | self.description  # fmt: skip
        (self.root / "cohort.json").write_text(json.dumps(description))
        rows = [("patient_id", "image", *self.columns, "outcome")]
        for number, (*cells, outcome) in enumerate(self.patients):
            image = self.root / f"{number}.nii.gz"
            if number in self.no_heads:
                image.write_bytes(self.head.read_bytes()[:2000])
            else:
                shutil.copyfile(self.head, image)
            rows.append((f"p{number}", image.name, *cells, outcome))
        with (self.root / "cohort.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)
        return self.root


@pytest.fixture
def cohort(tmp_path: Path, head_ct: Path) -> CohortFolder:
    return CohortFolder(tmp_path / "cohort", head_ct)


@pytest.fixture
def gos(tiny_store: Path) -> Path:
    return tiny_store / "gos" / "1"


def probabilities(asked: list[Asked]) -> np.ndarray:
    return np.array([list(each.outputs.probabilities.values()) for each in asked if each.outputs])


def test_every_patient_is_answered_as_the_service_answers(
    gos: Path, gos_predictor: Predictor, cohort: CohortFolder
) -> None:
    found, asked = validate_package(gos, cohort.written())
    assert (found.row, found.counts, found.events) == ("gos@1", {"test": 8}, {"test": 4})
    for each, case in zip(asked, load_cohort(cohort.root).cases, strict=True):
        served = analyse(case.image, case.record, gos_predictor, heatmap="none").outputs
        assert each.outputs is not None
        assert each.case.patient_id == case.patient_id
        assert each.outputs.probabilities == pytest.approx(served.probabilities, abs=1e-6)
        assert each.outputs.prediction_set == served.prediction_set


def test_neither_the_order_of_patients_nor_the_number_of_readers_changes_a_number(
    gos: Path, cohort: CohortFolder, tmp_path: Path
) -> None:
    """Of those that hang on no draw; bins of patients who are alike fall by their order."""
    steady = {"auroc", "brier", "nll", "calibration_slope", "set_coverage", "quadratic_weighted_kappa"}
    other = replace(cohort, root=tmp_path / "other", patients=PATIENTS[::-1])
    first, _ = validate_package(gos, cohort.written())
    second, _ = validate_package(gos, other.written(), workers=2)
    values, again = ({m.name: m.value for m in each.metrics if m.name in steady} for each in (first, second))
    assert values == pytest.approx(again, abs=1e-6)


def test_a_cohort_in_other_units_gets_the_same_answers(
    gos: Path, cohort: CohortFolder, tmp_path: Path
) -> None:
    """Months for years, and glucose in mg/dL for mmol/L (180.156 g/mol)."""
    changed = tuple(
        (str(int(age) * 12), gcs, sex, str(float(glucose) * 18.0156) if glucose else "", outcome)
        for age, gcs, sex, glucose, outcome in PATIENTS
    )
    other = replace(
        cohort, root=tmp_path / "other", patients=changed, units={"age": "mo", "glucose": "mg/dL"}
    )
    _, first = validate_package(gos, cohort.written())
    _, second = validate_package(gos, other.written())
    np.testing.assert_allclose(probabilities(first), probabilities(second), atol=1e-6)


def test_what_spoils_the_numbers_is_told_before_anybody_is_asked(
    gos: Path, cohort: CohortFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the outcome counts the other way round, or, here, eight patients have one and the same head."""
    told = ""

    def asked(*case: Any, **how: Any) -> Analysis:
        nonlocal told
        told = told or capsys.readouterr().err
        return analyse(*case, **how)

    monkeypatch.setattr("training.validate.analyse", asked)
    validate_package(gos, cohort.written())
    assert "duplicate-image" in told
    assert "split-empty" not in told


def test_what_the_package_does_not_read_spoils_nothing(
    gos: Path, cohort: CohortFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = cohort.written()
    description, table = folder / "cohort.json", folder / "cohort.csv"
    told = json.loads(description.read_text())
    told["features"].append(
        told["features"][0] | {"name": "discharge_nihss", "title": "NIHSS at discharge", "loinc": None}
    )
    description.write_text(json.dumps(told))
    head, *rows = table.read_text().splitlines()
    table.write_text(
        "\n".join([f"{head},discharge_nihss", *(f"{row},{40 + n}" for n, row in enumerate(rows))])
    )
    read, _ = read_table(folder)
    assert read is not None
    assert "leak-by-name" in {finding.code for finding in check_table(read, None)}
    validate_package(gos, folder)
    assert "leak-by-name" not in capsys.readouterr().err


def test_who_gets_no_answer_is_counted_by_the_reason_and_is_in_no_number(
    gos: Path, cohort: CohortFolder, tmp_path: Path
) -> None:
    some = replace(cohort, no_heads=frozenset({1, 4}))
    fewer = replace(
        cohort, root=tmp_path / "fewer", patients=tuple(p for i, p in enumerate(PATIENTS) if i not in {1, 4})
    )
    found, asked = validate_package(gos, some.written())
    alone, _ = validate_package(gos, fewer.written())
    assert found.external is not None
    assert sum(found.external.refused.values()) == 2
    assert [bool(each.refused) for each in asked] == [i in {1, 4} for i in range(8)]
    assert found.metrics == alone.metrics
    assert found.counts == {"test": 6}


def test_a_feature_that_the_cohort_does_not_have_is_missing_for_everyone_and_told(
    gos: Path, cohort: CohortFolder, tmp_path: Path
) -> None:
    empty = tuple((*cells[:3], "", cells[4]) for cells in PATIENTS)
    without = tuple((*cells[:3], cells[4]) for cells in PATIENTS)
    other = replace(cohort, root=tmp_path / "other", columns=HEADER[:3], patients=without)
    _, first = validate_package(gos, replace(cohort, patients=empty).written())
    found, second = validate_package(gos, other.written())
    np.testing.assert_array_equal(probabilities(first), probabilities(second))
    glucose = next(each.title for each in GOS_SCHEMA.features if each.name == "glucose")
    assert found.external is not None
    assert glucose in found.external.absent


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"modality": "MR"}, "task gos with images of CT"),
        ({"levels": {"1": "unfavourable", "5": "favourable"}}, "2 outcomes apart, the package 5"),
    ],
)
def test_a_cohort_of_another_kind_is_refused_before_a_patient_is_asked(
    gos: Path, cohort: CohortFolder, description: dict[str, object], message: str
) -> None:
    two = tuple(p for p in PATIENTS if p[-1] in {"1", "5"})
    with pytest.raises(CohortError, match=message):
        validate_package(gos, replace(cohort, description=description, patients=two).written())


def test_a_refusal_leaves_no_folder(gos: Path, cohort: CohortFolder, tmp_path: Path) -> None:
    other = replace(cohort, description={"modality": "MR"}).written()
    assert main(["validate", str(gos), str(other), "--out", str(tmp_path / "out")]) == 2
    assert not (tmp_path / "out").exists()


def test_one_name_for_two_things_is_refused(gos: Path, cohort: CohortFolder) -> None:
    """Their words for the same sex would otherwise refuse every patient, or be taken for another's."""
    root = cohort.written()
    for name, text in (("cohort.json", '"female"'), ("cohort.csv", "female")):
        (root / name).write_text((root / name).read_text().replace(text, text.replace("female", "w")))
    with pytest.raises(CohortError, match=r"reads sex as one of \['female', 'male'\], found another kind"):
        validate_package(gos, root)


def test_a_unit_that_cannot_be_converted_is_refused(gos: Path, cohort: CohortFolder) -> None:
    root = replace(cohort, units={"glucose": "Cel"}).written()
    with pytest.raises(CohortError, match="reads glucose in mmol/L, found Cel"):
        validate_package(gos, root)


def test_where_nobody_gets_an_answer_there_is_nothing_to_judge(gos: Path, cohort: CohortFolder) -> None:
    with pytest.raises(CohortError, match=r"nobody got an answer: [a-z-]+ 8 times"):
        validate_package(gos, replace(cohort, no_heads=frozenset(range(8))).written())


def test_a_package_that_does_not_answer_its_own_case_is_not_judged(
    gos: Path, cohort: CohortFolder, tmp_path: Path
) -> None:
    other = shutil.copytree(gos, tmp_path / "gos" / "1")
    expected = json.loads((other / GOLDEN_CASE).read_text())
    expected["probabilities"] = dict.fromkeys(expected["probabilities"], 0.2)
    (other / GOLDEN_CASE).write_text(json.dumps(expected))
    seal(other, open_package(gos).manifest)
    with pytest.raises(GoldenMismatchError):
        validate_package(other, cohort.written())


def test_the_table_of_answers_has_a_line_for_everyone(
    gos: Path, cohort: CohortFolder, tmp_path: Path
) -> None:
    found, asked = validate_package(gos, replace(cohort, no_heads=frozenset({2})).written())
    with save_answers(asked, tmp_path).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert (tmp_path / ANSWERS_FILE).is_file()
    assert [row["patient_id"] for row in rows] == [f"p{i}" for i in range(8)]
    assert [row["outcome"] for row in rows] == [f"gos_{p[-1]}" for p in PATIENTS]
    assert found.external is not None
    assert (rows[2]["gos_1"], {rows[2]["refused"]: 1}) == ("", found.external.refused)
    answered = [row for row in rows if not row["refused"]]
    sums = [sum(float(row[f"gos_{k}"]) for k in range(1, 6)) for row in answered]
    assert sums == pytest.approx([1.0] * 7, abs=5e-6)
