"""Asking with many records at once is asking with each."""

from collections.abc import Mapping

import numpy as np
import pytest

from app.ehr.encode import EncodedRecord, encode
from app.inference.alternatives import ROWS_AT_ONCE, effects, expectation, predict_alternatives
from app.inference.predictor import Predictor

GOS = {"age": 71, "sex": "female", "gcs": 9, "glucose": {"value": 126, "unit": "mg/dL"}}
AD = {"age": 80, "apoe4_alleles": 2}


def image(predictor: Predictor) -> np.ndarray:
    shape = predictor.package.manifest.image.shape
    return np.random.default_rng(5).normal(30, 20, shape).astype(np.float32)


def encoded(predictor: Predictor, record: Mapping[str, object]) -> EncodedRecord:
    return encode(record, predictor.package.manifest.ehr)


@pytest.mark.parametrize("count", [0, 1, ROWS_AT_ONCE, 2 * ROWS_AT_ONCE + 3])
def test_every_record_gets_the_answer_it_gets_alone_in_its_order(
    gos_predictor: Predictor, count: int
) -> None:
    seen = image(gos_predictor)
    records = [encoded(gos_predictor, {"age": 20 + number}) for number in range(count)]
    together = predict_alternatives(gos_predictor, seen, records)
    assert len(together) == count
    for outputs, record in zip(together, records, strict=True):
        alone = gos_predictor.predict(seen, record)
        assert outputs.probabilities == pytest.approx(alone.probabilities, abs=1e-6)


@pytest.mark.parametrize(("task", "record"), [("gos", GOS), ("ad", AD)])
def test_an_effect_is_the_expectation_less_that_without_the_feature(
    gos_predictor: Predictor, ad_predictor: Predictor, task: str, record: dict[str, object]
) -> None:
    predictor = gos_predictor if task == "gos" else ad_predictor
    seen, sent = image(predictor), encoded(predictor, record)
    answered = predictor.predict(seen, sent)
    found = effects(predictor, seen, sent, answered)
    assert set(found) == set(record)
    for name, effect in found.items():
        rest = encoded(predictor, {other: value for other, value in record.items() if other != name})
        without = predictor.predict(seen, rest)
        assert effect == pytest.approx(expectation(answered) - expectation(without), abs=1e-6)
    assert max(map(abs, found.values())) > 0.01


def test_an_empty_record_has_no_effects(gos_predictor: Predictor) -> None:
    seen, nothing = image(gos_predictor), encoded(gos_predictor, {"age": None})
    assert effects(gos_predictor, seen, nothing, gos_predictor.predict(seen, nothing)) == {}


def test_the_expectation_is_of_a_favourable_outcome_else_of_the_last_class(
    gos_predictor: Predictor, ad_predictor: Predictor
) -> None:
    gos = gos_predictor.predict(image(gos_predictor), encoded(gos_predictor, GOS))
    ad = ad_predictor.predict(image(ad_predictor), encoded(ad_predictor, AD))
    assert expectation(gos) == gos.favourable
    assert expectation(ad) == ad.probabilities["ad"]
