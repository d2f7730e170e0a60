"""An answer that was given is kept with its heatmap; a case that fails leaves nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import nibabel as nib
import numpy as np
import pytest

from app.data_folder.bounded_folders import KeepingLimits
from app.data_folder.case_store import CaseStore
from app.errors import CaseExpiredError, RequestError
from app.imaging.load import load_case
from app.inference.heatmap_choice import HeatmapChoice
from app.inference.predictor import Predictor
from app.inference.ticket import AbandonedError, Ticket, holding
from app.metrics import Metrics
from app.predictions.case import Case
from app.predictions.heatmaps import Heatmaps, HeatmapSuffix
from app.predictions.service import PredictionService
from app.records.artefacts import FolderArtefacts
from app.records.store import RecordStore
from tests.support.records import tables_at


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def cases(tmp_path: Path) -> CaseStore:
    return CaseStore(tmp_path / "cases", KeepingLimits(max_age_s=3600, max_bytes=10**9))


@pytest.fixture
def service(tmp_path: Path, cases: CaseStore, metrics: Metrics) -> Iterator[PredictionService]:
    records = RecordStore(tables_at(tmp_path / "records.sqlite3"))
    heatmaps = Heatmaps(FolderArtefacts(tmp_path))
    yield PredictionService(records.predictions, heatmaps, cases, metrics)
    records.close()


def test_an_answer_is_found_as_it_was_given(
    service: PredictionService, gos_predictor: Predictor, head_ct: Path
) -> None:
    answer = service.predict(Case((head_ct,), {"age": 71}), gos_predictor, waited_s=0.0)
    assert service.find(answer.id) == answer
    for suffix in get_args(HeatmapSuffix):
        with service.heatmap(answer.id, suffix) as path:
            assert path.stat().st_size > 0


@pytest.mark.parametrize(("wish", "files"), [("native", 2), ("model", 2), ("none", 0)])
def test_the_heatmap_folder_holds_exactly_what_was_wished(
    service: PredictionService,
    gos_predictor: Predictor,
    head_ct: Path,
    tmp_path: Path,
    wish: HeatmapChoice,
    files: int,
) -> None:
    answer = service.predict(Case((head_ct,), {}, wish), gos_predictor, waited_s=0.0)
    kept = {path.name for path in (tmp_path / "heatmaps").glob("*")}
    assert kept == ({f"{answer.id}.nii.gz", f"{answer.id}.png"} if files else set())


def test_a_failed_case_leaves_nothing(
    service: PredictionService, gos_predictor: Predictor, tmp_path: Path
) -> None:
    (tmp_path / "words").write_text("no image")
    with pytest.raises(RequestError):
        service.predict(Case((tmp_path / "words",), {}), gos_predictor, waited_s=0.0)
    assert not (tmp_path / "heatmaps").exists()
    assert list((tmp_path / "cases").iterdir()) == []


def test_an_answer_whose_client_went_before_it_was_kept_leaves_nothing(
    service: PredictionService, gos_predictor: Predictor, head_ct: Path, tmp_path: Path
) -> None:
    case, ticket = Case((head_ct,), {"age": 71}, keep_image=True), Ticket()
    ticket.gone.set()
    with holding(ticket), pytest.raises(AbandonedError):
        service.predict(case, gos_predictor, waited_s=0.0)
    assert service.caller(case.id) is None
    assert not (tmp_path / "heatmaps").exists()
    assert list((tmp_path / "cases").iterdir()) == []


def test_the_case_is_kept_as_the_network_saw_it_and_the_record_as_it_was_sent(
    service: PredictionService, cases: CaseStore, gos_predictor: Predictor, head_ct: Path
) -> None:
    record = {"age": 71, "glucose": {"value": 126, "unit": "mg/dL"}, "inr": None}
    answer = service.predict(Case((head_ct,), record), gos_predictor, waited_s=0.0)
    kept, spec = cases.case(answer.id), gos_predictor.package.manifest.image
    assert kept.record == record
    assert np.array_equal(kept.image, load_case((head_ct,), spec).image.array)
    assert not cases.has_image(answer.id)


def test_an_image_is_kept_on_the_grid_of_the_heatmap_only_where_it_is_asked_for(
    service: PredictionService, cases: CaseStore, gos_predictor: Predictor, head_ct: Path
) -> None:
    answer = service.predict(Case((head_ct,), {}, keep_image=True), gos_predictor, waited_s=0.0)
    with cases.image(answer.id) as path:
        image = nib.Nifti1Image.from_filename(path)
    with service.heatmap(answer.id, "nii.gz") as path:
        heatmap = nib.Nifti1Image.from_filename(path)
    assert image.shape == heatmap.shape
    assert np.array_equal(image.affine, heatmap.affine)
    assert np.array_equal(image.get_fdata(), nib.Nifti1Image.from_filename(head_ct).get_fdata())


def test_contributions_are_time_of_the_network(
    service: PredictionService, gos_predictor: Predictor, head_ct: Path, metrics: Metrics
) -> None:
    answer = service.predict(
        Case((head_ct,), {"age": 71, "gcs": 9}, "none", explain="ehr"), gos_predictor, waited_s=0.0
    )
    assert answer.ehr.contributions is not None
    assert [each.name for each in answer.ehr.contributions] == ["age", "gcs"]
    assert metrics.registry.get_sample_value("request_predict_seconds_count", {"model_name": "gos"}) == 1


def test_an_answer_without_heatmap_has_none_to_give(
    service: PredictionService, gos_predictor: Predictor, head_ct: Path
) -> None:
    answer = service.predict(Case((head_ct,), {}, "none"), gos_predictor, waited_s=0.0)
    with pytest.raises(CaseExpiredError), service.heatmap(answer.id, "png"):
        pytest.fail("there was none to give")


def test_waiting_is_part_of_the_queue_and_of_the_total(
    service: PredictionService, gos_predictor: Predictor, head_ct: Path
) -> None:
    timing = service.predict(Case((head_ct,), {}, "none"), gos_predictor, waited_s=7.0).timing_ms
    assert timing.queue == 7000
    # Each stage is rounded to whole milliseconds on its own, the sum once: half a millisecond each.
    assert timing.total >= 7000 + timing.read + timing.resample + timing.inference - 2


def test_every_stage_is_measured_once_per_case(
    service: PredictionService, gos_predictor: Predictor, head_ct: Path, metrics: Metrics
) -> None:
    for _ in range(2):
        service.predict(Case((head_ct,), {}, "none"), gos_predictor, waited_s=1.0)
    for stage in ("preprocess", "predict", "explain", "postprocess"):
        count = metrics.registry.get_sample_value(f"request_{stage}_seconds_count", {"model_name": "gos"})
        assert count == 2, stage
    waited = metrics.registry.get_sample_value("neurofuse_queue_seconds_sum", {"model_name": "gos"})
    assert waited == pytest.approx(2.0, abs=0.01)
