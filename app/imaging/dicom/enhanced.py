"""Enhanced multi-frame CT and MR (PS3.3 A.36, A.38): one file, many slices, described by functional groups.

What a classic file says once per slice, an enhanced one says either in the groups shared by all frames or in the groups of
each frame (PS3.3 C.7.6.16); the frame's own groups are looked at first. Frames that repeat a place - echoes, phases,
diffusion weightings, derived maps - carry the attributes by which `dicom.series` tells the images apart. An image converted
from classic ones (A.70, A.71) keeps most of what those declared in groups of elements that were not assigned to others.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from pydicom.dataset import Dataset

from app.errors import ArchiveTooLargeError
from app.imaging.dicom.elements import (
    KEYWORDS,
    acquisition,
    image_type,
    is_lossy,
    is_rescaled,
    lookup_table,
    number,
    optional,
    pixel_format,
    placement,
    rescale_type,
    several,
    whole,
)
from app.imaging.dicom.file import PixelPlace
from app.imaging.dicom.header import Acquisition, Concatenation, SliceHeader
from app.imaging.dicom.values import Elements, Keyed
from app.imaging.files.source import Source
from app.imaging.limits import ReadLimits

FRAME_TYPES: Final = ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence")
UNASSIGNED: Final = (
    "UnassignedSharedConvertedAttributesSequence",
    "UnassignedPerFrameConvertedAttributesSequence",
)


def enhanced_slices(
    source: Source,
    dataset: Elements,
    pixels: PixelPlace,
    limits: ReadLimits,
) -> Sequence[SliceHeader]:
    """Describes every frame.

    Args:
        source: The file.
        dataset: Its elements, functional groups included.
        pixels: Where the stored values of all frames lie.
        limits: Bounds; every frame counts like a file.

    Raises:
        ArchiveTooLargeError: More frames than files are allowed.
    """
    shared = (several(dataset.get("SharedFunctionalGroupsSequence")) or (None,))[0]
    per_frame = several(dataset.get("PerFrameFunctionalGroupsSequence"))
    frames = int(dataset["NumberOfFrames"])
    if frames > limits.max_files:
        raise ArchiveTooLargeError(
            f"Expected at most {limits.max_files} frames, found {frames}. Send one series.",
            limit=limits.max_files,
        )
    if len(per_frame) != frames:
        raise ValueError("one functional group per frame is required (PS3.3 C.7.6.16)")
    base = SliceHeader(
        source,
        str(dataset.get("Modality") or ""),
        str(dataset.get("SeriesInstanceUID") or ""),
        is_slice=True,
        frames=frames,
        pixels=pixels,
        pixel_format=pixel_format(dataset),
        is_lossy=is_lossy(dataset, pixels),
        acquisition=acquisition(dataset),
        concatenation=_concatenation(dataset),
        study_instance_uid=str(dataset.get("StudyInstanceUID") or ""),
        frame_of_reference_uid=str(dataset.get("FrameOfReferenceUID") or ""),
    )
    return [_frame(base, n, _Groups(own, shared)) for n, own in enumerate(per_frame)]


def _concatenation(dataset: Elements) -> Concatenation | None:
    part = whole(dataset, "InConcatenationNumber")
    if part is None:
        return None
    return Concatenation(
        str(dataset.get("ConcatenationUID") or ""), part, whole(dataset, "InConcatenationTotalNumber")
    )


class _Groups:
    """The functional groups of one frame: its own first, then those of all."""

    def __init__(self, own: Dataset, shared: Dataset | None) -> None:
        self._own, self._shared = own, shared

    def items(self, keyword: str) -> tuple[Dataset, ...]:
        """Those of a functional group; none where the group is absent."""
        for groups in (self._own, self._shared):
            if groups is not None and (items := several(groups.get(keyword))):
                return items
        return ()

    def item(self, keyword: str) -> Keyed:
        """The first of them; an empty mapping where there is none."""
        return next(iter(self.items(keyword)), {})

    def unassigned(self) -> dict[str, Any]:
        """By keyword, what a converted image keeps as classic ones have it."""
        items = [self.item(name) for name in UNASSIGNED]
        return {name: value for item in items for name in KEYWORDS if (value := item.get(name)) is not None}


def _frame(base: SliceHeader, frame: int, groups: _Groups) -> SliceHeader:
    measures, transform = (
        groups.item("PixelMeasuresSequence"),
        groups.item("PixelValueTransformationSequence"),
    )
    return replace(
        base,
        frame=frame,
        placement=placement(
            groups.item("PlanePositionSequence").get("ImagePositionPatient"),
            groups.item("PlaneOrientationSequence").get("ImageOrientationPatient"),
            measures.get("PixelSpacing"),
        ),
        rescale_slope=number(transform, "RescaleSlope", 1.0),
        rescale_intercept=number(transform, "RescaleIntercept", 0.0),
        is_rescaled=is_rescaled(transform),
        rescale_type=rescale_type(transform),
        lookup_table=lookup_table(transform),
        acquisition=_acquisition(base.acquisition, groups),
    )


def _acquisition(declared: Acquisition, groups: _Groups) -> Acquisition:
    timing, content = groups.item("MRTimingAndRelatedParametersSequence"), groups.item("FrameContentSequence")
    frame_type = next(
        (image_type(item, "FrameType") for name in FRAME_TYPES if (item := groups.item(name))), ()
    )
    anatomy = groups.item("FrameAnatomySequence")
    region = (several(anatomy.get("AnatomicRegionSequence")) or ({},))[0]
    classic = acquisition(groups.unassigned())
    kernel = several(groups.item("CTReconstructionSequence").get("ConvolutionKernel")) or ("",)
    said: dict[str, Any] = {
        "kernel": str(kernel[0]).upper(),
        "slice_thickness_mm": optional(groups.item("PixelMeasuresSequence"), "SliceThickness"),
        "echo_time_ms": optional(groups.item("MREchoSequence"), "EffectiveEchoTime"),
        "repetition_time_ms": optional(timing, "RepetitionTime"),
        "inversion_time_ms": optional(groups.item("MRModifierSequence"), "InversionTimes"),
        "temporal_position": whole(content, "TemporalPositionIndex"),
        "acquisition_number": whole(content, "FrameAcquisitionNumber"),
    }
    return replace(
        declared,
        image_type=frame_type or declared.image_type,
        body_part=declared.body_part or str(region.get("CodeMeaning") or "").upper() or classic.body_part,
        echo=declared.echo or classic.echo,
        is_angiography=declared.is_angiography or classic.is_angiography,
        has_contrast_agent=(declared.has_contrast_agent and _may_be_given(groups))
        or classic.has_contrast_agent,
        **{name: getattr(classic, name) if value in {None, ""} else value for name, value in said.items()},
    )


def _may_be_given(groups: _Groups) -> bool:
    """Whether a frame leaves it open that an agent named for the whole image was given before it (PS3.3 C.7.6.16.2.12)."""
    usage = groups.items("ContrastBolusUsageSequence")
    return not usage or any(each.get("ContrastBolusAgentAdministered") != "NO" for each in usage)
