"""What is kept of answers can be read by later releases."""

import json

import app
from app.api.predict_document import ANSWER
from app.predictions.answer import read_answer


def test_an_answer_says_which_release_made_it() -> None:
    answer = read_answer(json.dumps(ANSWER))
    assert answer is not None
    assert answer.release == app.__version__


def test_an_answer_of_0_1_0_which_named_no_release_is_read() -> None:
    answer = read_answer(json.dumps({name: value for name, value in ANSWER.items() if name != "release"}))
    assert answer is not None
    assert answer.release is None


def test_what_a_later_release_added_to_an_answer_is_passed_over() -> None:
    later = {**ANSWER, "later": 1, "image": {**ANSWER["image"], "later": 2}}
    assert read_answer(json.dumps(later)) == read_answer(json.dumps(ANSWER))


def test_an_answer_that_was_cut_short_is_none() -> None:
    assert read_answer(json.dumps(ANSWER)[:-9]) is None
