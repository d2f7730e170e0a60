"""The model card: every number from the evaluation, in Markdown that cannot act."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.ehr.schema import EhrSchema
from app.model_package import manifest as m
from tests.training.report.answers import CLASSES
from tests.training.report.simulated import evaluation, features
from training.config import RunConfig, load_config
from training.evaluation.document import Evaluation
from training.model_card import model_card, plain

LABELS = ("gos_1", "gos_2", "gos_3", "gos_4", "gos_5")
IDENTITY = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0))


@pytest.fixture(scope="module")
def config() -> RunConfig:
    return load_config(Path(__file__).parents[2] / "training" / "configs" / "gos.toml")


def _manifest(config: RunConfig, training_data: str = "Phantoms.") -> m.Manifest:
    return m.Manifest(
        schema_version=1,
        name="gos",
        version=2,
        task="gos",
        title="Outcome",
        intended_use="Demonstration only.",
        training_data=training_data,
        created=datetime(2026, 11, 28, tzinfo=UTC),
        image=config.grid,
        ehr=EhrSchema(features=features(), minimum_features=0),
        preprocessing_version=1,
        outputs=m.Outputs(
            classes=tuple(
                m.OutputClass(label=label, title=title) for label, title in zip(LABELS, CLASSES, strict=True)
            ),
            ordinal=True,
            favourable=LABELS[3:],
            heads=4,
            embedding_size=64,
            heatmap=m.Heatmap(shape=(1, 1, 1), to_model_grid=IDENTITY),
        ),
        calibration=m.Calibration(
            method="temperature",
            parameters={"slope": 1.056, "intercept": 0.0},
            class_thresholds={label: m.ClassThreshold(threshold=0.111, n=120) for label in LABELS},
            coverage=0.9,
            n=600,
        ),
        out_of_distribution=m.OutOfDistribution(method="mahalanobis", file="embedding.npz", threshold=0.99),
        metrics=evaluation().metrics,
        sha256={},
    )


@pytest.fixture(scope="module")
def card(config: RunConfig) -> str:
    return model_card(_manifest(config), config, evaluation())


def test_every_headline_number_is_in_the_card(card: str) -> None:
    for metric in evaluation().metrics:
        assert f"| {abs(metric.value):.3f} | " in card.replace("\N{MINUS SIGN}", "")


def test_sensitivity_comes_with_the_threshold_that_it_holds_at(card: str) -> None:
    judged = evaluation().discrimination
    assert judged is not None
    assert f"expected from a probability of {judged.threshold:.3f} on" in card


def test_it_says_how_the_test_patients_were_chosen(config: RunConfig) -> None:
    """Later patients, or those of another hospital, are another test than a random one."""
    later = evaluation().model_copy(update={"split": "test from 2021-01-01"})
    assert "Split: test from 2021-01-01." in model_card(_manifest(config), config, later)


def test_sets_subgroups_rivals_maps_and_limits_have_their_place(card: str) -> None:
    headings = re.findall(r"^#+ (.+)$", card, flags=re.MULTILINE)
    assert headings == [
        "Outcome",
        "Method",
        "Held-out results",
        "Against other models",
        "Calibration and doubt",
        "Prediction sets on held-out cases",
        "Subgroups",
        "Out of distribution",
        "Heatmaps",
        "Robustness",
        "Limits",
    ]
    assert "| Severe disability | 191 | 0.930 (0.890 to 0.970) |" in card
    assert "| site B | 25 (4) | too few |" in card
    assert "Dead 0.111 (120 cases)" in card
    assert "care limitation" in card


def test_platts_intercept_is_said_to_be_weighed_against_the_training_patients(config: RunConfig) -> None:
    manifest = _manifest(config)
    platt = manifest.calibration.model_copy(update={"method": "platt"})
    words = "its intercept weighed against what the training patients know"
    assert words in model_card(manifest.model_copy(update={"calibration": platt}), config, evaluation())
    assert words not in model_card(manifest, config, evaluation())


def test_it_says_what_of_a_record_must_be_known(config: RunConfig, card: str) -> None:
    assert "The record may be empty." in card
    manifest = _manifest(config)
    ehr = manifest.ehr.model_copy(update={"minimum_features": 2})
    demanding = model_card(manifest.model_copy(update={"ehr": ehr}), config, evaluation())
    assert "A record has at least 2 known features." in demanding
    assert "may be empty" not in demanding


def test_an_evaluation_without_a_part_gives_a_card_without_its_heading(config: RunConfig) -> None:
    bare = Evaluation(
        row="mma+mhgmu",
        task="gos",
        event="favourable",
        counts={"test": 3},
        epochs={},
        metrics=evaluation().metrics[:1],
    )
    card = model_card(_manifest(config), config, bare)
    assert not re.search("Subgroups|Heatmaps|Robustness|Against|None|nan", card)


def test_tables_are_whole_and_a_cohorts_words_cannot_break_them(config: RunConfig) -> None:
    evil = "a | b\n\n# c <script> [d](javascript:e) **f** `g`"
    judged = evaluation()
    planted = judged.model_copy(
        update={
            "event": evil,
            "split": evil,
            "subgroups": tuple(each.model_copy(update={"level": evil}) for each in judged.subgroups),
            "comparisons": tuple(each.model_copy(update={"against": evil}) for each in judged.comparisons),
        }
    )
    card = model_card(_manifest(config, training_data=evil), config, planted)
    assert "<script" not in card
    assert "[" not in card
    assert len(re.findall(r"^# ", card, flags=re.MULTILINE)) == 1
    for block in card.split("\n\n"):
        if block.startswith("|"):
            assert len({line.count("|") for line in block.splitlines()}) == 1


def test_plain_words_stay_as_they_are() -> None:
    assert plain("Hospital A, 2019-2024 (ethics 12/3)") == "Hospital A, 2019-2024 (ethics 12/3)"
