"""training.packaging.summary: of which patients each number of the summary is, and that it is the one that the service will count."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.ehr.encode import encode
from app.inference.calibration import set_members
from app.model_package.training_summary import (
    TRAINING_SUMMARY,
    Distribution,
    TrainingSummary,
    distribution_of_categories,
    distribution_of_numbers,
)
from tests.support.synthetic_head import SPACING_MM, write_head
from tests.training.evaluation.support import cohort_of, ordinal_predictions
from tests.training.evaluation.test_judge import with_train
from training.checkpoint import Checkpoint
from training.cohort import Cohort
from training.config import load_config
from training.evaluation.answers import answers
from training.evaluation.distance import FLAG_ABOVE, Distances
from training.evaluation.fitted import Fitted, fit_after_training
from training.networks.model import FusionNet
from training.packaging.summary import save_training_summary
from training.predictions import Predictions
from training.prepare import PreparedSet
from training.runs import Opened

PRACTICE = Path(__file__).parents[3] / "training" / "configs" / "practice.toml"
UNLIKE = 7
"""Calibration cases far from those of training."""


@pytest.fixture(scope="module")
def predictions() -> Predictions:
    """Of a network whose embeddings and shares differ from split to split."""
    found = with_train(ordinal_predictions(240, 1, noise=0.5))
    shift = np.array(
        [{"train": 0.0, "validation": 0.1, "calibration": 0.2, "test": 0.4}[each] for each in found.split]
    )
    share = (shift[:, None] + np.random.default_rng(2).uniform(0, 0.5, (240, 2))).astype(np.float32)
    embedding = found.embedding.copy()
    embedding[np.flatnonzero(found.rows("calibration"))[:UNLIKE]] = 50
    return replace(found, image_share=share, embedding=embedding)


@pytest.fixture(scope="module")
def opened(predictions: Predictions, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """Their cohort, all with one image, and its training split brought to a grid; an image's values follow its patient's number."""
    folder = tmp_path_factory.mktemp("summary")
    image = write_head(folder / "head.nii")
    plain = cohort_of(predictions)
    stood = dict(zip(predictions.patient_id, predictions.split, strict=True))
    cases = tuple(replace(case, image=(image,), split=stood[case.patient_id]) for case in plain.cases)
    cohort = Cohort(plain.root, plain.description, cases)
    config = load_config(PRACTICE)
    net = FusionNet(config.model, cohort.description.features)
    return Opened(
        Checkpoint(net, config, cohort.description.features, 1), cohort, {"train": prepared(cohort, folder)}
    )


def prepared(cohort: Cohort, folder: Path) -> PreparedSet:
    train = cohort.part("train")
    records = [encode(case.record, cohort.description.ehr) for case in train]
    images = tuple(folder / f"{number}.npy" for number in range(len(train)))
    for number, path in enumerate(images):
        np.save(path, np.full((4, 4, 4), number, np.float32))
    return PreparedSet(
        images,
        (None,) * len(train),
        np.stack([record.values for record in records]),
        np.stack([record.missing for record in records]),
        np.array([case.label for case in train], np.int64),
        np.full(len(train), np.nan, np.float32),
    )


@pytest.fixture(scope="module")
def fitted(predictions: Predictions) -> Fitted:
    distances = Distances(np.zeros(4), np.eye(4), np.linspace(0, 6, 201))
    return replace(fit_after_training(predictions), distances=distances)


@pytest.fixture(scope="module")
def summary(
    opened: Opened, predictions: Predictions, fitted: Fitted, tmp_path_factory: pytest.TempPathFactory
) -> TrainingSummary:
    run = tmp_path_factory.mktemp("run")
    save_training_summary(run, opened, predictions, fitted)
    return TrainingSummary.model_validate_json((run / TRAINING_SUMMARY).read_bytes())


def told(summary: TrainingSummary, kind: str, name: str) -> Distribution:
    (found,) = (each for each in summary.distributions if (each.kind, each.name) == (kind, name))
    return found


def test_records_are_those_of_training(summary: TrainingSummary, opened: Opened) -> None:
    train = opened.cohort.part("train")
    ages = [float(str(case.record["age"])) for case in train if "age" in case.record]
    sexes = [case.record["sex"] for case in train if "sex" in case.record]
    age, sex = told(summary, "record", "age"), told(summary, "record", "sex")
    plain = distribution_of_numbers("record", "age", np.array(ages, np.float32))
    assert (age.n, age.edges, age.shares) == (plain.n, plain.edges, plain.shares)
    assert sex.shares == tuple(sexes.count(each) / len(sexes) for each in ("female", "male"))


def test_shares_of_missing_features_are_those_of_training(summary: TrainingSummary, opened: Opened) -> None:
    train = opened.cohort.part("train")
    missing = {each.name: each.share for each in summary.shares if each.kind == "missing"}
    assert missing == pytest.approx(
        {
            feature.name: np.mean([feature.name not in case.record for case in train])
            for feature in opened.cohort.description.features
        }
    )


def test_limits_are_those_of_the_network(summary: TrainingSummary, opened: Opened) -> None:
    limits = opened.checkpoint.net.ehr.standardise.limits()
    names = [feature.name for feature in opened.cohort.description.features]
    assert {name: told(summary, "record", name).limits for name in ("age", "inr")} == {
        name: limits[names.index(name)] for name in ("age", "inr")
    }


def test_images_are_those_of_training(summary: TrainingSummary, opened: Opened) -> None:
    count = len(opened.parts["train"])
    for name in ("p75", "p99"):
        expected = distribution_of_numbers("intensity", name, np.arange(count))
        assert told(summary, "intensity", name) == expected
    assert told(summary, "spacing", "in_plane_mm").edges == (min(SPACING_MM),)
    assert told(summary, "spacing", "slice_mm").edges == (max(SPACING_MM),)


def test_answers_are_those_to_calibration_cases(
    summary: TrainingSummary, predictions: Predictions, fitted: Fitted
) -> None:
    held = answers(predictions, fitted.scaling, "calibration")
    labels = [f"gos_{grade}" for grade in range(1, 6)]
    shares = predictions.part("calibration").image_share.mean(axis=1)
    for expected in (
        distribution_of_numbers("score", "event", held.event_probability),
        distribution_of_categories("score", "label", held.most_likely.tolist(), labels),
        distribution_of_numbers("score", "image_share", shares),
    ):
        assert told(summary, "score", expected.name) == expected


def test_a_calibration_case_is_abstained_from_as_the_service_does(
    summary: TrainingSummary, predictions: Predictions, fitted: Fitted
) -> None:
    """Flagged as unlike those of training, or with a set of every class."""
    held = answers(predictions, fitted.scaling, "calibration")
    assert fitted.distances is not None
    flagged = fitted.distances.score(predictions.part("calibration").embedding) > FLAG_ABOVE
    silent = set_members(held.probabilities, np.array(fitted.sets.thresholds), ordinal=True).all(axis=1)
    (share,) = (each for each in summary.shares if each.kind == "answer")
    assert flagged.sum() == UNLIKE
    assert (share.name, share.n) == ("abstained", len(held))
    assert share.share == pytest.approx(np.mean(flagged | silent))
    assert UNLIKE <= (flagged | silent).sum() < len(held)
