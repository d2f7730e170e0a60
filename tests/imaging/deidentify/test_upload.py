"""What is kept of an upload: the same image to the last voxel, and nothing that leads to the patient."""

import errno
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from app.errors import NeuroFuseError, RequestError
from app.imaging.deidentify.dicom import IN_ITEMS, series_uid
from app.imaging.deidentify.upload import deidentify
from app.imaging.dicom.elements import KEYWORDS
from app.imaging.volume import Modality
from tests.imaging.encodings import compressed, transcoded
from tests.imaging.enhanced import enhanced, item, write_enhanced
from tests.imaging.keeping import CANARY, DATE, KEY, PLANTED, UID, contents, kept, refused_alike, seen
from tests.imaging.making import Series, save
from tests.imaging.nifti_bytes import parts

OURS = {"PatientIdentityRemoved", "DeidentificationMethodCodeSequence", "PixelData", "SpecificCharacterSet"}


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.samples
@pytest.mark.parametrize(("name", "modality"), [("ct-head-ge", Modality.CT), ("mr-t1", Modality.MR)])
def test_the_image_is_the_same_to_the_last_voxel(
    samples: Path, tmp_path: Path, name: str, modality: Modality
) -> None:
    paths = files_below(samples / name)
    found = seen(kept(paths, tmp_path / "kept"), modality)
    assert found == seen(paths, modality)
    assert not isinstance(found, str)


@pytest.mark.samples
def test_so_is_every_encoding_and_every_refusal(samples: Path, tmp_path: Path) -> None:
    names = ("encodings", "hostile", "nifti")
    files = [path for name in names for path in files_below(samples / name)]
    outcomes = set()
    for number, path in enumerate(files):
        try:
            found = seen(kept([path], tmp_path / str(number)), Modality.MR)
        except NeuroFuseError as error:  # an archive that cannot be opened is refused at once
            found = error.code
        assert found == seen([path], Modality.MR), path.name
        outcomes.add(found if isinstance(found, str) else "read")
    assert {"read", "unsupported-file", "wrong-modality"} <= outcomes


def named(dataset: Any) -> Any:
    """Planted in elements of every kind, those of the profile's table among them, at the top and in items."""
    for keyword in (
        "PatientName",
        "PatientID",
        "InstitutionName",
        "OperatorsName",
        "ImageComments",
        "StudyID",
    ):
        setattr(dataset, keyword, CANARY)
    dataset.ContrastBolusAgent = f"{CANARY} 300"
    dataset.PatientBirthDate = dataset.StudyDate = dataset.AcquisitionDate = DATE
    dataset.StudyInstanceUID = dataset.SOPInstanceUID = dataset.SeriesInstanceUID = UID
    dataset.FrameOfReferenceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID
    dataset.file_meta.SourceApplicationEntityTitle = CANARY
    dataset.add_new(0x60003000, "OW", CANARY.encode())
    dataset.private_block(0x0009, CANARY, create=True).add_new(1, "LO", CANARY)
    dataset.RequestAttributesSequence = [item(ScheduledProcedureStepID=CANARY)]
    dataset.preamble = CANARY.encode().ljust(128, b"\0")
    return dataset


def test_of_a_series_only_what_is_read_stays(tmp_path: Path) -> None:
    paths = []
    for number, dataset in enumerate(Series().datasets()):
        path = tmp_path / f"{CANARY}-{number}"
        named(dataset).save_as(path, enforce_file_format=True)
        paths.append(path)
    left = kept(paths, tmp_path / "kept")
    assert not [planted for planted in PLANTED if planted in contents(left)]
    dataset = pydicom.dcmread(left[0])
    assert {element.keyword for element in dataset} <= {*KEYWORDS, *OURS}
    assert dataset.PatientIdentityRemoved == "YES"
    assert dataset.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert seen(left) == seen(paths)
    assert not isinstance(seen(left), str)


def test_two_frames_of_reference_stay_two(tmp_path: Path) -> None:
    paths = []
    for number, dataset in enumerate(Series().datasets()):
        dataset.FrameOfReferenceUID = f"1.2.{number % 2}"
        paths.append(save(dataset, tmp_path / str(number)))
    left = kept(paths, tmp_path / "kept")
    assert seen(left) == seen(paths) == "mixed-series"


@pytest.mark.parametrize(("agent", "is_given"), [("None", False), ("", True)])
def test_a_series_without_contrast_agent_has_none_afterwards_either(
    tmp_path: Path, agent: str, is_given: bool
) -> None:
    said = {"ContrastBolusAgent": agent, "ContrastBolusVolume": 80}  # an amount tells where no name does
    left = pydicom.dcmread(kept(Series(extra=said).write(tmp_path / "sent"), tmp_path / "kept")[0])
    assert ("ContrastBolusAgent" in left) is is_given
    assert "ContrastBolusVolume" not in left


@pytest.mark.parametrize("other", ["2.25.1", "2.25.2"])
def test_two_examinations_stay_two_and_one_stays_one(tmp_path: Path, other: str) -> None:
    soft = Series(extra={"StudyInstanceUID": "2.25.1", "ConvolutionKernel": "STANDARD"})
    bone = Series(extra={"StudyInstanceUID": other, "ConvolutionKernel": "BONEPLUS"})
    paths = [*soft.write(tmp_path / "a"), *bone.write(tmp_path / "b")]
    found = seen(kept(paths, tmp_path / "kept"))
    assert found == seen(paths)
    assert (found == "mixed-series") is (other != "2.25.1")


def test_of_a_picture_that_is_no_slice_no_pixel_stays(tmp_path: Path) -> None:
    paths = Series().write(tmp_path / "sent")
    picture = named(pydicom.dcmread(paths[0]))
    picture.SOPClassUID = SecondaryCaptureImageStorage
    picture.PixelData = CANARY.encode().ljust(len(picture.PixelData), b"\0")
    picture.save_as(tmp_path / "sent" / "picture")
    paths.append(tmp_path / "sent" / "picture")
    left = kept(paths, tmp_path / "kept")
    assert CANARY.encode() not in contents(left)
    assert seen(left) == seen(paths)
    assert not isinstance(seen(left), str)


def test_a_series_is_found_by_the_name_that_stands_for_its_own(tmp_path: Path) -> None:
    paths = []
    for number, dataset in enumerate(Series().datasets()):
        path = tmp_path / str(number)
        named(dataset).save_as(path, enforce_file_format=True)
        paths.append(path)
    left = kept(paths, tmp_path / "kept")
    assert seen(left, series=series_uid(UID, KEY)) == seen(paths, series=UID)
    assert seen(left, series=UID) == "no-usable-series"
    assert series_uid(UID, KEY) != series_uid(UID, b"of another upload")


def test_of_functional_groups_only_what_is_read_stays(tmp_path: Path) -> None:
    dataset = named(enhanced(Series()))
    for group in dataset.PerFrameFunctionalGroupsSequence:
        group.FrameContentSequence = [item(FrameAcquisitionDateTime=f"{DATE}101010", FrameComments=CANARY)]
        group.DerivationImageSequence = [item(DerivationDescription=CANARY)]
        group.UnassignedPerFrameConvertedAttributesSequence = [
            item(
                ContrastBolusAgent=CANARY,
                ProtocolName=CANARY,
                SeriesInstanceUID=UID,
                ConcatenationUID=UID,
                ConvolutionKernel="B",
            )
        ]
    path = tmp_path / "sent"
    dataset.save_as(path, enforce_file_format=True)
    left = kept([path], tmp_path / "kept")
    assert not [planted for planted in PLANTED if planted in contents(left)]
    groups = pydicom.dcmread(left[0]).PerFrameFunctionalGroupsSequence
    assert {element.keyword for group in groups for element in group.iterall()} <= IN_ITEMS
    assert seen(left) == seen([path])
    assert not isinstance(seen(left), str)


def test_no_name_of_an_archive_or_of_its_members_stays_and_no_other_file(tmp_path: Path) -> None:
    archive = tmp_path / "sent.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.comment = CANARY.encode()
        for number, dataset in enumerate(Series().datasets()):
            path = tmp_path / str(number)
            named(dataset).save_as(path, enforce_file_format=True)
            packed.write(path, f"{CANARY}/{number}.dcm")
        packed.writestr(f"{CANARY}.txt", CANARY)
    left = kept([archive], tmp_path / "kept")
    assert not [planted for planted in PLANTED if planted in contents(left)]
    assert CANARY not in repr(left)
    assert seen(left) == seen([archive])
    assert not isinstance(seen(left), str)


@pytest.mark.parametrize("start", [b"", b"\x1f\x8b\x08", b"\x5c\x01\0\0"])
def test_what_is_no_image_is_refused_before_it_is_kept(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "sent"
    path.write_bytes(start + CANARY.encode() * 200)
    assert refused_alike([path], tmp_path / "kept") in {"unsupported-file", "corrupt-image"}


def test_of_a_broken_slice_nothing_that_was_planted_stays(tmp_path: Path) -> None:
    path = tmp_path / "sent"
    path.write_bytes(bytes(128) + b"DICM" + CANARY.encode() * 200)
    left = kept([path], tmp_path / "kept")
    assert CANARY.encode() not in contents(left)
    assert seen(left) == seen([path])


def zipped(paths: Sequence[Path], archive: Path, damaged: Path) -> Path:
    """An archive in which one byte of a member's pixels is not what its checksum says."""
    with zipfile.ZipFile(archive, "w") as packed:
        for number, path in enumerate(paths):
            packed.write(path, str(number))
    content, member = bytearray(archive.read_bytes()), damaged.read_bytes()
    content[content.index(member) + len(member) - 10] ^= 1
    archive.write_bytes(content)
    return archive


def cut(paths: Sequence[Path], _archive: Path, damaged: Path) -> list[Path]:
    damaged.write_bytes(damaged.read_bytes()[:-20])
    return list(paths)


@pytest.mark.parametrize(
    ("make", "syntax"),
    [(transcoded, ExplicitVRLittleEndian), (transcoded, ExplicitVRBigEndian), (compressed, RLELossless)],
)
@pytest.mark.parametrize("damage", [lambda *given: [zipped(*given)], cut])
def test_a_slice_with_damaged_pixels_is_never_left_out(
    tmp_path: Path, make: Callable[..., list[Path]], syntax: str, damage: Callable[..., list[Path]]
) -> None:
    """The last one, whose absence would leave no gap."""
    paths = make(Series(), tmp_path / "series", syntax)
    sent = damage(paths, tmp_path / "sent.zip", paths[-1])
    assert seen(sent) == "corrupt-image"
    assert seen(kept(sent, tmp_path / "kept")) == "corrupt-image"


def test_an_encoding_that_nobody_knows_is_not_taken_for_a_plain_one(tmp_path: Path) -> None:
    paths = Series().write(tmp_path / "series")
    last = paths[-1].read_bytes()
    assert last.count(b"1.2.840.10008.1.2.1\0") == 1
    paths[-1].write_bytes(last.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1o"))
    assert seen(paths) == "unsupported-file"
    with pytest.raises(RequestError):
        kept(paths, tmp_path / "kept")


def test_an_enhanced_image_with_damaged_pixels_stays_damaged(tmp_path: Path) -> None:
    path = write_enhanced(Series(), tmp_path / "sent")
    archive = zipped([path], tmp_path / "sent.zip", path)
    assert seen([archive]) == "corrupt-image"
    assert seen(kept([archive], tmp_path / "kept")) == "corrupt-image"


def test_damaged_pixels_of_a_series_that_is_not_read_harm_no_other(tmp_path: Path) -> None:
    wanted = Series().write(tmp_path / "wanted")
    others = Series(series_uid="2.25.99", depths_mm=range(6)).write(tmp_path / "others")
    archive = zipped([*wanted, *others], tmp_path / "sent.zip", others[-1])
    found = seen(kept([archive], tmp_path / "kept"))
    assert found == seen([archive])
    assert not isinstance(found, str)


def a_slice(folder: Path) -> Path:
    return Series().write(folder)[0]


def a_nifti(folder: Path) -> Path:
    path = folder / "sent"
    path.write_bytes(b"".join(parts()))
    return path


@pytest.mark.parametrize("make", [a_slice, a_nifti])
def test_a_full_disk_is_told_as_such_and_not_as_a_damaged_image(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    sent = make(tmp_path)
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "000000").symlink_to("/dev/full")  # full(4): every write fails with ENOSPC
    with pytest.raises(OSError, match="No space left") as full:
        deidentify([sent], folder, KEY)
    assert full.value.errno == errno.ENOSPC


@pytest.mark.parametrize("is_enhanced", [False, True])
def test_a_ct_in_another_unit_than_hu_stays_one(tmp_path: Path, is_enhanced: bool) -> None:
    series = Series(extra={"RescaleType": "MGML"})
    if is_enhanced:
        dataset = enhanced(series)
        dataset.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence[0].RescaleType = "MGML"
        dataset.save_as(tmp_path / "sent", enforce_file_format=True)
        paths = [tmp_path / "sent"]
    else:
        paths = series.write(tmp_path / "sent")
    assert seen(kept(paths, tmp_path / "kept")) == seen(paths) == "unsupported-file"


def test_two_passes_of_a_ct_in_one_enhanced_file_stay_two(tmp_path: Path) -> None:
    dataset = enhanced(Series())
    for n, groups in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        groups.FrameContentSequence = [item(FrameAcquisitionNumber=1 + n % 2)]
    dataset.save_as(tmp_path / "sent", enforce_file_format=True)
    assert seen(kept([tmp_path / "sent"], tmp_path / "kept")) == seen([tmp_path / "sent"]) == "mixed-series"
