"""Enhanced multi-frame images made from a classic series: the same slices in one file, described by functional groups."""

from collections.abc import Sequence
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import EnhancedCTImageStorage, EnhancedMRImageStorage, ExplicitVRLittleEndian, generate_uid

from app.imaging.volume import Modality
from tests.imaging.making import Series

MOVED = (
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "RescaleSlope",
    "RescaleIntercept",
)
"""What lies in functional groups and nowhere else."""


def enhanced(series: Series, order: Sequence[int] | None = None) -> Dataset:
    """One dataset with a frame per slice.

    Args:
        series: The slices.
        order: Order of the frames in the file; that of the series by default.
    """
    slices = series.datasets()
    frames = [slices[n] for n in (order if order is not None else range(len(slices)))]
    dataset = Dataset()
    dataset.update({element.tag: element for element in frames[0] if element.keyword not in MOVED})
    is_ct = series.modality is Modality.CT
    dataset.SOPClassUID = EnhancedCTImageStorage if is_ct else EnhancedMRImageStorage
    dataset.SOPInstanceUID = generate_uid()
    dataset.NumberOfFrames = len(frames)
    dataset.PixelData = b"".join(frame.PixelData for frame in frames)
    dataset.SharedFunctionalGroupsSequence = Items([_shared(frames[0])])
    dataset.PerFrameFunctionalGroupsSequence = Items([_own(frame) for frame in frames])
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def write_enhanced(series: Series, path: Path, order: Sequence[int] | None = None) -> Path:
    """The file."""
    enhanced(series, order).save_as(path, enforce_file_format=True)
    return path


def item(**elements: object) -> Dataset:
    """A sequence item."""
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def _shared(first: Dataset) -> Dataset:
    groups = item(
        PixelMeasuresSequence=Items([item(PixelSpacing=first.PixelSpacing)]),
        PlaneOrientationSequence=Items([item(ImageOrientationPatient=first.ImageOrientationPatient)]),
    )
    if "RescaleSlope" in first:
        transform = item(
            RescaleSlope=first.RescaleSlope, RescaleIntercept=first.RescaleIntercept, RescaleType="HU"
        )
        groups.PixelValueTransformationSequence = Items([transform])
    return groups


def _own(frame: Dataset) -> Dataset:
    return item(PlanePositionSequence=Items([item(ImagePositionPatient=frame.ImagePositionPatient)]))
