"""What is kept of a NIfTI: the same voxels, and neither words nor anything around them."""

import gzip
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from app.imaging.files.file_kind import FileKind, kind_of
from app.imaging.volume import Modality
from tests.imaging.keeping import CANARY, DATE, PLANTED, UID, contents, kept, refused_alike, seen
from tests.imaging.nifti_bytes import VOXELS, parts


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
