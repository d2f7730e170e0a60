from dataclasses import replace

import pytest
import torch

from tests.training.networks.support import FEATURES, batch, small
from training.networks.config import MmaConfig
from training.networks.losses import outcome_loss
from training.networks.model import FusionNet
from training.networks.rows import ROWS, row


@pytest.mark.parametrize("name", ROWS)
def test_every_row_can_be_built_and_run(name: str) -> None:
    assert FusionNet(row(small(), name), FEATURES).eval()(*batch(2)).logits.shape == (2, 4)


@pytest.mark.parametrize("name", ROWS)
def test_a_gradient_reaches_every_parameter_that_is_trained(name: str) -> None:
    """Several processes wait for each of them, and a table counts them."""
    net = FusionNet(row(small(), name), FEATURES).train()
    torch.autograd.backward(outcome_loss(net(*batch(8)).logits, torch.arange(8) % 5, "ordinal5"))
    trained = {path: each for path, each in net.named_parameters() if each.requires_grad}
    assert [path for path, each in trained.items() if each.grad is None] == []
    assert net.trained_numbers == sum(each.numel() for each in trained.values())


@pytest.mark.parametrize("name", ROWS)
def test_a_row_changes_fusion_and_modulation_and_nothing_else(name: str) -> None:
    base, made = small(), row(small(), name)
    kept = ("intensity", "backbone", "ehr", "gmu", "head")
    assert [getattr(made, part) for part in kept] == [getattr(base, part) for part in kept]


def test_only_the_rows_with_attention_have_gates() -> None:
    gated = {name for name in ROWS if row(small(), name).mma.active}
    assert gated == {
        "mma",
        "mma-noehr",
        "mma-spatial",
        "mma+mhgmu",
        "mma+mhgmu-unguided",
        "cbam",
        "tabattention",
    }


def test_the_full_row_without_masks_is_the_same_network() -> None:
    """What tells the two rows apart is the loss alone, so that their difference is what the masks add."""
    guided, unguided = row(small(), "mma+mhgmu"), row(small(), "mma+mhgmu-unguided")
    assert replace(unguided, mma=replace(unguided.mma, guided=True)) == guided
    assert not unguided.mma.guided


def test_the_full_row_is_the_base_itself() -> None:
    base = small(mma=MmaConfig(stages=(1, 2), kernel=(3, 3, 3)))
    assert row(base, "mma+mhgmu") == base


def test_a_row_made_of_another_row_is_the_row_itself() -> None:
    """Whatever the base was last used for, but for the gates, which a row without them switches off."""
    base = row(small(), "tabattention")
    assert row(base, "mma+mhgmu") == small()
    assert row(base, "daft") == row(small(), "daft")
