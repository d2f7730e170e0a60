"""How this patient's record moves attention: the spatial logits against those of other patients' records."""

import torch
from torch import Tensor

from training.networks.attention import combine
from training.networks.mma import Gated
from training.networks.model import FusionNet


@torch.no_grad()
def ehr_effect_map(
    net: FusionNet,
    image: Tensor,
    values: Tensor,
    missing: Tensor,
    reference_values: Tensor,
    reference_missing: Tensor,
) -> Tensor:
    """D_p = l_p(F, e) - mean over reference records e' of l_p(F, e'), with the features F held fixed.

    F at every stage is what the patient's own image and record made of it. What the image alone asks for cancels.

    Args:
        net: A network with spatial gates, in evaluation mode.
        image: [B, 1, D, H, W] as in `FusionNet.forward`.
        values: [B, F] the patients' records.
        missing: [B, F].
        reference_values: [R, F] records of training patients; a few dozen give a steady mean.
        reference_missing: [R, F].

    Returns:
        [B, *S of the finest gated stage] in logits, mean over stages: positive where this record asks for more.

    Raises:
        ValueError: The network has no spatial gate, or is in training mode.
    """
    if not net.stage_lattices:
        raise ValueError("the effect map needs a spatial gate: mma.spatial is 'none'")
    if net.training:
        raise ValueError("the effect map needs evaluation mode: dropout would hide features at random")
    code, references = net.ehr(values, missing), net.ehr(reference_values, reference_missing)

    def against_others(stage: int, features: Tensor, e: Tensor) -> Gated:
        own = net.gate(stage, features, e)
        others = [net.gate(stage, features, one.expand(len(features), -1)) for one in references]
        return own._replace(logits=_logits(own) - torch.stack([_logits(one) for one in others]).mean(0))

    _, passed = net.look(image, code, against_others)
    return combine([_logits(one) for one in passed], net.stage_lattices, standardise=False)


def _logits(gated: Gated) -> Tensor:
    if gated.logits is None:
        raise ValueError("the effect map needs a spatial gate at every gated stage")
    return gated.logits
