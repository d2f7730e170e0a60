"""What answers a batch of tensors, wherever it runs: a session here, several behind a queue, or another machine."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from app.inference.graph_contract import OUTPUTS

Images = Float32[np.ndarray, "B 1 D H W"]
"""HU (CT) or raw intensity (MR) on the model grid, RAS+."""
Features = Float32[np.ndarray, "B F"]
"""In the order and the units of the manifest."""


@dataclass(frozen=True)
class RawOutputs:
    """What the graph answers for a batch of B cases.

    Attributes:
        probabilities: [B, K], calibrated, rows sum to 1.
        heatmap: [B, D', H', W'] in [0, 1].
        image_share: [B, heads] in [0, 1].
        embedding: [B, d].
        waited_s: Seconds these cases waited for their turn on the graph.
    """

    probabilities: Float32[np.ndarray, "B K"]
    heatmap: Float32[np.ndarray, "B D H W"]
    image_share: Float32[np.ndarray, "B heads"]
    embedding: Float32[np.ndarray, "B d"]
    waited_s: float = 0.0

    def tensors(self) -> dict[str, Float32[np.ndarray, "B ..."]]:
        """The graph's outputs by name."""
        return {name: getattr(self, name) for name in OUTPUTS}


@runtime_checkable
class GraphSession(Protocol):
    """A graph that is loaded and known to fit its manifest; called from any thread."""

    @property
    def provider(self) -> str:
        """Name of the execution provider in use, such as `CPUExecutionProvider`."""

    def run(self, image: Images, values: Features, missing: Features) -> RawOutputs:
        """Answer a batch.

        Args:
            image: Of each case.
            values: Of each record; 0 where missing.
            missing: 1 where missing.

        Returns:
            The answers, in the order of the batch.

        Raises:
            OverloadedError: No memory, no place, or no time is left for this batch.
            NotReadyError: The runtime or its device failed, or the session was closed.
            PackageInvalidError: The answer is not finite, not a distribution, or of another shape than promised.
        """

    def close(self) -> None:
        """Give back what is held; nothing may be asked afterwards."""
