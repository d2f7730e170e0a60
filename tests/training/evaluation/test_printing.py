"""training.evaluation.printing: what a person sees in the terminal, with a cohort's own words as they are."""

import pytest

from app.model_package.manifest import Metric
from tests.training.report.simulated import evaluation, external_material
from training.evaluation.document import Evaluation
from training.evaluation.document import Group as Patients
from training.evaluation.printing import print_evaluation


@pytest.fixture(autouse=True)
def _a_wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "240")


def bare(**parts: object) -> Evaluation:
    """An evaluation of nothing but what is given."""
    least = {"row": "image", "task": "gos", "event": "favourable", "counts": {}, "epochs": {}, "metrics": ()}
    return Evaluation.model_validate(least | parts)


def metric(name: str, value: float) -> Metric:
    return Metric(name=name, value=value, low=value - 0.1, high=value + 0.1, n=40)


def group(level: str, *metrics: Metric, too_few: bool = False) -> Patients:
    return Patients(variable="dose", level=level, n=40, events=12, too_few=too_few, metrics=metrics)


def rows(printed: str) -> list[list[str]]:
    """Cells of every line of every table."""
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in printed.splitlines() if "│" in line]


def test_every_number_stands_beside_its_interval_and_its_patients(capsys: pytest.CaptureFixture[str]) -> None:
    judged = evaluation()
    print_evaluation(judged)
    printed = capsys.readouterr().out
    found = rows(printed)
    for each in judged.metrics:
        assert [each.name, f"{each.value:.3f}", f"{each.low:.2f} to {each.high:.2f}", str(each.n)] in found
    for one in judged.comparisons:
        assert [one.against, one.metric, f"{one.difference.value:+.3f}"] in [row[:3] for row in found]
        p = ["< 0.001" if each < 0.001 else f"{each:.3f}" for each in (one.p, one.p_holm)]
        assert p in [row[4:] for row in found]
    assert judged.sets is not None
    for each_class in (each for each in judged.sets.groups if each.variable == "class"):
        assert [each_class.level, str(each_class.n)] in [row[:2] for row in found]
    for each_group in judged.subgroups:
        assert f"{each_group.variable}: {each_group.level}" in [row[0] for row in found]


def test_a_group_of_too_few_has_counts_and_no_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    numbers = (metric("auroc", 0.8), metric("brier", 0.2))
    print_evaluation(bare(subgroups=(group("low", *numbers), group("high", too_few=True))))
    assert rows(capsys.readouterr().out)[-2:] == [
        ["dose: low", "40", "12", "0.800", "0.70 to 0.90", "-", "0.200"],
        ["dose: high", "40", "12", "too few", "", "", ""],
    ]


def test_what_was_not_judged_has_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_evaluation(bare(metrics=(metric("auroc", 0.8),)))
    printed = capsys.readouterr().out
    assert rows(printed) == [["auroc", "0.800", "0.70 to 0.90", "40"]]
    assert "image: favourable" in printed


def test_a_cohorts_words_in_brackets_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    """Taken for markup, two groups would bear one name, and a closing bracket would end the command with a stack trace."""
    words = "alive at home [mRS 0-2] [/]"
    print_evaluation(bare(event=words, subgroups=(group("x [low]"), group("x [high]"), group(":sob:"))))
    printed = capsys.readouterr().out
    assert words in printed
    assert [row[0] for row in rows(printed)][-3:] == ["dose: x [low]", "dose: x [high]", "dose: :sob:"]


def test_of_a_package_what_it_states_and_who_got_no_answer_are_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Not its sensitivity, which is at another threshold."""
    stated = (metric("auroc", 0.912), metric("sensitivity", 0.513))
    print_evaluation(external_material(stated=stated).evaluation)
    printed = capsys.readouterr().out
    assert "0.912 (0.81 to 1.01)" in printed
    assert "0.513" not in printed
    assert ["refused: not-a-head", "2"] in rows(printed)
    assert "INR" in printed
