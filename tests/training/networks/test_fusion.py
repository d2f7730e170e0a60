import pytest
import torch

from training.networks.config import GmuConfig
from training.networks.rivals import FUSIONS

CONFIG = GmuConfig(width=16, heads=4)


@pytest.mark.parametrize("kind", FUSIONS)
def test_each_fusion_announces_the_width_and_heads_it_has(kind: str) -> None:
    fusion = FUSIONS[kind](10, 6, CONFIG)
    h, share = fusion(torch.randn(3, 10), torch.randn(3, 6))
    assert (h.shape, share.shape) == ((3, fusion.width), (3, fusion.heads))
    assert ((share >= 0) & (share <= 1)).all()


@pytest.mark.parametrize(
    ("kind", "width", "heads"),
    [
        ("image", 10, 0),
        ("record", 6, 0),
        ("late", 16, 0),
        ("concat", 16, 0),
        ("gmu", 16, 1),
        ("mhgmu", 16, 4),
    ],
)
def test_the_fusions_have_the_widths_of_the_model_table(kind: str, width: int, heads: int) -> None:
    fusion = FUSIONS[kind](10, 6, CONFIG)
    assert (fusion.width, fusion.heads) == (width, heads)


@pytest.mark.parametrize(
    ("kind", "image", "record"),
    [("image", True, False), ("record", False, True), ("late", True, True), ("concat", True, True)],
)
def test_each_row_uses_what_it_says(kind: str, image: bool, record: bool) -> None:
    fusion = FUSIONS[kind](10, 6, CONFIG)
    v, e = torch.randn(3, 10), torch.randn(3, 6)
    h = fusion(v, e)[0]
    assert torch.equal(fusion(torch.randn(3, 10), e)[0], h) is not image
    assert torch.equal(fusion(v, torch.randn(3, 6))[0], h) is not record


def test_a_linear_head_on_late_fusion_is_the_mean_of_two_heads() -> None:
    fusion = FUSIONS["late"](10, 6, CONFIG)
    head = torch.nn.Linear(fusion.width, 1, bias=False)
    v, e = torch.randn(3, 10), torch.randn(3, 6)
    image_logit, record_logit = v @ (2 * head.weight[0, :10]), e @ (2 * head.weight[0, 10:])
    torch.testing.assert_close(head(fusion(v, e)[0])[:, 0], (image_logit + record_logit) / 2)
