from typing import Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.networks.support import FEATURES, batch, category, number
from training.networks.config import EhrConfig
from training.networks.ehr_encoder import EhrEncoder

Kind = Literal["mlp", "tokens"]
KINDS: tuple[Kind, ...] = ("mlp", "tokens")


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=30)
@given(flags=st.lists(st.booleans(), min_size=8, max_size=8))
def test_any_pattern_of_missing_values_gives_a_finite_code_and_gradient(
    kind: Kind, flags: list[bool]
) -> None:
    encoder = EhrEncoder(FEATURES, EhrConfig(kind=kind, width=16))
    missing = torch.tensor(flags, dtype=torch.float32).view(2, 4)
    values = torch.where(missing > 0, float("nan"), torch.tensor([[70.0, 1, 8, 2], [1e6, 0, -1e6, 0]]))
    code = encoder(values, missing)
    code.square().sum().backward()
    assert code.isfinite().all()
    assert all(p.grad.isfinite().all() for p in encoder.parameters() if p.grad is not None)


@pytest.mark.parametrize("kind", KINDS)
def test_every_feature_and_its_absence_can_be_told_from_the_code(kind: Kind) -> None:
    encoder = EhrEncoder(FEATURES, EhrConfig(kind=kind, width=16)).eval()
    values, missing = torch.tensor([[0.5, 0, 0.5, 1]]), torch.zeros(1, 4)
    codes = [encoder(values, missing)]
    for column in range(4):
        other, absent = values.clone(), missing.clone()
        other[0, column] += 1
        absent[0, column] = 1
        codes += [encoder(other, missing), encoder(values, absent)]
    flat = torch.cat(codes)
    distances = torch.cdist(flat, flat) + 10 * torch.eye(len(flat))
    assert distances.min() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_encodes_the_same_alone_as_in_a_batch(kind: Kind) -> None:
    encoder = EhrEncoder(FEATURES, EhrConfig(kind=kind, width=16)).eval()
    _, values, missing = batch(5)
    alone = torch.cat([encoder(values[i : i + 1], missing[i : i + 1]) for i in range(5)])
    torch.testing.assert_close(encoder(values, missing), alone)


def test_the_levels_of_a_category_start_apart_and_centred_on_missing() -> None:
    encoder = EhrEncoder([category("b", "x", "y")], EhrConfig())
    (table,) = [p for name, p in encoder.named_parameters() if "embeddings" in name]
    torch.testing.assert_close(table, torch.tensor([[0.0], [1], [-1]]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("features", [[number("a")], [category("b", "x", "y")]])
def test_one_kind_of_feature_is_enough(kind: Kind, features: list[object]) -> None:
    encoder = EhrEncoder(features, EhrConfig(kind=kind, width=16))  # type: ignore[arg-type]
    assert encoder(torch.ones(3, 1), torch.zeros(3, 1)).shape == (3, 16)
