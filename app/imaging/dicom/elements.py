"""From the elements of a parsed dataset to our own types; only listed elements are ever looked at.

Values are of any type, since files hold anything; what is raised on broken ones is caught by `decoding` at the door.
"""

import re
from functools import lru_cache
from typing import Any, Final

import numpy as np
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSNearLossless,
)

from app.imaging.dicom.file import PixelPlace
from app.imaging.dicom.header import Acquisition, Echo, LookupTable, PixelFormat, Placement
from app.imaging.dicom.values import Elements, Keyed

KEYWORDS: Final = (
    "SOPClassUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "SeriesNumber",
    "Modality",
    "ImageType",
    "ComplexImageComponent",
    "VolumeBasedCalculationTechnique",
    "BodyPartExamined",
    "ConvolutionKernel",
    "ContrastBolusAgent",
    "ContrastBolusVolume",
    "ContrastBolusTotalDose",
    "SliceThickness",
    "EchoTime",
    "RepetitionTime",
    "InversionTime",
    "ScanningSequence",
    "EchoPulseSequence",
    "EchoPlanarPulseSequence",
    "AngioFlag",
    "TimeOfFlightContrast",
    "PhaseContrast",
    "TemporalPositionIdentifier",
    "AcquisitionNumber",
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "NumberOfFrames",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "RescaleSlope",
    "RescaleIntercept",
    "RescaleType",
    "ModalityLUTSequence",
    "LossyImageCompression",
    "ConcatenationUID",
    "InConcatenationNumber",
    "InConcatenationTotalNumber",
    "ContrastBolusAgentSequence",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)
"""The elements that are parsed; the last three, and those of a concatenation, belong to enhanced images."""
WORD: Final = re.compile(r"[^\W_]+")
NO_AGENT: Final = re.compile(
    r"(?:N|NA|0[0 ]*)$"
    r"|(?:NO|NONE|NOT|NIL|N A|W ?O|WITHOUT|UNENHANCED|PLAIN|NON(?:CONTRAST|ENHANCED)?(?! ION)"  # non-ionic agents are some
    r"|OHNE|KEIN\w*|NEIN|NATIV\w*|SANS|SENZA|SIN|SEM)\b"
)
"""How what consoles write as the name of the agent begins where none was given."""
LOSSY: Final = frozenset({JPEGBaseline8Bit, JPEGExtended12Bit})
MAYBE_LOSSY: Final = frozenset({JPEGLSNearLossless, JPEG2000, HTJ2K})
"""Encodings that lose something as a rule; their lossless use has names of its own (PS3.5 A.4)."""


def pixel_format(dataset: Elements) -> PixelFormat:
    """Layout of the stored values; raises what pydicom raises where an element is absent or odd."""
    allocated = int(dataset["BitsAllocated"])
    stored = int(number(dataset, "BitsStored", allocated))
    return PixelFormat(
        rows=int(dataset["Rows"]),
        columns=int(dataset["Columns"]),
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=int(number(dataset, "HighBit", stored - 1)),
        is_signed=bool(dataset.get("PixelRepresentation")),
        photometric=str(dataset.get("PhotometricInterpretation") or ""),
        samples=int(number(dataset, "SamplesPerPixel", 1)),
        padding=_padding(dataset),
    )


def lookup_table(dataset: Keyed) -> LookupTable | None:
    """The modality LUT, where it is a table."""
    sequence = dataset.get("ModalityLUTSequence")
    if not sequence:
        return None
    item = sequence[0]
    count, first, _bits = (int(value) for value in item.LUTDescriptor)
    data = item.LUTData
    words = data if isinstance(data, bytes) else tuple(int(value) for value in several(data))
    # Words of OW are left as they lie in the file. A count of 0 stands for 65536 (PS3.3 C.11.1.1.1).
    order = "<" if item.original_encoding[1] else ">"
    return _table(words, f"{order}u2", count or 1 << 16, first, str(item.get("ModalityLUTType") or ""))


@lru_cache(maxsize=4)
def _table(words: bytes | tuple[int, ...], stored_as: str, count: int, first: int, unit: str) -> LookupTable:
    """One object for what each slice of a series states: tables are long."""
    entries = tuple(np.frombuffer(words, stored_as).tolist()) if isinstance(words, bytes) else words
    if len(entries) != count:
        raise ValueError("the table has another length than its descriptor says")
    return LookupTable(first, entries, unit)


def placement(position: object, orientation: object, spacing: object) -> Placement | None:
    """Three elements to a placement; None where one is absent or of another length."""
    values = [tuple(map(float, several(found))) for found in (position, orientation, spacing)]
    return Placement(*values) if [len(value) for value in values] == [3, 6, 2] else None


def is_lossy(dataset: Keyed, pixels: PixelPlace | None) -> bool:
    """Whether a slice lost something to compression, now or ever (PS3.3 C.7.6.1.1.5).

    A classic image need not say so; then its encoding tells. It may deny it only where the encoding allows that.
    """
    declared = dataset.get("LossyImageCompression")
    syntax = pixels.transfer_syntax if pixels is not None else ""
    return declared == "01" or syntax in LOSSY or (syntax in MAYBE_LOSSY and declared != "00")


def image_type(dataset: Keyed, keyword: str) -> tuple[str, ...]:
    """What kind of image it is: the values of Image Type or Frame Type, and what an enhanced image says beside them.

    Enhanced images keep magnitude and phase, and projections, out of their Image Type (PS3.3 C.8.13.3.1, C.8.16.2).
    """
    beside = (dataset.get("ComplexImageComponent"), dataset.get("VolumeBasedCalculationTechnique"))
    return tuple(str(value).upper() for value in (*several(dataset.get(keyword)), *beside) if value)


def several(value: Any) -> tuple[Any, ...]:  # noqa: ANN401 - whatever a file holds
    """The values of an element: none, one or many."""
    if isinstance(value, tuple):
        return value
    if value is None or isinstance(value, str):
        return () if not value else (value,)
    try:
        return tuple(value)
    except TypeError:
        return (value,)


def number(dataset: Keyed, keyword: str, absent: float) -> float:
    """A numeric element, or what stands for its absence."""
    value = dataset.get(keyword)
    return absent if value is None or value == "" else float(value)


def is_rescaled(dataset: Keyed) -> bool:
    """Whether an intercept or a table says what stored values mean."""
    return dataset.get("RescaleIntercept") not in {None, ""} or bool(dataset.get("ModalityLUTSequence"))


def rescale_type(dataset: Keyed) -> str:
    """Unit that slope and intercept lead to (PS3.3 C.11.1.1.2), upper case; empty where the file does not say."""
    return str(dataset.get("RescaleType") or "").upper()


def optional(dataset: Keyed, keyword: str) -> float | None:
    """A numeric element; None where it is absent, empty or no number: nothing but a choice depends on it."""
    value = dataset.get(keyword)
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


def _padding(dataset: Keyed) -> tuple[int, int] | None:
    """Stored values that were never measured (PS3.3 C.7.5.1.1.2): one, or a range."""
    value = dataset.get("PixelPaddingValue")
    if value is None:
        return None
    limit = dataset.get("PixelPaddingRangeLimit", value)
    if dataset.get("PixelRepresentation"):
        value, limit = (word - (1 << 16) if word >= 1 << 15 else word for word in (value, limit))
    low, high = sorted((int(value), int(limit)))
    return low, high


def acquisition(dataset: Keyed) -> Acquisition:
    """What a file declares about how it was made."""
    return Acquisition(
        series_number=whole(dataset, "SeriesNumber"),
        image_type=image_type(dataset, "ImageType"),
        body_part=str(dataset.get("BodyPartExamined") or "").upper(),
        kernel=str((several(dataset.get("ConvolutionKernel")) or ("",))[0]).upper(),
        has_contrast_agent=has_contrast_agent(dataset),
        slice_thickness_mm=optional(dataset, "SliceThickness"),
        echo_time_ms=optional(dataset, "EchoTime"),
        repetition_time_ms=optional(dataset, "RepetitionTime"),
        inversion_time_ms=optional(dataset, "InversionTime"),
        echo=_echo(dataset),
        is_angiography=dataset.get("AngioFlag") == "Y"
        or "YES" in {dataset.get("TimeOfFlightContrast"), dataset.get("PhaseContrast")},
        temporal_position=whole(dataset, "TemporalPositionIdentifier"),
        acquisition_number=whole(dataset, "AcquisitionNumber"),
    )


def _echo(dataset: Keyed) -> Echo:
    """Of Scanning Sequence (PS3.3 C.8.3.1.1.2), or of what enhanced images have in its place (C.8.13.4). Echo trains of gradients weigh like one."""
    said = {*several(dataset.get("ScanningSequence")), dataset.get("EchoPulseSequence")}
    if said & {"GR", "EP", "GRADIENT", "BOTH"} or dataset.get("EchoPlanarPulseSequence") == "YES":
        return "gradient"
    return "spin" if said & {"SE", "IR", "SPIN"} else ""


def has_contrast_agent(dataset: Keyed) -> bool:
    """Whether a contrast agent is named, or some of one whose name was taken away, as de-identification does (PS3.15 Table E.1-1)."""
    names = (" ".join(WORD.findall(str(name).upper())) for name in several(dataset.get("ContrastBolusAgent")))
    named = [name for name in names if name]
    amounts = () if named else ("ContrastBolusVolume", "ContrastBolusTotalDose")
    return (
        not all(map(NO_AGENT.match, named))
        or bool(dataset.get("ContrastBolusAgentSequence"))
        or any((optional(dataset, keyword) or 0) > 0 for keyword in amounts)
    )


def whole(dataset: Keyed, keyword: str) -> int | None:
    """As `optional`; None also where it is no whole number."""
    value = optional(dataset, keyword)
    return None if value is None or not value.is_integer() else int(value)
