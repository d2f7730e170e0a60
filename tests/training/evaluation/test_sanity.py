"""training.evaluation.sanity, attention_maps and randomisation: what maps depend on, and what they cannot depend on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.evaluation.map_support import GRID, prepared, untrained
from tests.training.networks.support import small
from training.calibrate import Scaling
from training.evaluation.attention_maps import (
    AttentionMaps,
    Subjects,
    attention_maps,
    likeness,
    rank_correlation,
    ssim,
)
from training.evaluation.network_maps import Cases, batches
from training.evaluation.randomisation import (
    NOTHING,
    Cascade,
    parts_backwards,
    randomise_in_cascade,
    shuffle_weights,
)
from training.evaluation.sanity import derangement, record_swap, repeatability
from training.networks.model import FusionNet


@pytest.fixture
def subjects(tmp_path: Path) -> Subjects:
    return Subjects(prepared(tmp_path, 6), np.arange(6), GRID.spacing_mm, Scaling(1.0, 0.0))


def one_case(subjects: Subjects) -> Cases:
    return next(batches(subjects.prepared, subjects.index, 1, torch.device("cpu")))


def cascade(net: FusionNet, subjects: Subjects) -> Cascade:
    return randomise_in_cascade(net, subjects, attention_maps(net, subjects), one_case(subjects))


def test_maps_are_wholly_like_themselves(subjects: Subjects) -> None:
    own = attention_maps(untrained().net, subjects)
    found = likeness(own, own)
    assert found["map_ssim"] == pytest.approx(1, abs=1e-4)
    assert found["map_correlation"] == pytest.approx(1)
    assert (found["peak_shift_mm"] == 0).all()


def test_rank_correlation_is_blind_to_scale_and_minus_one_for_the_reverse() -> None:
    torch.manual_seed(0)
    maps = torch.randn(3, 4, 5, 6)
    assert rank_correlation(maps, 3 * maps.exp()) == pytest.approx(1)
    assert rank_correlation(maps, -maps) == pytest.approx(-1)
    assert np.isnan(rank_correlation(maps, torch.zeros_like(maps))).all()


def test_narrow_maps_narrow_the_window() -> None:
    torch.manual_seed(0)
    maps = torch.rand(2, 1, 4, 9)
    assert ssim(maps, maps) == pytest.approx(1, abs=1e-4)
    assert (ssim(maps, torch.rand(2, 1, 4, 9)) < 0.5).all()


def test_a_peak_that_moves_by_cells_moves_by_their_size() -> None:
    served = torch.zeros(1, 3, 4, 5)
    moved = served.clone()
    served[0, 0, 0, 0], moved[0, 1, 2, 0] = 1, 1
    event = np.zeros(1)
    first, second = (AttentionMaps(one, one, event, (10.0, 5.0, 2.0)) for one in (served, moved))
    assert likeness(first, second)["peak_shift_mm"] == pytest.approx([np.hypot(10, 10)])


def test_the_head_and_the_fusion_cannot_move_attention_but_the_gates_do(subjects: Subjects) -> None:
    """Attention is made before image and record are fused: no path leads back from the answer, or from a later stage, to the map."""
    found = cascade(untrained().net, subjects)
    assert found.randomised[:5] == (
        NOTHING,
        "head",
        "fusion",
        "backbone stages 3 to 4",
        "attention after stage 2",
    )
    assert found.ssim.y[:4] == pytest.approx([1, 1, 1, 1], abs=1e-4)
    assert found.rank.y[:4] == pytest.approx([1, 1, 1, 1])
    assert found.rank.y[4] < 0.99
    assert found.rank.y[-1] < 0.7


def test_the_trained_network_is_left_as_it_is(subjects: Subjects) -> None:
    net = untrained().net
    before = {name: value.clone() for name, value in net.state_dict().items()}
    cascade(net, subjects)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_every_weight_is_randomised_in_the_end(subjects: Subjects) -> None:
    net = untrained().net
    parts = parts_backwards(net, one_case(subjects))
    owned = {name.rpartition(".")[0] for name, _ in net.named_parameters()}
    assert {path for part in parts for path in part.modules} == owned
    assert len({path for part in parts for path in part.modules}) == sum(len(part.modules) for part in parts)


def test_parts_are_named_by_the_stages_between_gates(subjects: Subjects) -> None:
    assert [part.name for part in parts_backwards(untrained().net, one_case(subjects))] == [
        "head",
        "fusion",
        "backbone stages 3 to 4",
        "attention after stage 2",
        "backbone stage 2",
        "attention after stage 1",
        "backbone stage 1",
        "record encoder",
    ]


def test_shuffled_weights_are_the_same_numbers_in_other_places(subjects: Subjects) -> None:
    net = untrained().net
    before = {name: value.clone() for name, value in net.named_parameters()}
    for part in parts_backwards(net, one_case(subjects)):
        shuffle_weights(net, part, torch.Generator().manual_seed(0))
    for name, value in net.named_parameters():
        assert torch.equal(value.flatten().sort().values, before[name].flatten().sort().values)
    assert any(not torch.equal(value, before[name]) for name, value in net.named_parameters())


@pytest.mark.parametrize("count", [2, 3, 10])
def test_nobody_keeps_the_own_record(count: int) -> None:
    for seed in range(5):
        donor = derangement(count, seed)
        assert sorted(donor) == list(range(count))
        assert (donor != np.arange(count)).all()


def test_another_record_moves_the_map_and_the_answer_of_a_network_that_reads_it(subjects: Subjects) -> None:
    net = untrained().net
    found = {
        metric.name: metric.value for metric in record_swap(net, subjects, attention_maps(net, subjects))
    }
    assert found["map_correlation"] < 0.999
    assert found["probability_change"] > 0
    assert found.keys() == {
        "map_ssim",
        "map_correlation",
        "peak_shift_mm",
        "probability_change",
        "map_ssim_between_patients",
        "map_correlation_between_patients",
    }


def test_another_record_leaves_the_map_of_gates_that_do_not_see_it(subjects: Subjects) -> None:
    config = small("concat")
    net = untrained(replace(config, mma=replace(config.mma, use_ehr=False))).net
    found = {
        metric.name: metric.value for metric in record_swap(net, subjects, attention_maps(net, subjects))
    }
    assert found["map_correlation"] == pytest.approx(1)
    assert found["peak_shift_mm"] == 0
    assert found["probability_change"] > 0


def test_two_runs_agree_as_far_as_their_maps_do(subjects: Subjects) -> None:
    first, again, other = (attention_maps(untrained(seed=seed).net, subjects) for seed in (0, 0, 1))
    same = {metric.name: metric.value for metric in repeatability(first, again)}
    different = {metric.name: metric.value for metric in repeatability(first, other)}
    assert same["map_correlation"] == pytest.approx(1)
    assert same["probability_change"] == 0
    assert different["map_correlation"] < 0.9
