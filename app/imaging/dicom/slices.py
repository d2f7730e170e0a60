"""One DICOM file to the slices in it: one for a classic CT or MR image, many for an enhanced one."""

from collections.abc import Sequence
from typing import Final

from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    EnhancedMRImageStorage,
    LegacyConvertedEnhancedCTImageStorage,
    LegacyConvertedEnhancedMRImageStorage,
    MRImageStorage,
)

from app.imaging.decoding_errors import decoding
from app.imaging.dicom.elements import (
    KEYWORDS,
    acquisition,
    is_lossy,
    is_rescaled,
    lookup_table,
    number,
    optional,
    pixel_format,
    placement,
    rescale_type,
)
from app.imaging.dicom.enhanced import enhanced_slices
from app.imaging.dicom.file import PixelPlace, parse
from app.imaging.dicom.header import SliceHeader
from app.imaging.dicom.values import Elements
from app.imaging.files.source import Source
from app.imaging.limits import DEFAULT_LIMITS, ReadLimits

CLASSIC: Final = frozenset({CTImageStorage, MRImageStorage})
ENHANCED: Final = frozenset(
    {
        EnhancedCTImageStorage,
        EnhancedMRImageStorage,
        LegacyConvertedEnhancedCTImageStorage,
        LegacyConvertedEnhancedMRImageStorage,
    }
)


def read_slices(source: Source, limits: ReadLimits = DEFAULT_LIMITS) -> Sequence[SliceHeader]:
    """Describes every slice of one DICOM file; a file that holds none is described by one header that says so.

    Raises:
        CorruptImageError: It is DICOM and cannot be parsed.
        ArchiveTooLargeError: It is deflated and inflates to more than is allowed, or announces too many frames.
    """
    with decoding("A DICOM file"):
        dataset, pixels = parse(source, KEYWORDS, limits)
        sop_class = dataset.get("SOPClassUID")
        if sop_class in ENHANCED and pixels is not None:
            return enhanced_slices(source, dataset, pixels, limits)
        frames = optional(dataset, "NumberOfFrames") or 1
        if sop_class in CLASSIC and frames == 1:
            return [_classic(source, dataset, pixels)]
        return [
            SliceHeader(
                source,
                str(dataset.get("Modality") or ""),
                str(dataset.get("SeriesInstanceUID") or ""),
                is_slice=False,
                is_unreadable_multi_frame=frames > 1,
            )
        ]


def _classic(source: Source, dataset: Elements, pixels: PixelPlace | None) -> SliceHeader:
    return SliceHeader(
        source,
        str(dataset.get("Modality") or ""),
        str(dataset.get("SeriesInstanceUID") or ""),
        is_slice=True,
        placement=placement(*(dataset.get(name) for name in PLACEMENT)),
        pixels=pixels,
        pixel_format=pixel_format(dataset),
        rescale_slope=number(dataset, "RescaleSlope", 1.0),
        rescale_intercept=number(dataset, "RescaleIntercept", 0.0),
        is_rescaled=is_rescaled(dataset),
        rescale_type=rescale_type(dataset),
        lookup_table=lookup_table(dataset),
        is_lossy=is_lossy(dataset, pixels),
        acquisition=acquisition(dataset),
        study_instance_uid=str(dataset.get("StudyInstanceUID") or ""),
        frame_of_reference_uid=str(dataset.get("FrameOfReferenceUID") or ""),
    )


PLACEMENT: Final = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
