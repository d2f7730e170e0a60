"""A kept case asked again: its own tensor, another record; nothing of it is kept."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from app.data_folder.case_store import CaseStore
from app.ehr.encode import EncodedRecord, encode
from app.ehr.schema import EhrSchema, Feature
from app.ehr.variation import with_value, without
from app.errors import CaseExpiredError, EhrInvalidError
from app.inference.alternatives import effects, predict_alternatives
from app.inference.predictor import ModelArray, Outputs, Predictor
from app.metrics import Metrics
from app.predictions.answer import Answer
from app.predictions.case import ExplainChoice
from app.predictions.service import PredictionService
from app.predictions.summary import outcome, record_used
from app.predictions.what_if_answer import Curve, CurvePoint, RecordSent, WhatIf
from app.serving.catalogue import Catalogue
from app.serving.entry import require_ready


class KeptCases:
    """Asks kept cases again.

    Args:
        predictions: Finds answers.
        cases: Finds what is kept of their cases.
        catalogue: Finds the packages that gave them.
        metrics: Where stages are measured.
    """

    def __init__(
        self, predictions: PredictionService, cases: CaseStore, catalogue: Catalogue, metrics: Metrics
    ) -> None:
        self._predictions = predictions
        self._cases = cases
        self._catalogue = catalogue
        self._metrics = metrics

    def what_if(
        self, prediction_id: str, record: Mapping[str, object], explain: ExplainChoice, waited_s: float
    ) -> WhatIf:
        """Answer a kept case with another record.

        Args:
            prediction_id: Of the answer.
            record: Feature name to value, whole: nothing is taken from the record that was sent.
            explain: Whether the contribution of each feature is wanted.
            waited_s: Seconds it waited for its turn.

        Raises:
            UnknownPredictionError: None has this id.
            UnknownModelError: Its package went out of the store.
            CaseExpiredError: Its case is no longer kept, or its version is another package by now.
            RecordError: The record cannot be used.
            ServiceError: The model cannot answer now.
        """
        predictor, image = self._found(prediction_id)
        encoded = encode(record, predictor.package.manifest.ehr)
        began = time.perf_counter()
        outputs = predictor.predict(image, encoded)
        found = effects(predictor, image, encoded, outputs) if explain == "ehr" else None
        self._observe(predictor, waited_s, time.perf_counter() - began)
        used = record_used(encoded, outputs, predictor.taken_as(encoded), found)
        return WhatIf(id=prediction_id, prediction=outcome(outputs), ehr=used)

    def curve(
        self, prediction_id: str, record: Mapping[str, object], name: str, points: int, waited_s: float
    ) -> Curve:
        """Follow the answer of a kept case over one feature of a record.

        Args:
            prediction_id: Of the answer.
            record: The record around the feature.
            name: Of the feature; what the record says of it does not matter.
            points: Values over the plausible range of a number; a whole number has no more than there are, a category one each.
            waited_s: Seconds it waited for its turn.

        Raises:
            NeuroFuseError: As `what_if`.
        """
        predictor, image = self._found(prediction_id)
        schema = predictor.package.manifest.ehr
        index = _index(schema, name)
        feature = schema.features[index]
        encoded = encode(record, schema)
        values = _values(feature, points)
        varied = _varied(encoded, index, feature, values)
        began = time.perf_counter()
        missing, *outcomes = predict_alternatives(predictor, image, varied)
        self._observe(predictor, waited_s, time.perf_counter() - began)
        return Curve(
            feature=name,
            unit=feature.unit,
            values=values,
            missing=_point(missing),
            outcomes=[_point(outputs) for outputs in outcomes],
            taken_as=[predictor.taken_as(one).get(name) for one in varied[1:]],
        )

    def record(self, prediction_id: str) -> RecordSent:
        """The record of a kept case, as it was sent.

        Raises:
            UnknownPredictionError: None has this id.
            CaseExpiredError: It is no longer kept.
        """
        self._predictions.find(prediction_id)
        return RecordSent(ehr=dict(self._cases.case(prediction_id).record))

    @contextmanager
    def image(self, prediction_id: str) -> Iterator[Path]:
        """The image file of a kept case, which stays while the block runs.

        Raises:
            UnknownPredictionError: None has this id.
            CaseExpiredError: It is no longer kept, or never was.
        """
        self._predictions.find(prediction_id)
        with self._cases.image(prediction_id) as path:
            yield path

    def _found(self, prediction_id: str) -> tuple[Predictor, ModelArray]:
        answer = self._predictions.find(prediction_id)
        image = self._cases.case(prediction_id).image
        return self._predictor(answer), image

    def _predictor(self, answer: Answer) -> Predictor:
        predictor = require_ready(self._catalogue.entry(f"{answer.model.name}@{answer.model.version}"))
        if predictor.package.sha256 != answer.model.sha256:
            raise CaseExpiredError(
                "Expected the package that gave this answer; its version is now another one. Predict again."
            )
        return predictor

    def _observe(self, predictor: Predictor, waited_s: float, predicted_s: float) -> None:
        name = predictor.package.manifest.name
        self._metrics.queue.labels(name).observe(waited_s)
        self._metrics.predict.labels(name).observe(predicted_s)


def _index(schema: EhrSchema, name: str) -> int:
    names = [feature.name for feature in schema.features]
    if name not in names:
        raise EhrInvalidError(
            "Expected `feature` to be one of this model's; GET /models/{name}/ehr-schema lists them.",
            known=names,
        )
    return names.index(name)


def _values(feature: Feature, points: int) -> list[float | str]:
    if feature.plausible_range is None:
        return list(feature.categories)
    low, high = feature.plausible_range
    if feature.is_whole:
        steps = np.linspace(math.ceil(low), math.floor(high), points)
        return [float(value) for value in np.unique(steps.round())]
    return [float(value) for value in np.linspace(low, high, points)]


def _varied(
    record: EncodedRecord, index: int, feature: Feature, values: Sequence[float | str]
) -> list[EncodedRecord]:
    """The record with the feature missing, then with each value."""
    return [without(record, index), *(with_value(record, index, feature, value) for value in values)]


def _point(outputs: Outputs) -> CurvePoint:
    return CurvePoint(favourable=outputs.favourable, probabilities=outputs.probabilities)
