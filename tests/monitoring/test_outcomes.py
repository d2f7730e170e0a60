"""Outcomes are told once there are enough of them; a model that is calibrated raises nothing, one that is not does."""

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from app.metrics import Metrics
from app.model_package.package import Package
from app.monitoring.outcomes import LEAST_OUTCOMES, OutcomeWatch, judged
from app.predictions.answer import Answer
from app.records.store import RecordStore
from app.records.tables import FeedbackRow
from tests.monitoring.stream import Stream
from tests.monitoring.test_drift import MANIFEST, SHA256, as_rule_test, gauges, keep, spoil
from tests.support.promtool import failures_of_rules
from tests.support.records import tables_at
from tests.support.tiny_package import tiny_manifest


@pytest.fixture
def records(tmp_path: Path) -> Iterator[RecordStore]:
    store = RecordStore(tables_at(tmp_path / "records.sqlite3"))
    yield store
    store.close()


@pytest.fixture
def watch(records: RecordStore, tmp_path: Path) -> OutcomeWatch:
    return OutcomeWatch(
        records.feedback, lambda: [Package(tmp_path, MANIFEST, SHA256)], Metrics().watch_faults
    )


def outcome_of(answer: Answer, chance: np.random.Generator, bias: float = 0.0) -> str:
    """What comes true, with the probabilities of the answer, or less often favourable than that."""
    said = answer.prediction
    favourable = chance.random() < (said.favourable or 0) - bias
    return str(chance.choice(["gos_4", "gos_5"] if favourable else ["gos_1", "gos_2", "gos_3"]))


def say(
    records: RecordStore, answers: list[Answer], outcomes: list[str | None], agreement: str = "agree"
) -> None:
    keep(records, answers)
    with Session(records.engine) as session, session.begin():
        session.add_all(
            FeedbackRow(
                prediction_id=answer.id, agreement=agreement, outcome=outcome, updated=datetime.now(UTC)
            )
            for answer, outcome in zip(answers, outcomes, strict=True)
        )


def answers_of(count: int, seed: int = 1) -> list[Answer]:
    source = Stream(MANIFEST, seed)
    return [source.answer(replace(source.case(), event=0.6)) for _ in range(count)]


def told(watch: OutcomeWatch) -> dict[str, float]:
    watch.refresh()
    return {name.split("{")[0].removeprefix("neurofuse_"): value for name, value in gauges(watch).items()}


def test_feedback_is_counted_by_agreement(watch: OutcomeWatch, records: RecordStore) -> None:
    say(records, answers_of(3), [None] * 3)
    say(records, answers_of(2, seed=2), [None] * 2, agreement="disagree")
    watch.refresh()
    counted = {
        name.split('agreement="')[1].rstrip('"}'): value
        for name, value in gauges(watch).items()
        if "feedback" in name
    }
    assert counted == {"agree": 3, "disagree": 2}
    assert told(watch)["outcomes"] == 0


def test_an_answer_that_cannot_be_read_is_left_out_and_the_others_count(
    watch: OutcomeWatch, records: RecordStore
) -> None:
    answers = answers_of(3)
    say(records, answers, ["gos_4"] * 3)
    spoil(records, answers[0])
    with capture_logs() as lines:
        watch.refresh()
        assert told(watch)["outcomes"] == 2
    assert [(line["event"], line["model"], line["count"]) for line in lines] == [
        ("answers-unreadable", "gos@1", 1)
    ]


def test_an_answer_that_cannot_be_judged_costs_no_other_package_its_gauges(
    records: RecordStore, tmp_path: Path
) -> None:
    packages = [
        Package(tmp_path, tiny_manifest("gos", name, 1), digest * 64)
        for name, digest in (("odd", "0"), ("even", "1"))
    ]
    watch = OutcomeWatch(records.feedback, lambda: packages, Metrics().watch_faults)
    for package in packages:
        source = Stream(package.manifest, seed=4)
        answers = [source.answer(source.case()) for _ in range(LEAST_OUTCOMES)]
        if package is packages[0]:
            nothing = answers[0].prediction.model_copy(update={"probabilities": {}, "favourable": None})
            answers[0] = answers[0].model_copy(update={"prediction": nothing})
        say(records, answers, ["gos_4"] * LEAST_OUTCOMES)
    with capture_logs() as lines:
        watch.refresh()
    assert [(line["event"], line["model"]) for line in lines] == [("watch-fault", "odd@1")]
    assert {name for name in gauges(watch) if "accuracy" in name} == {
        'neurofuse_outcome_accuracy{model_name="even",model_version="1"}'
    }


def test_few_outcomes_are_counted_and_not_judged(watch: OutcomeWatch, records: RecordStore) -> None:
    say(records, answers_of(LEAST_OUTCOMES - 1), ["gos_4"] * (LEAST_OUTCOMES - 1))
    found = told(watch)
    assert found["outcomes"] == LEAST_OUTCOMES - 1
    assert not any(name.startswith("outcome_") for name in found)


def test_the_numbers_are_those_of_their_definitions() -> None:
    answers = answers_of(4)
    found = judged(
        [
            (answer, label)
            for answer, label in zip(answers, ["gos_4", "gos_5", "gos_1", "gos_4"], strict=True)
        ],
        MANIFEST,
    )
    # Each answer: 0.4 / 3 for the three unfavourable classes, 0.3 for each of the favourable ones; most likely is gos_4.
    third = 0.4 / 3
    hit = 3 * third**2 + 0.7**2 + 0.3**2
    miss = 2 * third**2 + (1 - third) ** 2 + 2 * 0.3**2
    assert found["accuracy"] == 0.5
    assert found["brier"] == pytest.approx((3 * hit + miss) / 4)
    assert found["calibration_gap"] == pytest.approx(0.6 - 0.75)
    assert found["calibration_gap_error"] == pytest.approx(math.sqrt(4 * 0.24) / 4)
    assert found["set_coverage"] == 0.75
    assert found["set_coverage_nominal"] == 0.9
    assert found["set_coverage_error"] == pytest.approx(math.sqrt(0.09 / 4))


@pytest.mark.parametrize(
    ("bias", "raised"),
    [(0.0, set()), (0.25, {("NeuroFuseMiscalibrated", "")})],
    ids=["calibrated", "too sure"],
)
def test_only_a_model_that_is_wrong_raises_the_alert_of_calibration(
    watch: OutcomeWatch, records: RecordStore, tmp_path: Path, bias: float, raised: set[tuple[str, str]]
) -> None:
    chance = np.random.default_rng(3)
    answers = answers_of(200)
    everything = [f"gos_{grade}" for grade in range(1, 6)]
    wide = [
        each.model_copy(
            update={"prediction": each.prediction.model_copy(update={"prediction_set": everything})}
        )
        for each in answers
    ]
    say(records, wide, [outcome_of(each, chance, bias) for each in answers])
    watch.refresh()
    series = {name: f"{value}x30" for name, value in gauges(watch).items()}
    assert failures_of_rules(tmp_path, [as_rule_test("outcomes", series, raised, "30m")]) == ""


def test_sets_that_miss_the_outcome_raise_their_alert(
    watch: OutcomeWatch, records: RecordStore, tmp_path: Path
) -> None:
    # The sets of the stream hold the favourable classes only: 60 % instead of the promised 90 %.
    chance, answers = np.random.default_rng(4), answers_of(200)
    say(records, answers, [outcome_of(each, chance) for each in answers])
    watch.refresh()
    series = {name: f"{value}x30" for name, value in gauges(watch).items()}
    raised = {("NeuroFuseSetsTooSmall", "")}
    assert failures_of_rules(tmp_path, [as_rule_test("sets", series, raised, "30m")]) == ""
