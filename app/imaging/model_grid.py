"""The lattice a network sees: one shape and spacing for every patient, placed on the head, axes in RAS+.

Array order is (D, H, W) = (z, y, x): D grows to Superior, H to Anterior, W to Right.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt

from app.imaging.volume import Modality

PREPROCESSING_VERSION = 1
"""Raised whenever reading, orientation, cropping or resampling changes a tensor; packages name the one they need."""
READING_REVISION = 3
"""Raised where a mended fault moves the tensors of few images, which were read wrongly: packages go on, and images for training are prepared anew."""

Triple = tuple[PositiveInt, PositiveInt, PositiveInt]
TripleMm = tuple[PositiveFloat, PositiveFloat, PositiveFloat]


class ModelGrid(BaseModel):
    """How a package wants its image; part of the manifest, nothing has a default.

    Attributes:
        modality: The modality the package was trained on.
        shape: (D, H, W) voxels.
        spacing_mm: (D, H, W) millimetres.
        orientation: Axes after resampling; array order is (z, y, x) of this frame.
        crop: `head-top`: the grid is centred on the head in-plane and hangs from its top (`app.imaging.head`).
        channels: Channels of the tensor that enters the graph; windows are made inside the graph.
        intensity_unit: `HU` for CT, `raw` for MR (normalised inside the graph).
        fill: Value outside the field of view (-1024 HU for CT, 0 for MR).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    modality: Modality
    shape: Triple
    spacing_mm: TripleMm
    orientation: Literal["RAS"]
    crop: Literal["head-top"]
    channels: Literal[1]
    intensity_unit: Literal["HU", "raw"]
    fill: float
