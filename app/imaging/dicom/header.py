"""What must be known of a slice before its pixels are worth decoding, and nothing that names a patient.

Places and directions stay in DICOM's own LPS millimetres; `app.imaging.dicom.read` turns them. A classic file is one slice; an
enhanced one holds many (`app.imaging.dicom.enhanced`).
"""

from dataclasses import dataclass, field
from typing import Literal

from app.imaging.dicom.file import PixelPlace
from app.imaging.files.source import Source

Echo = Literal["spin", "gradient", ""]


@dataclass(frozen=True)
class Placement:
    """Where a slice lies, as the file says it (PS3.3 C.7.6.2).

    Attributes:
        image_position_patient: LPS mm of the centre of the first pixel.
        image_orientation_patient: LPS cosines of a row (growing column), then of a column (growing row).
        pixel_spacing: mm between rows, mm between columns.
    """

    image_position_patient: tuple[float, ...]
    image_orientation_patient: tuple[float, ...]
    pixel_spacing: tuple[float, ...]


@dataclass(frozen=True)
class PixelFormat:
    """How stored values are laid out (PS3.3 C.7.6.3, PS3.5 8.1).

    Attributes:
        rows: Pixels in a column.
        columns: Pixels in a row.
        bits_allocated: Bits of a stored cell.
        bits_stored: Bits of it that are the value.
        high_bit: Position of the value's highest bit.
        is_signed: Two's complement.
        photometric: Photometric Interpretation.
        samples: Samples per pixel; 1 is grey.
        padding: Lowest and highest stored value that means "not measured"; None where none is named.
    """

    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool
    photometric: str = "MONOCHROME2"
    samples: int = 1
    padding: tuple[int, int] | None = None

    @property
    def shift(self) -> int:
        """Bits below the value; 0 in all but very old files."""
        return self.high_bit + 1 - self.bits_stored


@dataclass(frozen=True)
class LookupTable:
    """A modality LUT that is a table (PS3.3 C.11.1).

    Attributes:
        first: Stored value of the first entry; below it the first entry holds, beyond the end the last.
        entries: Output values.
        unit: Modality LUT Type, such as `HU`.
    """

    first: int
    entries: tuple[int, ...]
    unit: str


@dataclass(frozen=True)
class Acquisition:
    """What the file declares about how it was made; for choosing among series, and to tell a person apart which.

    Attributes:
        series_number: As on the scanner's console.
        image_type: Such as ORIGINAL, PRIMARY, AXIAL or LOCALIZER.
        body_part: Body Part Examined, upper case.
        kernel: Convolution Kernel, upper case.
        has_contrast_agent: Whether a contrast agent is named, or an amount of one.
        slice_thickness_mm: Nominal; never a spacing.
        echo_time_ms: MR.
        repetition_time_ms: MR.
        inversion_time_ms: MR.
        echo: MR: what makes the echo; empty where the file does not say.
        is_angiography: MR: whether it is declared to show flowing blood (PS3.3 C.8.3.1, C.8.13.4).
        temporal_position: Phase of a series that shows the same places again.
        acquisition_number: Of the series.
    """

    series_number: int | None = None
    image_type: tuple[str, ...] = ()
    body_part: str = ""
    kernel: str = ""
    has_contrast_agent: bool = False
    slice_thickness_mm: float | None = None
    echo_time_ms: float | None = None
    repetition_time_ms: float | None = None
    inversion_time_ms: float | None = None
    echo: Echo = ""
    is_angiography: bool = False
    temporal_position: int | None = None
    acquisition_number: int | None = None


@dataclass(frozen=True)
class Concatenation:
    """Which part of one multi-frame image that was cut into several files a file is (PS3.3 C.7.6.16.2.2).

    Attributes:
        uid: The same in all parts; never shown.
        part: Number of the part, from 1.
        parts: How many there are; None where the file does not say.
    """

    uid: str
    part: int
    parts: int | None


@dataclass(frozen=True)
class SliceHeader:
    """One slice of the upload, described.

    Attributes:
        source: The file it is in.
        modality: The element Modality, or empty.
        series_instance_uid: For grouping; never shown.
        is_slice: Whether it is a slice of a CT or MR image that can be read.
        is_unreadable_multi_frame: Whether it is a multi-frame image of a kind that is not read.
        frame: Number of the slice within its file, from 0.
        frames: Slices in the file.
        placement: None where the file does not say.
        pixels: Where in the file the stored values lie.
        pixel_format: Their layout.
        rescale_slope: Of the modality LUT, 1 where absent.
        rescale_intercept: Of the modality LUT, 0 where absent.
        is_rescaled: Whether the file says what it is rescaled by; a CT must (PS3.3 C.8.2.1).
        rescale_type: Unit they lead to, such as `HU`; empty where the file does not say.
        lookup_table: A modality LUT that is a table; it replaces slope and intercept.
        is_lossy: Whether it was ever compressed with loss.
        concatenation: Which part of a larger image the file is; None where it is whole.
        acquisition: What the file declares.
        study_instance_uid: Of the examination, so that two are never chosen between; empty where the file does not say; never shown.
        frame_of_reference_uid: Of the coordinates that positions are in; empty where the file does not say; never shown.
    """

    source: Source
    modality: str
    series_instance_uid: str
    is_slice: bool
    is_unreadable_multi_frame: bool = False
    frame: int = 0
    frames: int = 1
    placement: Placement | None = None
    pixels: PixelPlace | None = None
    pixel_format: PixelFormat = field(default_factory=lambda: PixelFormat(0, 0, 16, 16, 15, is_signed=False))
    rescale_slope: float = 1.0
    rescale_intercept: float = 0.0
    is_rescaled: bool = True
    rescale_type: str = ""
    lookup_table: LookupTable | None = None
    is_lossy: bool = False
    concatenation: Concatenation | None = None
    acquisition: Acquisition = field(default_factory=Acquisition)
    study_instance_uid: str = ""
    frame_of_reference_uid: str = ""
