"""Row 3, the image alone: a linear head on the mean of the last stage."""

from torch import Tensor

from training.networks.config import GmuConfig
from training.networks.fusion import Fused, Fusion, no_share
from training.networks.rivals.rival import Rival, ungated


class ImageOnly(Fusion):
    """h = v."""

    def __init__(self, image_width: int, record_width: int, config: GmuConfig) -> None:  # noqa: ARG002 - one signature
        super().__init__(image_width)

    def forward(self, v: Tensor, e: Tensor) -> Fused:  # noqa: ARG002 - one signature for all rows
        """Leave the record out."""
        return v, no_share(v)


RIVAL = Rival("image", 3, "Image only", lambda base: ungated(base, "image"), fusion=ImageOnly)
