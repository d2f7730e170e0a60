"""Which rows of the model table a service can answer with."""

import pytest

from tests.training.networks.support import FEATURES
from training.networks.config import ModelConfig
from training.networks.model import FusionNet
from training.networks.rows import row
from training.packaging.served import why_not_served


@pytest.mark.parametrize(
    ("name", "images", "words"),
    [
        ("mma+mhgmu", 1, ""),
        ("concat", 1, "a spatial gate and a gated fusion"),
        ("mma", 1, "a spatial gate and a gated fusion"),
        ("mhgmu", 1, "a spatial gate and a gated fusion"),
        ("mma+mhgmu", 3, "found 3 image columns"),
    ],
)
def test_a_service_answers_with_gates_a_gated_fusion_and_one_volume(
    name: str, images: int, words: str
) -> None:
    why_not = why_not_served(FusionNet(row(ModelConfig(), name), FEATURES), images)
    assert words in why_not
    assert bool(why_not) is bool(words)
