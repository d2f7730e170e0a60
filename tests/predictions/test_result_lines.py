"""A line of results says of a case what its answer says, each thing in its own column."""

import json

import pytest

import app
from app.api.predict_document import ANSWER
from app.errors import EhrInvalidError
from app.predictions.answer import Answer
from app.predictions.result_lines import answered, columns_of, failed

SOUND = Answer.model_validate_json(json.dumps(ANSWER))


@pytest.mark.parametrize(("abstained", "unlike"), [(True, False), (False, True)])
def test_an_abstention_and_a_case_unlike_others_have_a_column_each(abstained: bool, unlike: bool) -> None:
    score = SOUND.prediction.out_of_distribution.model_copy(update={"score": 0.5, "flagged": unlike})
    said = SOUND.prediction.model_copy(update={"abstained": abstained, "out_of_distribution": score})
    line = answered("A-17", "0123", SOUND.model_copy(update={"prediction": said}))
    words = {True: "yes", False: "no"}
    assert (line["abstained"], line["flagged"]) == (words[abstained], words[unlike])
    assert line["out_of_distribution"] == "0.5000"


def test_the_numbers_of_a_line_are_those_of_the_answer() -> None:
    line, said = answered("A-17", "0123", SOUND), SOUND.prediction
    assert {label: float(line[f"p_{label}"]) for label in said.probabilities} == pytest.approx(
        said.probabilities
    )
    assert float(line["favourable"]) == pytest.approx(said.favourable)
    assert (line["label"], line["prediction_set"].split()) == (said.label, said.prediction_set)
    assert (float(line["coverage"]), float(line["image_share"])) == (said.coverage, SOUND.ehr.image_share)
    assert (line["model"], line["package_sha256"]) == (
        f"{SOUND.model.name}@{SOUND.model.version}",
        SOUND.model.sha256,
    )
    assert line["release"] == SOUND.release == app.__version__
    assert line.keys() <= set(columns_of(list(said.probabilities)))


def test_a_failed_line_says_what_is_wrong_with_which_feature() -> None:
    error = EhrInvalidError("2 fields", features=[{"name": "age", "problem": "must be a number"}])
    line = failed("A-17", "0123", error)
    assert (line["status"], line["code"], line["detail"]) == ("failed", "ehr-invalid", "age must be a number")
