"""TRIPOD+AI: all 27 items, answered by the run or left to the authors, never guessed."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from tests.training.report.simulated import material
from training.config import load_config
from training.networks.rows import row
from training.report.methods import methods
from training.report.tripod import KNOWN, answer, checklist, items

PARTS = 52
CONFIGS = Path(__file__).parents[3] / "training" / "configs"


def test_all_27_items_are_asked_once_each_part_in_order() -> None:
    numbers = [item.number for item in items()]
    assert [int(number.rstrip("abcdefg")) for number in numbers] == sorted(
        int(n.rstrip("abcdefg")) for n in numbers
    )
    assert {int(number.rstrip("abcdefg")) for number in numbers} == set(range(1, 28))
    assert len(numbers) == len(set(numbers)) == PARTS
    assert set(KNOWN) <= set(numbers)


def test_every_part_stands_in_the_report() -> None:
    table = checklist(material()).blocks[1]
    assert [row[0].text for row in table.cells] == [item.number for item in items()]  # type: ignore[union-attr]


def test_what_only_authors_know_is_missing_and_not_invented() -> None:
    patients = material(source="Hospital A")
    for item in items():
        found = answer(item, patients)
        if item.authors:
            assert found.status in ("missing", "in part")
            assert f"Missing: the authors must supply {item.authors}." in found.text
        else:
            assert found.text
    ethics = next(item for item in items() if item.number == "17")
    assert answer(ethics, patients).status == "missing"
    assert answer(ethics, material()).status == "not applicable"


def test_an_answer_goes_when_the_fact_behind_it_goes() -> None:
    patients = material(source="Hospital A")
    fairness = next(item for item in items() if item.number == "14")
    assert "sex, age and site" in answer(fairness, patients).text
    ungrouped = replace(patients, evaluation=patients.evaluation.model_copy(update={"subgroups": ()}))
    assert answer(fairness, ungrouped).status == "missing"


def test_how_the_held_out_patients_were_chosen_is_said_in_checklist_and_methods() -> None:
    made = material()
    later = replace(made, evaluation=made.evaluation.model_copy(update={"split": "test from 2021-01-01"}))
    partition = next(
        answer(item, later).text for item in items() if "One split by patient" in answer(item, later).text
    )
    assert "(test from 2021-01-01)" in partition
    assert "Who is in which split: test from 2021-01-01." in methods(later)[-1]


@pytest.mark.parametrize("is_served", [False, True])
def test_only_what_can_be_served_is_said_to_be(is_served: bool) -> None:
    made = replace(material(), config=load_config(CONFIGS / "gos.toml"), is_served=is_served)
    calculated, specified = (answer(item, made).text for item in items() if item.number in ("12g", "22"))
    assert ("ONNX" in calculated) is ("sealed package" in specified) is is_served
    assert {answer(item, made).status != "missing" for item in items() if item.number in ("27a", "27b")} == {
        is_served
    }


@pytest.mark.parametrize(
    ("kind", "words"), [("mlp", "mean of the training patients"), ("tokens", "learned token")]
)
def test_what_becomes_of_missing_values_is_said_as_it_is_done(
    kind: Literal["mlp", "tokens"], words: str
) -> None:
    config = load_config(CONFIGS / "gos.toml")
    encoder = replace(config.model.ehr, kind=kind)
    made = replace(
        material(), config=replace(config, model=replace(config.model, ehr=encoder)), fewest_features=3
    )
    text = next(answer(item, made).text for item in items() if item.number == "11")
    assert words in text
    assert "needs at least 3 known features" in text


def test_of_a_row_without_the_record_nothing_is_said_of_its_values() -> None:
    config = load_config(CONFIGS / "gos.toml")
    made = replace(material(), config=replace(config, model=row(config.model, "image")))
    answers = {item.number: answer(item, made).text for item in items()}
    assert answers["11"].startswith("No record is read.")
    assert "from one image." in answers["3a"]
    assert "standardised" not in " ".join(answers.values())
