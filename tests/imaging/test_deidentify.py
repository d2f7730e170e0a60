"""What is kept of an upload: the same image to the last voxel, and nothing that leads to the patient."""

import errno
import gzip
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.uid import SecondaryCaptureImageStorage

from app.errors import NeuroFuseError, RequestError
from app.imaging.deidentify import deidentify
from app.imaging.deidentify_dicom import IN_ITEMS, series_uid
from app.imaging.dicom_elements import KEYWORDS
from app.imaging.file_kind import FileKind, kind_of
from app.imaging.read import read_image
from app.imaging.volume import Modality, Volume
from tests.imaging.enhanced import enhanced, item
from tests.imaging.making import Series
from tests.imaging.nifti_bytes import VOXELS, parts

CANARY = "ZZCANARY"
DATE, UID = "19010203", "1.2.826.0.1.3680043.8.498.77190102777"
PLANTED = (CANARY.encode(), DATE.encode(), UID.encode())
KEY = b"of this test"
OURS = {"PatientIdentityRemoved", "DeidentificationMethodCodeSequence", "PixelData", "SpecificCharacterSet"}


def kept(paths: Sequence[Path], folder: Path) -> list[Path]:
    folder.mkdir()
    deidentify(paths, folder, KEY)
    return sorted(folder.iterdir())


def seen(paths: Sequence[Path], modality: Modality = Modality.CT, series: str | None = None) -> Any:
    """A volume as plain values, or the code of its refusal."""
    try:
        return told(read_image(paths, modality=modality, series=series))
    except NeuroFuseError as error:
        return error.code


def refused(do: Callable[[], object]) -> tuple[str, str]:
    """Code and words of a refusal."""
    with pytest.raises(RequestError) as caught:
        do()
    return caught.value.code, str(caught.value)


def refused_alike(paths: Sequence[Path], folder: Path) -> str:
    """The code by which files are refused before they are kept, in the words of their reader."""
    code, words = refused(lambda: kept(paths, folder))
    assert (code, words) == refused(lambda: read_image(paths, modality=Modality.MR))
    return code


def told(volume: Volume) -> Any:
    geometry = (volume.grid.affine.tolist(), volume.slice_origins.tolist(), volume.step_i.tolist())
    return volume.voxels.tobytes(), volume.voxels.dtype, geometry, volume.findings, repr(volume.series)


def contents(paths: Sequence[Path]) -> bytes:
    every = [path.read_bytes() for path in paths]
    return b"".join(gzip.decompress(one) if one[:2] == b"\x1f\x8b" else one for one in every)


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
    path = tmp_path / "sent"
    dataset.save_as(path, enforce_file_format=True)
    left = kept([path], tmp_path / "kept")
    assert not [planted for planted in PLANTED if planted in contents(left)]
    groups = pydicom.dcmread(left[0]).PerFrameFunctionalGroupsSequence
    assert {element.keyword for group in groups for element in group.iterall()} <= IN_ITEMS
    assert seen(left) == seen([path])
    assert not isinstance(seen(left), str)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("version", [1, 2])
def test_a_nifti_has_no_words_no_extension_and_no_end_behind_its_end(
    tmp_path: Path, version: int, packed: bool
) -> None:
    kind = {1: nibabel.nifti1.Nifti1Image, 2: nibabel.nifti2.Nifti2Image}[version]
    voxels = np.arange(8 * 8 * 6, dtype=np.int16).reshape(8, 8, 6)
    image = kind(voxels, np.diag([2.0, 2.0, 2.0, 1.0]))  # type: ignore[no-untyped-call]  # nibabel has no types
    image.header["descrip"] = image.header["aux_file"] = image.header["intent_name"] = CANARY
    words = nibabel.nifti1.Nifti1Extension(6, f"{CANARY} {DATE} {UID}".encode())
    image.header.extensions.append(words)
    plain = image.to_bytes() + CANARY.encode()
    path = tmp_path / "sent"
    path.write_bytes(gzip.compress(plain) if packed else plain)
    left = kept([path], tmp_path / "kept")
    assert CANARY.encode() in plain
    assert not [planted for planted in PLANTED if planted in contents(left)]
    assert seen(left, Modality.MR) == seen([path], Modality.MR)
    assert not isinstance(seen(left, Modality.MR), str)


def test_a_pair_and_what_lies_beside_it(tmp_path: Path) -> None:
    voxels = np.arange(8 * 8 * 6, dtype=np.int16).reshape(8, 8, 6)
    image = nibabel.nifti1.Nifti1Pair(voxels, np.diag([2.0, 2.0, 2.0, 1.0]))
    image.header["descrip"] = CANARY
    image.to_filename(tmp_path / "sent.hdr")
    note = tmp_path / "note.txt"
    note.write_text(CANARY)
    paths = [tmp_path / "sent.hdr", tmp_path / "sent.img", note]
    left = kept(paths, tmp_path / "kept")
    assert CANARY.encode() not in contents(left)
    assert seen(left, Modality.MR) == seen(paths, Modality.MR)
    assert not isinstance(seen(left, Modality.MR), str)


def pair_beside(
    folder: Path, image: bytes, *others: bytes, fields: dict[str, Any] | None = None
) -> list[Path]:
    """The header of a pair, an image, and other files, by no names."""
    contents = (parts(pair=True, fields=fields).header, image, *others)
    paths = [folder / str(number) for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


def test_a_report_larger_than_packed_voxels_is_not_kept_in_their_place(tmp_path: Path) -> None:
    dark = np.zeros_like(VOXELS)
    dark[4, 4, 4] = 900
    image = parts(dark, pair=True).image
    report = CANARY.encode() * 60
    paths = pair_beside(tmp_path, gzip.compress(image), report)
    assert len(gzip.compress(image)) < len(report) < len(image)
    left = kept(paths, tmp_path / "kept")
    assert CANARY.encode() not in contents(left)
    assert seen(left, Modality.MR) == seen(paths, Modality.MR)
    assert not isinstance(seen(left, Modality.MR), str)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("front", [0, 512])
def test_nothing_stays_before_or_behind_the_voxels_of_a_pair(
    tmp_path: Path, pack: Callable[[bytes], bytes], front: int
) -> None:
    voxels = parts(pair=True).image
    image = (CANARY.encode() * 64)[:front] + voxels + CANARY.encode()
    paths = pair_beside(tmp_path, pack(image), fields={"vox_offset": front})
    left = kept(paths, tmp_path / "kept")
    assert contents(left[1:]) == bytes(front) + voxels
    assert seen(left, Modality.MR) == seen(paths, Modality.MR)
    assert not isinstance(seen(left, Modality.MR), str)


def with_a_wrong_checksum(plain: bytes) -> bytes:
    packed = bytearray(gzip.compress(plain))
    packed[-8] ^= 1
    return bytes(packed)


IMAGE = parts(pair=True).image
SINGLE = b"".join(parts())


@pytest.mark.parametrize(
    ("code", "image", "others"),
    [
        ("unsupported-file", IMAGE, [CANARY.encode() * 200]),
        ("unsupported-file", IMAGE[:-1], []),
        ("unsupported-file", gzip.compress(IMAGE), [gzip.compress(CANARY.encode())]),
        ("corrupt-image", gzip.compress(IMAGE[:-1]), []),
        ("corrupt-image", gzip.compress(IMAGE)[:-1], []),
        ("corrupt-image", with_a_wrong_checksum(IMAGE), []),
        ("mixed-series", gzip.compress(IMAGE[:-1]), [SINGLE]),
        ("mixed-series", IMAGE, [parts(pair=True).header]),
        ("corrupt-image", IMAGE, [b"\x1f\x8b" + CANARY.encode()]),
    ],
)
def test_a_pair_that_is_refused_is_refused_before_it_is_kept(
    tmp_path: Path, code: str, image: bytes, others: list[bytes]
) -> None:
    paths = pair_beside(tmp_path, image, *others)
    assert refused_alike(paths, tmp_path / "kept") == code


def test_short_voxels_that_pack_well_are_still_damaged(tmp_path: Path) -> None:
    fields = {"dim": [3, 128, 128, 64, 1, 1, 1, 1]}
    paths = pair_beside(tmp_path, gzip.compress(bytes(4000), 0), fields=fields)
    assert refused_alike(paths, tmp_path / "kept") == "corrupt-image"


@pytest.mark.parametrize("members", [parts(pair=True), [SINGLE]])
def test_voxels_that_a_zip_finds_damaged_are_still_damaged(tmp_path: Path, members: Sequence[bytes]) -> None:
    archive = tmp_path / "sent.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for number, member in enumerate(members):
            packed.writestr(str(number), member)
    archive.write_bytes(archive.read_bytes().replace(IMAGE, IMAGE[:-1] + b"\x7f"))
    assert refused_alike([archive], tmp_path / "kept") == "corrupt-image"


def test_a_dataset_without_preamble_beside_a_pair_is_still_left_out(tmp_path: Path) -> None:
    bare = b"\x08\0\x05\0\x0a\0\0\0ISO_IR 100" + CANARY.encode() * 20
    paths = pair_beside(tmp_path, IMAGE, bare)
    left = kept(paths, tmp_path / "kept")
    assert kind_of(bare) is FileKind.DICOM
    assert CANARY.encode() not in contents(left)
    assert seen(left, Modality.MR) == seen(paths, Modality.MR)
    assert not isinstance(seen(left, Modality.MR), str)


def test_a_single_file_with_a_wrong_checksum_is_still_damaged(tmp_path: Path) -> None:
    path = tmp_path / "sent"
    path.write_bytes(with_a_wrong_checksum(SINGLE))
    assert refused_alike([path], tmp_path / "kept") == "corrupt-image"


@pytest.mark.parametrize("pair", [False, True])
def test_a_header_that_its_decoder_gives_up_is_still_damaged(tmp_path: Path, pair: bool) -> None:
    fields = {"scl_slope": 2, "scl_inter": np.nan, "descrip": CANARY}
    header, image = tmp_path / "header", tmp_path / "image"
    header.write_bytes(parts(pair=pair, fields=fields).header)
    image.write_bytes(IMAGE)
    assert refused_alike([header, image], tmp_path / "kept") == "corrupt-image"


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


def a_slice(folder: Path) -> Path:
    return Series().write(folder)[0]


def a_nifti(folder: Path) -> Path:
    path = folder / "sent"
    path.write_bytes(SINGLE)
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
