"""training.cohort_check.record: the remedy fits all the cells that are wrong."""

from pathlib import Path

from tests.training.cohort_check.test_report import found, write_cohort


def test_of_decimal_commas_and_words_for_unknown_in_one_column_both_remedies_are_told(tmp_path: Path) -> None:
    comma, word = {(5, "age"): '"64,5"', (8, "sex"): "Male"}, {(6, "age"): "n/a", (9, "sex"): "n/a"}
    told = {
        name: {code: each.remedy for code, each in found(write_cohort(tmp_path, cells)).items()}
        for name, cells in (("spelt", comma), ("unknown", word), ("both", comma | word))
    }
    for code, spelt in (("not-a-number", "decimal points"), ("unknown-category", "capitals matter")):
        remedies = {name: each[code] for name, each in told.items()}
        assert {name for name, remedy in remedies.items() if spelt in remedy} == {"spelt", "both"}
        assert {name for name, remedy in remedies.items() if "where unknown" in remedy} == {"unknown", "both"}
