"""Row 2, the record alone: a perceptron on the record (EHR-MLP). No image is read."""

from torch import Tensor

from training.networks.config import GmuConfig
from training.networks.fusion import Fused, Fusion, no_share
from training.networks.rivals.rival import Rival, ungated


class RecordOnly(Fusion):
    """h = e."""

    def __init__(self, image_width: int, record_width: int, config: GmuConfig) -> None:  # noqa: ARG002 - one signature
        super().__init__(record_width)

    def forward(self, v: Tensor, e: Tensor) -> Fused:  # noqa: ARG002 - one signature for all rows
        """Leave the image out."""
        return e, no_share(e)


RIVAL = Rival("record", 2, "Record only (EHR-MLP)", lambda base: ungated(base, "record"), fusion=RecordOnly)
