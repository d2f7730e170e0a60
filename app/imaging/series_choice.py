"""Which series was read and why, in words that identify nobody."""

from dataclasses import dataclass, field
from typing import Literal

Plane = Literal["axial", "coronal", "sagittal", "oblique"]
Kernel = Literal["soft", "sharp", "unknown"]
Weighting = Literal["T1", "T2", "FLAIR", "PD", "diffusion", "unknown"]
BodyPart = Literal["head", "other", "unknown"]


@dataclass(frozen=True)
class SeriesSummary:
    """One image of an upload, as far as its headers tell.

    Attributes:
        number: Series Number, as on the scanner's console.
        modality: CT, MR or another.
        slices: Slices of it in the upload.
        plane: Of its slices; None where they have no place, or are not parallel.
        extent_mm: From the first slice to the last along the normal.
        gap_mm: Median distance between neighbouring slices.
        pixel_spacing_mm: Between rows.
        is_original: Acquired, not computed from other images.
        has_contrast_agent: Whether a contrast agent is named, or an amount of one.
        body_part: What part of the body is declared.
        kernel: CT: of the reconstruction.
        weighting: MR: by its times.
        series_instance_uid: The name a caller may ask for it by; shown nowhere else, since it leads to the patient.
    """

    number: int | None
    modality: str
    slices: int
    plane: Plane | None = None
    extent_mm: float | None = None
    gap_mm: float | None = None
    pixel_spacing_mm: float | None = None
    is_original: bool = True
    has_contrast_agent: bool = False
    body_part: BodyPart = "unknown"
    kernel: Kernel = "unknown"
    weighting: Weighting = "unknown"
    series_instance_uid: str = field(default="", repr=False)


@dataclass(frozen=True)
class PassedOver:
    """A series that was not read.

    Attributes:
        series: What it is.
        reason: Why not, such as `a localiser` or `the chosen series has a soft-tissue kernel`.
    """

    series: SeriesSummary
    reason: str


@dataclass(frozen=True)
class SeriesChoice:
    """The decision.

    Attributes:
        chosen: The series that was read.
        reason: Why.
        others: The rest of the upload's series, in the order of their numbers.
    """

    chosen: SeriesSummary
    reason: str
    others: tuple[PassedOver, ...] = ()
