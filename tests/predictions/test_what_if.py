"""A kept case asked again gives the answer where nothing changed, and follows what did."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.data_folder.bounded_folders import KeepingLimits
from app.data_folder.case_store import CaseStore
from app.errors import CaseExpiredError, EhrInvalidError, UnknownModelError, UnknownPredictionError
from app.metrics import Metrics
from app.model_package.package import open_package, seal
from app.model_package.store import ModelStore
from app.model_package.training_summary import TRAINING_SUMMARY, Distribution, TrainingSummary
from app.predictions.answer import Answer
from app.predictions.case import Case
from app.predictions.heatmaps import Heatmaps
from app.predictions.service import PredictionService
from app.predictions.what_if import KeptCases
from app.records.artefacts import FolderArtefacts
from app.records.store import RecordStore
from app.serving.catalogue import Catalogue
from app.serving.entry import require_ready
from app.serving.start import start_with
from tests.support.records import tables_at
from tests.support.tiny_package import build_tiny_package

RECORD: dict[str, Any] = {"age": 71, "sex": "female", "gcs": 9, "glucose": {"value": 126, "unit": "mg/dL"}}


class House:
    """The parts around kept cases, with the tiny packages.

    Attributes:
        now_s: Time as the stores see it.
    """

    def __init__(self, folder: Path, store: Path) -> None:
        self.now_s = 0.0
        self.metrics = Metrics()
        self.catalogue = Catalogue(ModelStore(store), start_with("cpu", 1))
        self.catalogue.load()
        self.records = RecordStore(tables_at(folder / "records.sqlite3"))
        self.cases = CaseStore(folder / "cases", KeepingLimits(3600, 10**9), lambda: self.now_s)
        self.predictions = PredictionService(
            self.records.predictions,
            Heatmaps(FolderArtefacts(folder)),
            self.cases,
            self.metrics,
        )
        self.kept = KeptCases(self.predictions, self.cases, self.catalogue, self.metrics)

    def answer(self, image: Path, record: dict[str, Any], model: str = "gos@1") -> Answer:
        predictor = require_ready(self.catalogue.entry(model))
        return self.predictions.predict(Case((image,), record, "none", explain="ehr"), predictor, 0.0)


@pytest.fixture(scope="module")
def house(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"), tiny_store)
    yield made
    made.records.close()


@pytest.fixture(scope="module")
def answer(house: House, head_ct: Path) -> Answer:
    return house.answer(head_ct, RECORD)


def without(name: str) -> dict[str, Any]:
    return {other: value for other, value in RECORD.items() if other != name}


@pytest.mark.parametrize("record", [RECORD, {}, {"age": 20}])
def test_the_record_that_was_sent_gives_exactly_the_answer(
    house: House, head_ct: Path, record: dict[str, Any]
) -> None:
    given = house.answer(head_ct, record)
    again = house.kept.what_if(given.id, house.kept.record(given.id).ehr, "ehr", 0.0)
    assert again.prediction == given.prediction
    assert again.ehr == given.ehr


def test_another_record_gives_what_that_record_would_have_been_answered(
    house: House, head_ct: Path, answer: Answer
) -> None:
    other = {"age": 25, "gcs": 15}
    sent = house.answer(head_ct, other)
    asked = house.kept.what_if(answer.id, other, "none", 0.0)
    assert asked.prediction == sent.prediction != answer.prediction
    assert asked.ehr.contributions is None


def test_a_contribution_is_the_difference_of_two_what_ifs(house: House, answer: Answer) -> None:
    assert answer.ehr.contributions is not None
    assert [each.name for each in answer.ehr.contributions] == list(RECORD)
    for each in answer.ehr.contributions:
        other = house.kept.what_if(answer.id, without(each.name), "none", 0.0).prediction.favourable
        assert answer.prediction.favourable is not None
        assert other is not None
        assert each.effect == pytest.approx(answer.prediction.favourable - other, abs=1e-6)


@pytest.mark.parametrize("points", [2, 5, 21])
def test_a_curve_runs_over_the_plausible_range_and_each_point_is_a_what_if(
    house: House, answer: Answer, points: int
) -> None:
    curve = house.kept.curve(answer.id, RECORD, "age", points, 0.0)
    assert (curve.feature, curve.unit) == ("age", "a")
    assert (curve.values[0], curve.values[-1], len(curve.values)) == (18, 110, points)
    assert len(curve.outcomes) == points
    for value, outcome in list(zip(curve.values, curve.outcomes, strict=True))[:: points - 1]:
        asked = house.kept.what_if(answer.id, {**RECORD, "age": value}, "none", 0.0).prediction
        assert outcome.probabilities == pytest.approx(asked.probabilities, abs=1e-6)
        assert outcome.favourable == pytest.approx(asked.favourable, abs=1e-6)
    missing = house.kept.what_if(answer.id, without("age"), "none", 0.0).prediction
    assert curve.missing.probabilities == pytest.approx(missing.probabilities, abs=1e-6)


@pytest.mark.parametrize(
    ("points", "values"), [(101, [*range(3, 16)]), (3, [3, 9, 15]), (6, [3, 5, 8, 10, 13, 15])]
)
def test_a_curve_over_a_whole_number_has_no_part_of_one(
    house: House, answer: Answer, points: int, values: list[int]
) -> None:
    curve = house.kept.curve(answer.id, RECORD, "gcs", points, 0.0)
    assert curve.values == values
    assert len(curve.outcomes) == len(values)


def test_a_curve_over_a_category_has_a_point_for_each(house: House, answer: Answer) -> None:
    curve = house.kept.curve(answer.id, RECORD, "sex", 50, 0.0)
    assert (curve.values, curve.unit) == (["female", "male"], None)
    assert len(curve.outcomes) == 2


def test_a_curve_does_not_heed_what_the_record_says_of_its_feature(house: House, answer: Answer) -> None:
    curves = [house.kept.curve(answer.id, record, "age", 3, 0.0) for record in (RECORD, without("age"))]
    assert curves[0] == curves[1]


def test_a_task_without_a_favourable_outcome_is_followed_by_its_probabilities(
    house: House, head_mr: Path
) -> None:
    given = house.answer(head_mr, {"age": 80, "apoe4_alleles": 2}, "ad")
    curve = house.kept.curve(given.id, {"age": 80}, "apoe4_alleles", 3, 0.0)
    assert {point.favourable for point in curve.outcomes} == {None}
    assert curve.outcomes[-1].probabilities["ad"] > curve.outcomes[0].probabilities["ad"]


@pytest.mark.parametrize("record", [{"age": 7100}, {"unknown": 1}, {"glucose": {"value": 1, "unit": "moon"}}])
def test_a_record_that_cannot_be_used_is_refused_as_in_predict(
    house: House, answer: Answer, record: dict[str, Any]
) -> None:
    with pytest.raises(EhrInvalidError):
        house.kept.what_if(answer.id, record, "none", 0.0)
    with pytest.raises(EhrInvalidError):
        house.kept.curve(answer.id, record, "age", 3, 0.0)


def test_a_curve_over_no_feature_of_the_model_names_those_there_are(house: House, answer: Answer) -> None:
    with pytest.raises(EhrInvalidError) as refused:
        house.kept.curve(answer.id, RECORD, "moon", 3, 0.0)
    assert refused.value.fields["known"][:2] == ["age", "sex"]


def test_questions_are_measured_as_time_of_the_network(house: House, answer: Answer) -> None:
    def count(stage: str) -> float:
        return house.metrics.registry.get_sample_value(f"{stage}_seconds_count", {"model_name": "gos"}) or 0

    before = [count(stage) for stage in ("request_predict", "neurofuse_queue", "request_preprocess")]
    house.kept.what_if(answer.id, RECORD, "none", 0.0)
    house.kept.curve(answer.id, RECORD, "age", 3, 0.0)
    after = [count(stage) for stage in ("request_predict", "neurofuse_queue", "request_preprocess")]
    assert [b - a for a, b in zip(before, after, strict=True)] == [2, 2, 0]


def test_an_answer_without_its_case_has_expired_and_an_unknown_one_is_unknown(
    house: House, head_ct: Path
) -> None:
    given = house.answer(head_ct, RECORD)
    house.cases.delete(given.id)
    for prediction_id, error in ((given.id, CaseExpiredError), ("absent", UnknownPredictionError)):
        with pytest.raises(error):
            house.kept.what_if(prediction_id, RECORD, "none", 0.0)
        with pytest.raises(error):
            house.kept.curve(prediction_id, RECORD, "age", 3, 0.0)
        with pytest.raises(error):
            house.kept.record(prediction_id)
        with pytest.raises(error), house.kept.image(prediction_id):
            pass


def test_a_package_that_is_no_longer_served_is_unknown(house: House, head_ct: Path, tmp_path: Path) -> None:
    given = house.answer(head_ct, RECORD)
    emptied = Catalogue(ModelStore(tmp_path), start_with("cpu", 1))
    kept = KeptCases(house.predictions, house.cases, emptied, house.metrics)
    with pytest.raises(UnknownModelError):
        kept.what_if(given.id, RECORD, "none", 0.0)


def test_a_version_that_is_now_another_package_does_not_answer_for_the_old_one(
    house: House, head_ct: Path, tmp_path: Path
) -> None:
    given = house.answer(head_ct, RECORD)
    built = tmp_path / "store"
    build_tiny_package(built, "ad", name="gos", version=1)
    changed = Catalogue(ModelStore(built), start_with("cpu", 1))
    changed.load()
    kept = KeptCases(house.predictions, house.cases, changed, house.metrics)
    with pytest.raises(CaseExpiredError):
        kept.what_if(given.id, {}, "none", 0.0)


def test_a_value_beyond_training_is_said_by_the_answer_by_what_if_and_by_the_curve(
    head_ct: Path, tmp_path: Path
) -> None:
    package = open_package(build_tiny_package(tmp_path / "store"))
    age = Distribution(kind="record", name="age", n=40, edges=(60.0,), shares=(0.5, 0.5), limits=(40.0, 80.0))
    summary = TrainingSummary(schema_version=1, distributions=(age,), shares=())
    (package.path / TRAINING_SUMMARY).write_text(summary.model_dump_json())
    seal(package.path, package.manifest)
    house = House(tmp_path, tmp_path / "store")
    given = house.answer(head_ct, {"age": 25, "gcs": 9})
    usual = house.kept.what_if(given.id, {"age": 60}, "none", 0.0)
    again = house.kept.what_if(given.id, {"age": 90}, "none", 0.0)
    curve = house.kept.curve(given.id, {}, "age", 93, 0.0)
    house.records.close()
    assert "beyond-training" in {caution.code for caution in given.warnings}
    found = [used.ehr.features[0].taken_as for used in (given, usual, again)]
    assert found == [40.0, None, 80.0]
    taken = dict(zip(curve.values, curve.taken_as, strict=True))
    assert [taken[age] for age in (18.0, 40.0, 80.0, 110.0)] == [40.0, None, None, 80.0]
