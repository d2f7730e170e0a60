"""The model card: every number from the evaluation, in Markdown that cannot act."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.ehr.schema import EhrSchema
from app.model_package import manifest as m
from tests.training.report.answers import CLASSES
from tests.training.report.few import of_few
from tests.training.report.simulated import evaluation, features
from training.config import RunConfig, load_config
from training.evaluation.document import Evaluation
from training.packaging.model_card import model_card, plain

LABELS = ("gos_1", "gos_2", "gos_3", "gos_4", "gos_5")
IDENTITY = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0))


@pytest.fixture(scope="module")
def config() -> RunConfig:
    return load_config(Path(__file__).parents[3] / "training" / "configs" / "gos.toml")


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


@pytest.mark.parametrize(
    "source", ["University hospital, 2016 to 2021", "University hospital, 2016 to 2021."]
)
def test_a_hospitals_words_for_its_patients_end_before_their_numbers(config: RunConfig, source: str) -> None:
    card = model_card(_manifest(config, source), config, evaluation())
    assert "**Training data.** University hospital, 2016 to 2021. Cases: 3600 train" in card


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


@pytest.mark.parametrize(
    "words",
    [
        "Package `gos` version 2, created 2026-11-28.",
        "**Intended use.** Demonstration only.",
        "**Training data.** Phantoms. Cases: 3600 train (1440 with the event), 300 validation (118 with the event), 600 calibration",
        "Record-guided attention (MMA) and a multi-head gated multimodal unit (MH-GMU) on a 3D resnet10, after the abstract of arXiv:2112.11710; "
        "the equations are this project's reading of it",
        "The event is: favourable outcome (GOS 4 or 5).",
        "| on the test split | value | 95 % interval (bootstrap) | n |",
        "Sensitivity (of cases with the event) and specificity (of those without) hold where the event is expected",
        "this threshold was fixed on the validation split.",
        "Epochs given to each network: image 9, record 9, model 9.",
        "This model less each rival, paired on the same patients.",
        "An interval that holds 0 is no proof that models are alike.",
        "| rival | measure | difference (95 % interval) | Holm p |",
        "Temperature scaling inside the graph (slope 1.056, intercept 0.000), fitted on the validation split. ",
        "each class enters at its own probability: Dead 0.111 (120 cases), ",
        "; nominal coverage 90%, 600 calibration cases. The most likely class is always in the set.",
        "fitted on the validation split. Prediction sets (split conformal sets of neighbouring classes",
        "| held-out cases | n | coverage (95 % interval) | classes in a set |",
        "The same procedure over 500 random deals of these cases, 600 to calibrate and 600 to judge in each:",
        "| calibration and held-out cases | n | mean coverage (95 % of the deals) | classes in a set |",
        "| group | n (events) | AUROC | Calibration slope | Brier score |",
        "| held-out cases, disturbed | n | AUROC (95 % interval) |",
        "An image and record farther from training than 99.0% of the calibration cases are flagged as out of distribution.",
        "The numbers above hold for cases drawn like the held-out ones. They say nothing about patients of any hospital.",
        "The heatmap is relative within one image (1 = its peak). It shows attention, not cause; a good overlap with a lesion is not evidence of a "
        "right reason.",
        "The image share is a share of a mixture, not a causal importance.",
        "Never use the answer to decide on withdrawal.",
        "Missing values are told to the network as missing.",
    ],
)
def test_it_says_in_so_many_words_what_may_be_made_of_the_numbers(card: str, words: str) -> None:
    """A statement that changes here is one that whoever uses the model reads."""
    assert words in card


def test_what_holds_for_some_packages_only_is_said_of_no_other(config: RunConfig, card: str) -> None:
    manifest, judged = _manifest(config), evaluation()
    diagnosis = model_card(manifest.model_copy(update={"task": "ad"}), config, judged)
    assert "care limitation" not in diagnosis
    half = model_card(manifest, config, judged, "float16")
    told = "measured in float32; this graph computes in float16. Of its golden case no probability differs by more than 0.002"
    assert told in half
    assert told not in card
    guided = f"guided by masks during training (weight {config.guidance.weight:g}); the heatmap therefore shows what the gates were taught"
    assert guided in card
    unguided = replace(config, guidance=replace(config.guidance, weight=0.0))
    alone = model_card(manifest, unguided, judged)
    assert "The spatial gates were trained on the outcome alone, without masks." in alone
    assert "guided by masks" not in alone
    shared = manifest.calibration.model_copy(update={"class_thresholds": None, "conformal_threshold": 0.123})
    assert ": a class enters at probability 0.123;" in model_card(
        manifest.model_copy(update={"calibration": shared}), config, judged
    )


def test_numbers_of_a_hospital_are_denied_of_another_and_those_of_phantoms_of_any(config: RunConfig) -> None:
    card = model_card(_manifest(config), config, evaluation("a hospital"))
    assert (
        "They say nothing about patients of hospitals that none of them comes from; that needs an external evaluation."
        in card
    )
    assert "any hospital" not in card


def test_of_how_few_cases_disturbances_and_removed_voxels_are_is_said(config: RunConfig) -> None:
    """`--image-cases` says on how many of the held-out patients they are tried."""
    card = model_card(_manifest(config), config, of_few(evaluation(), 2))
    assert "Held-out cases of which there are disturbed copies: 2." in card
    assert "Held-out cases in which voxels were removed and given: 2." in card


def test_maps_are_said_to_be_held_against_masks_only_where_there_are_some(
    config: RunConfig, card: str
) -> None:
    judged = evaluation()
    maps = judged.heatmaps
    assert maps is not None
    assert f"On {maps.n} held-out cases with a mask. The mask fills " in card
    assert "of the head: chance level of a peak in the mask itself and of relevance mass." in card
    none = judged.model_copy(update={"heatmaps": maps.model_copy(update={"n": 0, "chance": None})})
    without = model_card(_manifest(config), config, none)
    assert "The cohort has no masks." in without
    assert "chance level" not in without


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
