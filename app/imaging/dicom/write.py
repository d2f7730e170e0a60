"""A volume to a DICOM series: one CT or MR Image Storage file per slice, at its true position.

For synthetic volumes only: the files carry the identity they are given and nothing about equipment or exposure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float64, Integer, UInt16
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, MRImageStorage

from app.imaging.dicom.read import ras_from_lps
from app.imaging.geometry import normal_of
from app.imaging.synthetic import SYNTHETIC
from app.imaging.volume import Modality, Volume

RESCALE_INTERCEPT: Final = -1024
"""The usual one of CT: twelve unsigned bits then hold -1024 to 3071 HU."""
_STORAGE: Final = {Modality.CT: CTImageStorage, Modality.MR: MRImageStorage}
_BITS_STORED: Final = {Modality.CT: 12, Modality.MR: 16}
_DECIMALS: Final = 8
"""Of positions and cosines: a Decimal String holds 16 characters (PS3.5 6.2)."""


@dataclass(frozen=True)
class SeriesIdentity:
    """Who and what a series says it is.

    Attributes:
        patient_id: Also the patient's name.
        study_instance_uid: UID of the study.
        series_instance_uid: UID of the series.
        frame_of_reference_uid: UID of the frame of reference.
        sop_instance_uids: One UID per slice.
    """

    patient_id: str
    study_instance_uid: str
    series_instance_uid: str
    frame_of_reference_uid: str
    sop_instance_uids: Sequence[str]


def write_series(volume: Volume, identity: SeriesIdentity, folder: Path) -> tuple[Path, ...]:
    """Writes `0001.dcm`, `0002.dcm`, ... in the order of the slices; equal arguments give equal bytes.

    Args:
        volume: Integer voxels: HU of -1024 to 3071 for CT, 0 to 65535 for MR.
        identity: Carried by every file.
        folder: Made if it does not exist.

    Raises:
        ValueError: Voxels that the files cannot hold exactly.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stored = _stored(volume)
    common = _common(volume, identity)
    paths = tuple(folder / f"{k + 1:04d}.dcm" for k in range(stored.shape[2]))
    for k, path in enumerate(paths):
        dataset = _slice(common, stored[:, :, k], identity.sop_instance_uids[k], k)
        dataset.ImagePositionPatient = _decimals(ras_from_lps(volume.slice_origins[k]))
        dataset.save_as(path, enforce_file_format=True)
    return paths


def _stored(volume: Volume) -> UInt16[np.ndarray, "I J K"]:
    """Stored values: what the rescale turns back into the voxels."""
    intercept = RESCALE_INTERCEPT if volume.modality is Modality.CT else 0
    highest = 2 ** _BITS_STORED[volume.modality] - 1 + intercept
    if volume.voxels.dtype.kind not in "iu":
        raise ValueError(f"Expected integer voxels, found {volume.voxels.dtype}. Round them before writing.")
    low, high = int(volume.voxels.min()), int(volume.voxels.max())
    if low < intercept or high > highest:
        raise ValueError(
            f"Expected voxels of {intercept} to {highest}, found {low} to {high}. Clip them before writing."
        )
    return (volume.voxels.astype(np.int32) - intercept).astype(np.uint16)


def _common(volume: Volume, identity: SeriesIdentity) -> Dataset:
    """What all slices share: patient, study, series, geometry, pixel format."""
    dataset = Dataset()
    dataset.SOPClassUID = _STORAGE[volume.modality]
    dataset.Modality = str(volume.modality)
    dataset.PatientName = dataset.PatientID = identity.patient_id
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = SYNTHETIC
    dataset.StudyInstanceUID = identity.study_instance_uid
    dataset.SeriesInstanceUID = identity.series_instance_uid
    dataset.FrameOfReferenceUID = identity.frame_of_reference_uid
    # Type 2 attributes: present, and empty where unknown (PS3.5 7.4.3).
    for keyword in (
        *("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID"),
        *("AccessionNumber", "Manufacturer", "PositionReferenceIndicator", "AcquisitionNumber"),
    ):
        setattr(dataset, keyword, None)
    dataset.SeriesNumber = 1
    dataset.BodyPartExamined = "HEAD"
    dataset.PatientPosition = "HFS"
    _set_plane(dataset, volume)
    _set_pixel_format(dataset, volume)
    _SET_MODALITY[volume.modality](dataset, volume)
    return dataset


def _set_plane(dataset: Dataset, volume: Volume) -> None:
    """Image Plane Module, PS3.3 C.7.6.2: i runs along a row (to the next column), j down a column."""
    spacing_i, spacing_j = (float(np.linalg.norm(step)) for step in (volume.step_i, volume.step_j))
    dataset.PixelSpacing = _decimals(np.array([spacing_j, spacing_i]))
    row = ras_from_lps(volume.step_i / spacing_i)
    column = ras_from_lps(volume.step_j / spacing_j)
    dataset.ImageOrientationPatient = _decimals(np.concatenate([row, column]))
    heights = volume.slice_origins @ normal_of(volume.step_i, volume.step_j)
    dataset.SliceThickness = round(float(np.median(np.abs(np.diff(heights)))), 4)


def _set_pixel_format(dataset: Dataset, volume: Volume) -> None:
    """Image Pixel Module, PS3.3 C.7.6.3."""
    columns, rows, _ = volume.voxels.shape
    dataset.Rows, dataset.Columns = rows, columns
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = 16
    dataset.BitsStored = _BITS_STORED[volume.modality]
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = 0


def _set_ct(dataset: Dataset, volume: Volume) -> None:
    """CT Image Module, PS3.3 C.8.2.1."""
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.KVP = None
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = RESCALE_INTERCEPT, 1, "HU"
    dataset.WindowCenter, dataset.WindowWidth = 40, 80
    # The gantry turns about the patient's left-right axis: the angle of the normal in the sagittal plane.
    normal = normal_of(volume.step_i, volume.step_j)
    dataset.GantryDetectorTilt = round(float(np.degrees(np.arctan2(-normal[1], normal[2]))), 4)


def _set_mr(dataset: Dataset, _volume: Volume) -> None:
    """MR Image Module, PS3.3 C.8.3.1."""
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    dataset.ScanningSequence, dataset.SequenceVariant = "GR", "MP"
    for keyword in (
        "ScanOptions",
        "MRAcquisitionType",
        "EchoTime",
        "EchoTrainLength",
        "RepetitionTime",
        "InversionTime",
    ):
        setattr(dataset, keyword, None)


_SET_MODALITY: Final = {Modality.CT: _set_ct, Modality.MR: _set_mr}


def _slice(common: Dataset, stored: Integer[np.ndarray, "I J"], sop_instance_uid: str, k: int) -> Dataset:
    """One file: the common part, its own identity and pixels."""
    dataset = Dataset(common)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPInstanceUID = UID(sop_instance_uid)
    dataset.InstanceNumber = k + 1
    dataset.PixelData = np.ascontiguousarray(stored.T, "<u2").tobytes()
    dataset["PixelData"].VR = "OW"  # PS3.5 A.2: OW for more than eight bits allocated
    return dataset


def _decimals(numbers: Float64[np.ndarray, " n"]) -> list[str]:
    return [f"{number:.{_DECIMALS}f}" for number in numbers]
