"""From the elements of a parsed dataset to our own types; only listed elements are ever looked at.

pydicom ships no types, hence `Any`; whatever it raises on broken values is caught by `decoding` at the door.
"""

from typing import Any, Final

import numpy as np

from app.imaging.dicom_header import Acquisition, LookupTable, PixelFormat, Placement

KEYWORDS: Final = (
    "SOPClassUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SeriesNumber",
    "Modality",
    "ImageType",
    "BodyPartExamined",
    "ConvolutionKernel",
    "ContrastBolusAgent",
    "SliceThickness",
    "EchoTime",
    "RepetitionTime",
    "InversionTime",
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
    "ContrastBolusAgentSequence",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)
"""The elements that are parsed; the last three belong to enhanced images."""


def pixel_format(dataset: Any) -> PixelFormat:  # noqa: ANN401
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


def lookup_table(dataset: Any) -> LookupTable | None:  # noqa: ANN401
    """The modality LUT, where it is a table."""
    sequence = dataset.get("ModalityLUTSequence")
    if not sequence:
        return None
    item = sequence[0]
    count, first, _bits = (int(value) for value in item.LUTDescriptor)
    data = item.LUTData
    words = np.frombuffer(data, "<u2") if isinstance(data, bytes) else several(data)
    entries = tuple(int(value) for value in words)
    if len(entries) != (count or 1 << 16):  # a count of 0 stands for 65536 (PS3.3 C.11.1.1.1)
        raise ValueError("the table has another length than its descriptor says")
    return LookupTable(first, entries, str(item.get("ModalityLUTType") or ""))


def placement(position: object, orientation: object, spacing: object) -> Placement | None:
    """Three elements to a placement; None where one is absent or of another length."""
    values = [tuple(map(float, several(found))) for found in (position, orientation, spacing)]
    return Placement(*values) if [len(value) for value in values] == [3, 6, 2] else None


def several(value: Any) -> tuple[Any, ...]:  # noqa: ANN401
    """The values of an element: none, one or many."""
    if isinstance(value, tuple):
        return value
    if value is None or isinstance(value, str):
        return () if not value else (value,)
    try:
        return tuple(value)
    except TypeError:
        return (value,)


def number(dataset: Any, keyword: str, absent: float) -> float:  # noqa: ANN401
    """A numeric element, or what stands for its absence."""
    value = dataset.get(keyword)
    return absent if value is None or value == "" else float(value)


def is_rescaled(dataset: Any) -> bool:  # noqa: ANN401
    """Whether an intercept or a table says what stored values mean."""
    return dataset.get("RescaleIntercept") not in {None, ""} or bool(dataset.get("ModalityLUTSequence"))


def rescale_type(dataset: Any) -> str:  # noqa: ANN401
    """Unit that slope and intercept lead to (PS3.3 C.11.1.1.2), upper case; empty where the file does not say."""
    return str(dataset.get("RescaleType") or "").upper()


def optional(dataset: Any, keyword: str) -> float | None:  # noqa: ANN401
    """A numeric element; None where it is absent, empty or no number: nothing but a choice depends on it."""
    try:
        return float(dataset.get(keyword))
    except (TypeError, ValueError):
        return None


def _padding(dataset: Any) -> tuple[int, int] | None:  # noqa: ANN401
    """Stored values that were never measured (PS3.3 C.7.5.1.1.2): one, or a range."""
    value = dataset.get("PixelPaddingValue")
    if value is None:
        return None
    limit = dataset.get("PixelPaddingRangeLimit", value)
    if dataset.get("PixelRepresentation"):
        value, limit = (word - (1 << 16) if word >= 1 << 15 else word for word in (value, limit))
    low, high = sorted((int(value), int(limit)))
    return low, high


def acquisition(dataset: Any) -> Acquisition:  # noqa: ANN401
    """What a file declares about how it was made."""
    return Acquisition(
        series_number=whole(dataset, "SeriesNumber"),
        image_type=tuple(str(value).upper() for value in several(dataset.get("ImageType"))),
        body_part=str(dataset.get("BodyPartExamined") or "").upper(),
        kernel=str((several(dataset.get("ConvolutionKernel")) or ("",))[0]).upper(),
        has_contrast_agent=bool(
            dataset.get("ContrastBolusAgent") or dataset.get("ContrastBolusAgentSequence")
        ),
        slice_thickness_mm=optional(dataset, "SliceThickness"),
        echo_time_ms=optional(dataset, "EchoTime"),
        repetition_time_ms=optional(dataset, "RepetitionTime"),
        inversion_time_ms=optional(dataset, "InversionTime"),
        temporal_position=whole(dataset, "TemporalPositionIdentifier"),
        acquisition_number=whole(dataset, "AcquisitionNumber"),
    )


def whole(dataset: Any, keyword: str) -> int | None:  # noqa: ANN401
    """As `optional`; None also where it is no whole number."""
    value = optional(dataset, keyword)
    return None if value is None or not value.is_integer() else int(value)
