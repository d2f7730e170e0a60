"""A DICOM file without what leads to the patient.

The Basic Application Level Confidentiality Profile (PS3.15 Annex E, Table E.1-1) lists what must go. Here the list is of what
may stay, which is shorter: the elements that are read (`dicom.elements.KEYWORDS`), of functional groups the same, and the
pixels. All else goes: names, identifiers, dates and times, comments, device and institution, overlays, private elements, preamble.
The UIDs that are needed, of study, series, frame of reference and concatenation, are replaced by others, the same throughout an upload. Not applied: the options
Clean Pixel Data and Clean Recognizable Visual Features; pixels of slices are left as they are.
"""

import hashlib
from collections.abc import Sequence
from os import SEEK_END
from pathlib import Path
from typing import Final

import pydicom
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID

from app.errors import CorruptImageError
from app.imaging.decoding_errors import decoding
from app.imaging.deidentify.pixels import Encoding, copy_pixels, no_pixels
from app.imaging.dicom.decode import NATIVE
from app.imaging.dicom.elements import KEYWORDS, has_contrast_agent
from app.imaging.dicom.file import PixelPlace, open_dataset, plain_syntax
from app.imaging.dicom.header import SliceHeader
from app.imaging.dicom.slices import read_slices
from app.imaging.files.file_kind import DICOM_PREAMBLE_BYTES
from app.imaging.files.source import DiskFile, Source
from app.imaging.limits import ReadLimits

SEQUENCES: Final = (
    "ModalityLUTSequence",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)
NOT_IN_ITEMS: Final = frozenset({
    "ConcatenationUID", "ContrastBolusTotalDose", "ContrastBolusVolume", "FrameOfReferenceUID", "SeriesInstanceUID", "StudyInstanceUID",
})  # fmt: skip
IN_ITEMS: Final = (frozenset(KEYWORDS) - NOT_IN_ITEMS) | {
    "AnatomicRegionSequence",
    "CTImageFrameTypeSequence",
    "CTReconstructionSequence",
    "CodeMeaning",
    "ContrastBolusAgentAdministered",
    "ContrastBolusUsageSequence",
    "EffectiveEchoTime",
    "FrameAcquisitionNumber",
    "FrameAnatomySequence",
    "FrameContentSequence",
    "FrameType",
    "InversionTimes",
    "LUTData",
    "LUTDescriptor",
    "MREchoSequence",
    "MRImageFrameTypeSequence",
    "MRModifierSequence",
    "MRTimingAndRelatedParametersSequence",
    "ModalityLUTType",
    "PixelMeasuresSequence",
    "PixelValueTransformationSequence",
    "PlaneOrientationSequence",
    "PlanePositionSequence",
    "TemporalPositionIndex",
    "UnassignedPerFrameConvertedAttributesSequence",
    "UnassignedSharedConvertedAttributesSequence",
}
"""What `dicom.enhanced` reads of functional groups, and `dicom.elements` of tables."""
AGENT: Final = "CONTRAST AGENT"
"""Stands for the words that name one (action D, a dummy)."""
PROFILE: Final = ("113100", "DCM", "Basic Application Confidentiality Profile")
"""PS3.16 CID 7050."""
BROKEN: Final = bytes(DICOM_PREAMBLE_BYTES) + b"DICM"
UID_BYTES: Final = 16


def series_uid(original: str, key: bytes) -> str:
    """The UID that stands for a series' own, or a study's, of the form that is made of 128 bits (PS3.5 B.2).

    Args:
        original: Series Instance UID, or Study Instance UID.
        key: Of one upload, up to 64 bytes; without it nobody can tell which series it was.
    """
    digest = hashlib.blake2b(original.encode(), key=key, digest_size=UID_BYTES).digest()
    return f"2.25.{int.from_bytes(digest, 'big')}"


def deidentify_dicom(source: Source, target: Path, limits: ReadLimits, key: bytes) -> None:
    """Write what may be kept of one file.

    Of a slice its pixels as they are, and where they cannot be read all but them, so that its reader finds it damaged where it needs it and
    never passes it over. Of other kinds, secondary captures with names burned into them say, no pixels; and of what is no slice and cannot be
    read, a beginning that is as broken.

    Args:
        source: The file.
        target: Where to.
        limits: Bounds of what a deflated file may inflate to.
        key: As for `series_uid`.

    Raises:
        RequestError: As its reader, of a file that cannot be parsed, or is too large.
        OSError: The target cannot be written.
    """
    before = read_slices(source, limits)
    place = next((header.pixels for header in before if header.is_slice), None)
    try:
        _write(source, target, limits, key, place)
    except CorruptImageError:
        if any(header.is_slice for header in before):
            raise
        target.write_bytes(BROKEN)
        return
    if _seen(before) != _seen(read_slices(DiskFile(target), limits)):
        # Never a slice that its reader would pass over, or take for another encoding, unlike the one that was sent.
        raise CorruptImageError("A DICOM slice contradicts itself. Export the series again.")


def _seen(headers: Sequence[SliceHeader]) -> list[tuple[bool, bool | None]]:
    """Of each, whether it is a slice, and whether its pixels are plain cells; None where it has none."""
    return [
        (header.is_slice, header.pixels.transfer_syntax in NATIVE if header.pixels else None)
        for header in headers
    ]


def _write(source: Source, target: Path, limits: ReadLimits, key: bytes, place: PixelPlace | None) -> None:
    with decoding("A DICOM file"), open_dataset(source, limits) as (stream, _):
        dataset = pydicom.dcmread(stream, force=True, specific_tags=[*KEYWORDS], stop_before_pixels=True)
        encoding = Encoding(*dataset.original_encoding)
        _clean(dataset, key)
        dataset.save_as(
            target, implicit_vr=encoding.implicit, little_endian=encoding.little, enforce_file_format=False
        )
    if place is None:
        return
    with target.open("r+b") as out:
        end = out.seek(0, SEEK_END)
        try:
            with decoding("A DICOM file"), open_dataset(source, limits) as (stream, _):
                copy_pixels(stream, place, out, encoding)
        except CorruptImageError:
            out.truncate(end)
            out.seek(end)
            out.write(no_pixels(place, encoding))


def _clean(dataset: Dataset, key: bytes) -> None:
    meta = FileMetaDataset()
    meta.FileMetaInformationGroupLength = 0  # counted when it is written
    meta.TransferSyntaxUID = UID(_syntax(dataset))
    for item in (item for keyword in SEQUENCES for item in dataset.get(keyword) or ()):
        _clean_item(item)
    if has_contrast_agent(dataset):
        dataset.ContrastBolusAgent = AGENT
    else:
        dataset.pop("ContrastBolusAgent", None)
    for keyword in ("ContrastBolusAgentSequence", "ContrastBolusVolume", "ContrastBolusTotalDose"):
        dataset.pop(keyword, None)
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "ConcatenationUID"):
        if dataset.get(keyword):
            setattr(dataset, keyword, series_uid(str(dataset[keyword].value), key))
    profile = Dataset()
    profile.CodeValue, profile.CodingSchemeDesignator, profile.CodeMeaning = PROFILE
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethodCodeSequence = [profile]
    dataset.file_meta, dataset.preamble = meta, bytes(DICOM_PREAMBLE_BYTES)


def _clean_item(item: Dataset) -> None:
    if has_contrast_agent(item):
        item.ContrastBolusAgent = AGENT
    else:
        item.pop("ContrastBolusAgent", None)
    for element in list(item):
        if element.keyword not in IN_ITEMS:
            del item[element.tag]
        elif element.VR == "SQ":
            for below in element.value:
                _clean_item(below)


def _syntax(dataset: Dataset) -> str:
    """The encoding that is named, where it compresses pixels or is not known here; else the one that the elements were found in."""
    named = dataset.file_meta.get("TransferSyntaxUID")
    if named and (named.is_private or (named.is_transfer_syntax and named.is_encapsulated)):
        return str(named)
    return plain_syntax(*dataset.original_encoding)
