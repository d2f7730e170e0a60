import gzip
from pathlib import Path

import numpy as np
import pytest

from app.errors import EhrInvalidError, ImageError, RequestError
from app.imaging.resample import heatmap_to_patient_grid
from app.imaging.volume import Grid
from app.inference.case import analyse, heatmap_grid, peak_mm
from app.inference.heatmap_choice import HeatmapChoice
from app.inference.predictor import Predictor
from app.model_package.manifest import Heatmap
from tests.support.synthetic_head import SPOT_MM
from tests.support.synthetic_head import affine as head_affine

RECORD = {"age": 71, "gcs": 9, "glucose": {"value": 150, "unit": "mg/dL"}}
STAGES = ["read", "resample", "queue", "inference", "heatmap", "total"]


def test_a_case_is_answered_from_file_and_record(gos_predictor: Predictor, head_ct: Path) -> None:
    analysis = analyse([head_ct], RECORD, gos_predictor)
    assert analysis.package is gos_predictor.package
    assert sum(analysis.outputs.probabilities.values()) == pytest.approx(1, abs=1e-6)
    statuses = {use.name: use.status for use in analysis.record.features}
    assert (statuses["age"], statuses["glucose"], statuses["inr"]) == ("used", "converted", "missing")
    assert analysis.image.array.shape == (16, 44, 36)


def test_the_native_heatmap_lies_on_the_patients_own_grid(gos_predictor: Predictor, head_ct: Path) -> None:
    analysis = analyse([head_ct], RECORD, gos_predictor, heatmap="native")
    assert analysis.shown_on is analysis.volume.grid
    assert analysis.volume.grid.shape == (96, 96, 32)
    np.testing.assert_allclose(analysis.volume.grid.affine, head_affine(), atol=1e-5)


def test_the_model_heatmap_lies_on_the_network_s_grid(gos_predictor: Predictor, head_ct: Path) -> None:
    analysis = analyse([head_ct], RECORD, gos_predictor, heatmap="model")
    assert analysis.shown_on is analysis.heatmap_grid
    assert analysis.heatmap_grid.shape == analysis.outputs.heatmap.shape
    assert analysis.heatmap_grid.spacing_mm == pytest.approx((40, 20, 20))


def test_no_heatmap_is_shown_where_none_is_asked_for(gos_predictor: Predictor, head_ct: Path) -> None:
    assert analyse([head_ct], RECORD, gos_predictor, heatmap="none").shown_on is None


def test_the_heatmaps_peak_lies_where_the_bleed_is(gos_predictor: Predictor, head_ct: Path) -> None:
    """Geometry through meaning: the brightest spot of the patient is found again, in millimetres, on both grids."""
    analysis = analyse([head_ct], RECORD, gos_predictor, heatmap="native")
    half_voxel_mm = np.array([10, 10, 20])
    assert (np.abs(np.array(analysis.heatmap_peak_mm) - SPOT_MM) <= half_voxel_mm).all()
    grid = analysis.volume.grid
    native = peak_mm(heatmap_to_patient_grid(analysis.outputs.heatmap, analysis.heatmap_grid, grid), grid)
    assert (np.abs(np.array(native) - SPOT_MM) <= half_voxel_mm).all()


def test_the_answer_does_not_depend_on_which_heatmap_is_shown(
    gos_predictor: Predictor, head_ct: Path
) -> None:
    choices: list[HeatmapChoice] = ["native", "model", "none"]
    first, *others = (analyse([head_ct], RECORD, gos_predictor, choice) for choice in choices)
    for other in others:
        assert other.outputs.probabilities == first.outputs.probabilities
        assert other.heatmap_peak_mm == first.heatmap_peak_mm


def test_compression_does_not_change_the_answer(
    gos_predictor: Predictor, head_ct: Path, tmp_path: Path
) -> None:
    plain = tmp_path / "head.nii"
    plain.write_bytes(gzip.decompress(head_ct.read_bytes()))
    packed, unpacked = (analyse([path], RECORD, gos_predictor) for path in (head_ct, plain))
    assert packed.outputs.probabilities == unpacked.outputs.probabilities


def test_mri_is_answered_too(ad_predictor: Predictor, head_mr: Path) -> None:
    analysis = analyse([head_mr], {"age": 71, "apoe4_alleles": 1}, ad_predictor)
    assert analysis.outputs.favourable is None
    assert analysis.shown_on is analysis.volume.grid


def test_an_empty_record_gets_an_answer_from_the_image(gos_predictor: Predictor, head_ct: Path) -> None:
    assert analyse([head_ct], {}, gos_predictor).outputs.label.startswith("gos_")


def test_every_stage_is_timed_in_the_order_of_the_contract(gos_predictor: Predictor, head_ct: Path) -> None:
    timing = analyse([head_ct], RECORD, gos_predictor).timing_ms
    assert list(timing) == STAGES
    assert all(value >= 0 for value in timing.values())
    assert timing["total"] >= sum(timing[stage] for stage in STAGES[:-1] if stage != "queue")


def test_a_bad_record_is_refused_before_the_image_is_read(gos_predictor: Predictor, tmp_path: Path) -> None:
    with pytest.raises(EhrInvalidError):
        analyse([tmp_path / "absent.nii"], {"gcs": 99}, gos_predictor)


def test_a_damaged_image_is_refused_by_name(gos_predictor: Predictor, head_ct: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "head.nii.gz"
    damaged.write_bytes(head_ct.read_bytes()[:2000])
    with pytest.raises(ImageError):
        analyse([damaged], RECORD, gos_predictor)


def test_a_text_file_is_refused_by_name(gos_predictor: Predictor, tmp_path: Path) -> None:
    text = tmp_path / "head.nii"
    text.write_text("not an image")
    with pytest.raises(RequestError):
        analyse([text], RECORD, gos_predictor)


def test_a_real_head_ct_is_answered_on_its_own_grid(gos_predictor: Predictor, samples: Path) -> None:
    analysis = analyse(sorted((samples / "ct-head-ge").iterdir()), RECORD, gos_predictor)
    assert analysis.shown_on is analysis.volume.grid
    assert analysis.shown_on.shape[0] == 512
    assert analysis.shown_on.shape[1] >= 512  # a tilted gantry shears the stack: the corrected grid is longer
    assert "gantry-tilt-corrected" in {finding.code for finding in analysis.volume.findings}


def test_the_heatmap_grid_puts_a_pooled_voxel_in_the_middle_of_what_it_pools() -> None:
    model = Grid((4, 4, 4), np.diag([10.0, 5.0, 5.0, 1.0]))
    pooled = Heatmap(
        shape=(2, 2, 2), to_model_grid=((2, 0, 0, 0.5), (0, 2, 0, 0.5), (0, 0, 2, 0.5), (0, 0, 0, 1))
    )
    grid = heatmap_grid(model, pooled)
    assert grid.shape == (2, 2, 2)
    np.testing.assert_allclose(grid.affine @ [0, 0, 0, 1], [5, 2.5, 2.5, 1])
    np.testing.assert_allclose(grid.affine @ [1, 1, 1, 1], [25, 12.5, 12.5, 1])


def test_the_peak_is_the_millimetre_of_the_highest_voxel() -> None:
    heatmap = np.zeros((3, 4, 5), np.float32)
    heatmap[2, 1, 3] = 1
    affine = np.array([[0.0, 0, 2, -1], [0, 3, 0, -2], [4, 0, 0, -3], [0, 0, 0, 1]])
    assert peak_mm(heatmap, Grid((3, 4, 5), affine)) == (5, 1, 5)
