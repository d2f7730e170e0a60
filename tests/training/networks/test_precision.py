import torch

from tests.training.networks.support import FEATURES, batch, small, wake
from training.networks.model import FusionNet
from training.networks.precision import full_precision


def test_inside_autocast_the_region_computes_in_float32() -> None:
    a = torch.randn(4, 4)
    with torch.autocast("cpu", torch.bfloat16):
        assert (a @ a).dtype == torch.bfloat16
        with full_precision(a):
            assert (a @ a).dtype == torch.float32


def test_under_bfloat16_every_output_of_the_network_is_float32_and_close() -> None:
    net = FusionNet(small(), FEATURES).eval()
    wake(net)
    inputs = batch()
    exact = net(*inputs)
    with torch.autocast("cpu", torch.bfloat16):
        short = net(*inputs)
    tensors = (
        short.logits,
        *short.stage_logits,
        *short.gates,
        short.image_share,
        short.embedding,
        short.attention,
    )
    assert {tensor.dtype for tensor in tensors} == {torch.float32}
    torch.testing.assert_close(short.logits, exact.logits, atol=0.1, rtol=0.1)
    assert not torch.equal(short.logits, exact.logits)
