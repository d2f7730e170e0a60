"""The module that is exported: FusionNet, calibration, probabilities and heatmap in one graph."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from training.networks.attention import relative_heatmap
from training.networks.heads import class_probabilities
from training.networks.model import FusionNet


class HeatmapGeometry(NamedTuple):
    """Where the heatmap lies.

    Attributes:
        shape: (D', H', W').
        to_model_grid: 4x4 affine, row by row, from heatmap index (d', h', w', 1) to model-grid index (d, h, w, 1).
    """

    shape: tuple[int, int, int]
    to_model_grid: tuple[tuple[float, float, float, float], ...]


class ServingGraph(nn.Module):
    """Inputs and outputs of the ONNX contract; always in evaluation mode.

    Args:
        net: A network with a spatial gate.
        slope: Multiplies the logits: 1 / temperature, or the slope of Platt scaling.
        intercept: Added to the logits; Platt scaling of a binary outcome only.

    Raises:
        ValueError: The network has no heatmap to give, or an intercept meets ordinal logits.
    """

    slope: Tensor
    intercept: Tensor

    def __init__(self, net: FusionNet, slope: float = 1.0, intercept: float = 0.0) -> None:
        super().__init__()
        if not net.stage_lattices:
            raise ValueError("a served network needs a spatial gate: it must answer with a heatmap")
        if intercept and net.config.head.outcome != "binary":
            raise ValueError(
                "an intercept (Platt scaling) is for a binary outcome; ordinal logits take a temperature"
            )
        self.net = net
        self.register_buffer("slope", torch.tensor(slope))
        self.register_buffer("intercept", torch.tensor(intercept))
        self.eval()

    def train(self, mode: bool = True) -> "ServingGraph":  # noqa: ARG002 - torch's signature
        """Stay in evaluation mode."""
        return super().train(False)

    def forward(
        self, image: Tensor, ehr_values: Tensor, ehr_missing: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Answer a batch.

        Args:
            image: [B, 1, D, H, W] HU or raw MR on the model grid.
            ehr_values: [B, F].
            ehr_missing: [B, F] 1 where missing.

        Returns:
            probabilities [B, K], heatmap [B, D', H', W'] in [0, 1], image_share [B, heads], embedding [B, d].
        """
        output = self.net(image, ehr_values, ehr_missing)
        probabilities = class_probabilities(output.logits * self.slope + self.intercept)
        return probabilities, relative_heatmap(output.attention), output.image_share, output.embedding

    def heatmap_geometry(self, image_shape: Sequence[int]) -> HeatmapGeometry:
        """Shape and place of the heatmap for model grids of (D, H, W) voxels.

        Cell o is centred on voxel stride * o + offset exactly (see `lattice`).
        """
        lattice = self.net.stage_lattices[0]
        d, h, w = lattice.cells(image_shape)
        rows = torch.diag(torch.tensor([*lattice.stride, 1.0]))
        rows[:-1, -1] = torch.tensor(lattice.offset)
        return HeatmapGeometry((d, h, w), tuple((a, b, c, t) for a, b, c, t in rows.tolist()))
