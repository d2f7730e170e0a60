"""A network over a whole prepared split, without gradients."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from training.cohort import Cohort, Split
from training.learning.dataset import Needed, loader
from training.networks.attention import relative_heatmap
from training.networks.model import FusionNet
from training.predictions import Predictions
from training.prepare import PreparedSet


@dataclass(frozen=True)
class Collected:
    """What a network said of every case of a split, in order.

    Attributes:
        logits: [N, L] of the head, uncalibrated.
        embedding: [N, d] fused vectors.
        heatmap: [N, D', H', W'] in [0, 1], as the exported graph gives it; empty unless asked for.
        image_share: [N, heads]; no columns where the fusion has no gate.
    """

    logits: Float32[np.ndarray, "N L"]
    embedding: Float32[np.ndarray, "N d"]
    heatmap: Float32[np.ndarray, "N D H W"]
    image_share: Float32[np.ndarray, "N heads"]


@torch.no_grad()
def collect(
    model: FusionNet, prepared: PreparedSet, batch_size: int = 16, *, heatmap: bool = False
) -> Collected:
    """Run a network over a split in evaluation mode.

    Args:
        model: A `FusionNet`, possibly wrapped by Fabric.
        prepared: The split.
        batch_size: Cases at once.
        heatmap: Keep the heatmaps (they are the bulk of the memory).
    """
    model.eval()
    device = next(model.parameters()).device
    kept: dict[str, list[Tensor]] = {"logits": [], "embedding": [], "heatmap": [], "image_share": []}
    needed = Needed(images=model.config.fusion != "record")
    for batch in loader(prepared, batch_size, needed):
        output = model(batch.image.to(device), batch.values.to(device), batch.missing.to(device))
        kept["logits"].append(output.logits)
        kept["embedding"].append(output.embedding)
        kept["image_share"].append(output.image_share)
        if heatmap:
            kept["heatmap"].append(relative_heatmap(output.attention))
    empty = [torch.empty(0, 0, 0, 0)]
    return Collected(
        **{name: torch.cat(parts or empty).float().cpu().numpy() for name, parts in kept.items()}
    )


def answered(
    net: FusionNet, cohort: Cohort, parts: Mapping[Split, PreparedSet], batch_size: int = 16
) -> Predictions:
    """What a network answers for every patient, in the cohort's order.

    Args:
        net: Trained network.
        cohort: Every patient in a split.
        parts: Every split that has patients, prepared.
        batch_size: Cases at once.
    """
    collected = {split: collect(net, part, batch_size) for split, part in parts.items()}
    patients = [case.patient_id for split in parts for case in cohort.part(split)]
    joined = Predictions(
        patient_id=tuple(patients),
        split=tuple(split for split in parts for _ in cohort.part(split)),
        label=np.concatenate([part.labels for part in parts.values()]),
        logits=np.concatenate([each.logits for each in collected.values()]),
        embedding=np.concatenate([each.embedding for each in collected.values()]),
        image_share=np.concatenate([each.image_share for each in collected.values()]),
        true_probability=np.concatenate([part.true_probability for part in parts.values()]).astype(
            np.float64
        ),
    )
    place = {patient: index for index, patient in enumerate(patients)}
    return joined.take(np.array([place[case.patient_id] for case in cohort.cases], dtype=np.int64))
