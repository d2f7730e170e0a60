import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from app.ehr.encode import EncodedRecord, encode
from app.inference.predictor import Outputs, Predictor
from app.model_package.training_summary import TRAINING_SUMMARY, Share, TrainingSummary

RECORD = {"age": 64, "gcs": 9}


def image(predictor: Predictor, level: float = 20.0, seed: int = 0) -> np.ndarray:
    shape = predictor.package.manifest.image.shape
    return np.random.default_rng(seed).normal(level, 5, shape).astype(np.float32)


def record(predictor: Predictor, **fields: object) -> EncodedRecord:
    return encode(fields, predictor.package.manifest.ehr)


def expected_grade(outputs: Outputs) -> float:
    return sum(index * p for index, p in enumerate(outputs.probabilities.values()))


def test_the_answer_speaks_the_words_of_the_manifest(gos_predictor: Predictor) -> None:
    outputs = gos_predictor.predict(image(gos_predictor), record(gos_predictor, **RECORD))
    assert list(outputs.probabilities) == ["gos_1", "gos_2", "gos_3", "gos_4", "gos_5"]
    assert outputs.label == max(outputs.probabilities, key=outputs.probabilities.__getitem__)
    assert sum(outputs.probabilities.values()) == pytest.approx(1, abs=1e-6)
    assert outputs.coverage == 0.9
    assert outputs.heatmap.shape == (4, 11, 9)
    assert outputs.embedding.shape == (3,)


def test_favourable_is_the_sum_of_the_two_best_grades(gos_predictor: Predictor) -> None:
    outputs = gos_predictor.predict(image(gos_predictor), record(gos_predictor, **RECORD))
    assert outputs.favourable == pytest.approx(
        outputs.probabilities["gos_4"] + outputs.probabilities["gos_5"]
    )


def test_a_package_without_favourable_classes_says_none(ad_predictor: Predictor) -> None:
    outputs = ad_predictor.predict(image(ad_predictor, 500), record(ad_predictor, age=70))
    assert outputs.favourable is None
    assert set(outputs.probabilities) == {"cn", "ad"}


def test_the_record_acts(gos_predictor: Predictor) -> None:
    scan = image(gos_predictor)
    grades = [
        expected_grade(gos_predictor.predict(scan, record(gos_predictor, gcs=gcs))) for gcs in (3, 8, 15)
    ]
    assert all(worse < better for worse, better in pairwise(grades))


def test_the_image_acts(gos_predictor: Predictor) -> None:
    known = record(gos_predictor, **RECORD)
    dark, bright = (gos_predictor.predict(image(gos_predictor, level), known) for level in (10, 60))
    assert expected_grade(bright) < expected_grade(dark)
    assert bright.heatmap.mean() > dark.heatmap.mean()
    assert bright.image_share > dark.image_share


def test_image_share_is_the_mean_over_the_heads(gos_predictor: Predictor) -> None:
    scan, known = image(gos_predictor), record(gos_predictor)
    raw = gos_predictor.session.run(scan[None, None], known.values[None], known.missing[None])
    assert raw.image_share.shape == (1, 4)
    share = gos_predictor.predict(scan, known).image_share
    assert share == pytest.approx(raw.image_share.mean())
    assert 0 <= share <= 1


def test_the_prediction_set_of_grades_has_no_holes(gos_predictor: Predictor) -> None:
    labels = list(gos_predictor.package.manifest.outputs.classes)
    for gcs in range(3, 16):
        outputs = gos_predictor.predict(image(gos_predictor), record(gos_predictor, gcs=gcs))
        places = [[each.label for each in labels].index(label) for label in outputs.prediction_set]
        assert places == list(range(places[0], places[-1] + 1))
        assert outputs.label in outputs.prediction_set


def test_a_case_far_from_training_is_flagged_and_abstained(gos_predictor: Predictor) -> None:
    ordinary = gos_predictor.predict(image(gos_predictor), record(gos_predictor, age=64, gcs=12))
    extreme = gos_predictor.predict(image(gos_predictor), record(gos_predictor, age=110, gcs=3))
    assert not ordinary.out_of_distribution.flagged
    assert not ordinary.abstained
    assert extreme.out_of_distribution.flagged
    assert extreme.out_of_distribution.score > extreme.out_of_distribution.threshold
    assert extreme.abstained


def test_a_set_of_every_class_is_an_abstention(gos_predictor: Predictor) -> None:
    even = gos_predictor.predict(image(gos_predictor, -100), record(gos_predictor, age=64, gcs=9))
    assert len(even.prediction_set) == 5
    assert not even.out_of_distribution.flagged
    assert even.abstained


def test_a_batch_is_its_cases_one_by_one(gos_predictor: Predictor) -> None:
    images = [image(gos_predictor, level, seed) for seed, level in enumerate((10, 30, 60))]
    records = [record(gos_predictor, gcs=gcs) for gcs in (3, 9, 15)]
    together = gos_predictor.predict_batch(images, records)
    for scan, known, outputs in zip(images, records, together, strict=True):
        alone = gos_predictor.predict(scan, known)
        assert outputs.label == alone.label
        assert outputs.probabilities == pytest.approx(alone.probabilities, abs=1e-6)
        np.testing.assert_allclose(outputs.heatmap, alone.heatmap, atol=1e-6)


def test_inference_is_timed_and_nothing_waited(gos_predictor: Predictor) -> None:
    outputs = gos_predictor.predict(image(gos_predictor), record(gos_predictor))
    assert outputs.inference_ms > 0
    assert outputs.queue_ms == 0


def test_a_feature_that_nobody_had_in_training_is_taken_as_missing(
    gos_predictor: Predictor, tmp_path: Path
) -> None:
    package = replace(gos_predictor.package, path=tmp_path / "package")
    shutil.copytree(gos_predictor.package.path, package.path)
    never = Share(kind="missing", name="inr", n=40, share=1.0)
    seldom = Share(kind="missing", name="age", n=40, share=0.9)
    summary = TrainingSummary(schema_version=1, distributions=(), shares=(never, seldom))
    (package.path / TRAINING_SUMMARY).write_text(summary.model_dump_json())
    predictor = Predictor(package, gos_predictor.session)
    assert predictor.taken_as(record(predictor, inr=2, age=18)) == {"inr": "missing"}


def test_a_package_that_states_no_limits_takes_every_value_as_it_is(gos_predictor: Predictor) -> None:
    assert gos_predictor.taken_as(record(gos_predictor, inr=20, age=18)) == {}
