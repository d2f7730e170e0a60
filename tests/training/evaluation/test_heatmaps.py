"""training.evaluation.heatmaps: every network gets what applies to it, and nothing is guessed."""

from dataclasses import replace
from pathlib import Path

from tests.training.evaluation.map_support import prepared, untrained
from tests.training.networks.support import on, small
from training.calibrate import Scaling
from training.cohort import Split
from training.evaluation.budget import Budget
from training.evaluation.document import Heatmaps
from training.evaluation.heatmaps import judge_heatmaps
from training.evaluation.map_overlap import THRESHOLDS
from training.evaluation.network_maps import ATTENTION, GRAD_CAM_FINEST, GRAD_CAM_LAST, RECORD_EFFECT
from training.prepare import PreparedSet

FEW = Budget.limited(3)
PLAIN = Scaling(1.0, 0.0)
BASELINES = {"Centre Gaussian", "Head", "CT 50-90 HU"}
OVERLAP = {"pointing", "pointing_strict", "relevance_mass", "relevance_rank", "auprc", "dice"}


def parts(folder: Path, *, masks: bool = True) -> dict[Split, PreparedSet]:
    sizes: dict[Split, int] = {"train": 6, "validation": 3, "calibration": 3, "test": 4}
    return {split: prepared(folder / split, count, masks=masks, seed=count) for split, count in sizes.items()}


def named(chapter: Heatmaps | None) -> dict[str, set[str]]:
    assert chapter is not None
    return {method.name: {metric.name for metric in method.metrics} for method in chapter.methods}


def test_the_full_model_is_judged_by_everything(tmp_path: Path) -> None:
    run = untrained()
    chapter = judge_heatmaps(run, parts(tmp_path), PLAIN, FEW, second=untrained(seed=1).net)
    found = named(chapter)
    ours = {ATTENTION, RECORD_EFFECT, GRAD_CAM_LAST, GRAD_CAM_FINEST}
    assert found.keys() == ours | BASELINES | {"Random order"}
    assert found[ATTENTION] >= OVERLAP | {"deletion", "insertion", "deletion_gain"}
    assert found["Head"] == OVERLAP
    assert chapter is not None
    assert chapter.n == 3
    assert chapter.chance is not None
    assert 0 < chapter.chance < 0.1
    assert chapter.randomisation is not None
    assert len(chapter.randomisation.x) == len(chapter.randomised)
    assert chapter.record_swap
    assert chapter.repeatability
    assert all(method.dice_threshold in {None, *THRESHOLDS} for method in chapter.methods)


def test_a_threshold_finds_lesions_drawn_to_be_found(tmp_path: Path) -> None:
    chapter = judge_heatmaps(untrained(small("image")), parts(tmp_path), PLAIN, FEW)
    assert chapter is not None
    threshold = next(method for method in chapter.methods if method.name == "CT 50-90 HU")
    values = {metric.name: metric.value for metric in threshold.metrics}
    assert values["relevance_mass"] > 0.95
    assert values["dice"] > 0.95


def test_without_masks_only_what_needs_none_is_filled(tmp_path: Path) -> None:
    chapter = judge_heatmaps(untrained(), parts(tmp_path, masks=False), PLAIN, FEW)
    assert chapter is not None
    assert (chapter.n, chapter.chance) == (0, None)
    assert named(chapter).keys() == {ATTENTION, GRAD_CAM_LAST, "Random order"}
    assert chapter.randomised
    assert chapter.record_swap
    assert chapter.repeatability == ()


def test_without_gates_grad_cam_is_left(tmp_path: Path) -> None:
    chapter = judge_heatmaps(untrained(small("image")), parts(tmp_path), PLAIN, FEW)
    assert named(chapter).keys() == {GRAD_CAM_LAST, "Random order"} | BASELINES
    assert chapter is not None
    assert (chapter.randomisation, chapter.randomised, chapter.record_swap) == (None, (), ())


def test_gates_that_do_not_see_the_record_have_no_record_effect(tmp_path: Path) -> None:
    config = small("concat")
    blind = untrained(replace(config, mma=replace(config.mma, use_ehr=False)))
    assert RECORD_EFFECT not in named(judge_heatmaps(blind, parts(tmp_path), PLAIN, FEW))


def test_a_network_of_slices_is_judged_on_volumes(tmp_path: Path) -> None:
    found = named(judge_heatmaps(untrained(on("resnet10", dims=2)), parts(tmp_path), PLAIN, FEW))
    assert found[ATTENTION] >= OVERLAP | {"deletion"}
    assert found[RECORD_EFFECT] >= OVERLAP


def test_a_record_alone_has_no_maps(tmp_path: Path) -> None:
    assert judge_heatmaps(untrained(small("record")), parts(tmp_path), PLAIN, FEW) is None


def test_a_budget_limits_every_check_and_raises_none() -> None:
    assert Budget.limited(5) == Budget(masked=5, threshold=5, sanity=5, faithfulness=5, robustness=5)
    assert Budget.limited(10_000) == Budget()
