import gzip
import stat
import struct
import sys
import tracemalloc
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from app.errors import (
    ArchiveTooLargeError,
    CorruptImageError,
    MalformedRequestError,
    MixedSeriesError,
    UnsupportedFileError,
    UploadTooLargeError,
)
from app.imaging.files.archive import members_of
from app.imaging.files.source import Source
from app.imaging.limits import DEFAULT_LIMITS, ReadLimits
from app.imaging.read import read_image
from app.imaging.volume import Modality
from tests.imaging.enhanced import write_enhanced
from tests.imaging.making import Series, write_nifti_file

AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])


def pack(target: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target


@pytest.fixture
def series(tmp_path: Path) -> list[Path]:
    return Series().write(tmp_path / "series")


def test_two_archives_in_one_file_are_refused(tmp_path: Path, series: list[Path]) -> None:
    """The last directory alone is found, so that half of a head would be read as if it were all of it."""
    members = {str(n): path.read_bytes() for n, path in enumerate(series)}
    halves = [dict(list(members.items())[start::2]) for start in (0, 1)]
    joined = tmp_path / "joined"
    joined.write_bytes(b"".join(pack(tmp_path / str(n), half).read_bytes() for n, half in enumerate(halves)))
    with pytest.raises(CorruptImageError, match="Pack all files into one archive"):
        read_image([joined], modality=Modality.CT)


def test_a_zip_of_a_series_reads_as_the_series(tmp_path: Path, series: list[Path]) -> None:
    members = {f"deep/ly/{n}": path.read_bytes() for n, path in enumerate(series)}
    packed = read_image([pack(tmp_path / "a", {**members, "README": b"text"})], modality=Modality.CT)
    plain = read_image(series, modality=Modality.CT)
    assert np.array_equal(packed.voxels, plain.voxels)
    assert np.array_equal(packed.grid.affine, plain.grid.affine)
    assert [finding.code for finding in packed.findings] == ["files-ignored"]


def test_a_zip_of_an_enhanced_image_reads_as_the_image(tmp_path: Path) -> None:
    image = write_enhanced(Series(), tmp_path / "a")
    packed = pack(tmp_path / "a.zip", {"a": image.read_bytes()})
    expected = read_image([image], modality=Modality.CT)
    assert np.array_equal(read_image([packed], modality=Modality.CT).voxels, expected.voxels)


def test_a_zip_of_a_nifti_reads_as_the_nifti(tmp_path: Path) -> None:
    path = write_nifti_file(
        tmp_path / "a.nii.gz", np.arange(1000, dtype=np.int16).reshape(10, 10, 10), AFFINE
    )
    packed = pack(tmp_path / "z", {"whatever": path.read_bytes()})
    assert np.array_equal(
        read_image([packed], modality=Modality.MR).voxels, read_image([path], modality=Modality.MR).voxels
    )


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "C:\\evil", "a/../../../evil", "x\0y"])
def test_a_name_leads_nowhere_and_is_kept_nowhere(tmp_path: Path, name: str) -> None:
    with members_of(pack(tmp_path / "a.zip", {name: b"data"}), DEFAULT_LIMITS) as members:
        assert contents(members) == [b"data"]
        assert not any(isinstance(kept, str) for kept in vars(members[0]).values())
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def contents(members: Sequence[Source]) -> list[bytes]:
    return [member.head(member.size) for member in members]


@pytest.mark.parametrize("name", [b"Mu\xcc\x88ller", b"M\xfcller", b"\xff\xfe/..\\\x80"])
@pytest.mark.parametrize("says_utf8", [True, False])
def test_a_name_that_is_not_what_its_flag_says_is_no_damage(
    tmp_path: Path, series: list[Path], name: bytes, says_utf8: bool
) -> None:
    # Packers set the flag of UTF-8 and write names as the system has them.
    stands_in = "n" * len(name)
    members = {f"{n:02d}{stands_in}": path.read_bytes() for n, path in enumerate(series)}
    packed = pack(tmp_path / "a", members).read_bytes().replace(stands_in.encode(), name)
    if says_utf8:
        for signature, flags in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
            packed = with_flag(packed, signature, flags)
    (tmp_path / "a").write_bytes(packed)
    read = read_image([tmp_path / "a"], modality=Modality.CT)
    assert np.array_equal(read.voxels, read_image(series, modality=Modality.CT).voxels)


def with_flag(packed: bytes, signature: bytes, flags: int) -> bytes:
    """An archive whose headers of one kind all say that their names are UTF-8."""
    head, *parts = packed.split(signature)
    at = flags - len(signature)
    said = [part[: at + 1] + bytes([part[at + 1] | 0x08]) + part[at + 2 :] for part in parts]
    return signature.join([head, *said])


def test_nothing_is_unfolded_on_disk(
    tmp_path: Path, series: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where no file can be made, an archive is read all the same.
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    path = pack(tmp_path / "a.zip", {path.name: path.read_bytes() for path in series})
    before = set(tmp_path.rglob("*"))
    read_image([path], modality=Modality.CT)
    assert set(tmp_path.rglob("*")) == before


def test_a_bomb_is_stopped_by_its_ratio(tmp_path: Path) -> None:
    bomb = pack(tmp_path / "a.zip", {f"{n}": b"\0" * (8 << 20) for n in range(10)})
    with pytest.raises(ArchiveTooLargeError):
        read_image([bomb], modality=Modality.CT)


def test_a_member_that_lies_about_its_size_is_counted_not_believed(tmp_path: Path) -> None:
    image = write_nifti_file(tmp_path / "a.nii", np.zeros((40, 40, 40), np.int16), AFFINE).read_bytes()
    path = pack(tmp_path / "a.zip", {"a": image})
    lying = path.read_bytes().replace(struct.pack("<I", len(image)), struct.pack("<I", 50_000))
    path.write_bytes(lying)
    with pytest.raises(CorruptImageError):
        read_image([path], modality=Modality.MR, limits=ReadLimits(max_archive_bytes=50_000))


def test_bytes_are_bounded(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"a": b"x" * 60_000, "b": b"y" * 60_000})
    with pytest.raises(ArchiveTooLargeError, match="at most 100000 bytes"):
        read_image([path], modality=Modality.CT, limits=ReadLimits(max_archive_bytes=100_000))


def test_members_are_bounded(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {str(n): b"" for n in range(5)})
    with pytest.raises(UploadTooLargeError, match="at most 4 files in the archive, found 5"):
        read_image([path], modality=Modality.CT, limits=ReadLimits(max_files=4))


def test_a_hundred_thousand_members_are_refused_before_an_object_is_made_of_each(tmp_path: Path) -> None:
    path = repeated(tmp_path / "a.zip", 100_000)
    tracemalloc.start()
    try:
        with pytest.raises(UploadTooLargeError, match="at most 20000 files in the archive, found 100000"):
            read_image([path], modality=Modality.CT)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_directory_that_hides_its_number_of_members_is_refused_by_its_length(tmp_path: Path) -> None:
    path = repeated(tmp_path / "a.zip", 60_000)
    end = path.read_bytes()[-22:]
    path.write_bytes(path.read_bytes()[:-22] + end[:8] + struct.pack("<HH", 1, 1) + end[12:])
    with pytest.raises(UploadTooLargeError, match="a directory of at most"):
        read_image([path], modality=Modality.CT, limits=ReadLimits(max_files=1000))
    with pytest.raises(UploadTooLargeError, match="at most 20000 files in the archive, found 60000"):
        read_image([path], modality=Modality.CT)


def test_members_that_share_their_bytes_are_each_counted(tmp_path: Path) -> None:
    path = repeated(tmp_path / "a.zip", 1000, b"\0" * (1 << 20))
    assert path.stat().st_size < 100_000
    with pytest.raises(ArchiveTooLargeError) as caught:
        read_image([path], modality=Modality.CT)
    assert caught.value.fields["limit"] == DEFAULT_LIMITS.ratio_free_bytes


def repeated(path: Path, count: int, data: bytes = b"") -> Path:
    """A zip whose directory names one member `count` times: small on disk, and what zip bombs are made of."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", data)
    begin = packed.getvalue().index(b"PK\x01\x02")
    member, entry = packed.getvalue()[:begin], packed.getvalue()[begin:-22]
    size = count * len(entry)
    parts = [member, entry * count]
    if count > 0xFFFF:  # APPNOTE 4.3.14 and 4.3.15
        at = begin + size
        parts.append(struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, begin))
        parts.append(struct.pack("<4sLQL", b"PK\6\7", 0, at, 1))
    shown = min(count, 0xFFFF)
    parts.append(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, shown, shown, size, begin, 0))
    path.write_bytes(b"".join(parts))
    return path


def test_files_are_bounded(series: list[Path]) -> None:
    with pytest.raises(UploadTooLargeError):
        read_image(series, modality=Modality.CT, limits=ReadLimits(max_files=4))


def test_an_archive_in_an_archive_is_never_unfolded(tmp_path: Path, series: list[Path]) -> None:
    inner = pack(tmp_path / "inner", {path.name: path.read_bytes() for path in series})
    with pytest.raises(UnsupportedFileError, match=r"found: 1 zip\. A zip within"):
        read_image([pack(tmp_path / "a.zip", {"series.dcm": inner.read_bytes()})], modality=Modality.CT)


def test_a_viewer_that_was_packed_with_a_series_is_left_out(tmp_path: Path, series: list[Path]) -> None:
    # Patients' CDs carry a viewer, often as .jar, which is a zip.
    viewer = pack(tmp_path / "viewer", {"Main.class": b"\xca\xfe\xba\xbe"}).read_bytes()
    files = {path.name: path.read_bytes() for path in series} | {"viewer.jar": viewer}
    volume = read_image([pack(tmp_path / "a.zip", files)], modality=Modality.CT)
    assert [finding.code for finding in volume.findings] == ["files-ignored"]


@pytest.mark.parametrize("layers", [1, 2])
def test_a_gzip_of_an_archive_is_refused(tmp_path: Path, series: list[Path], layers: int) -> None:
    data = pack(tmp_path / "inner", {path.name: path.read_bytes() for path in series}).read_bytes()
    for _ in range(layers):
        data = gzip.compress(data)
    (tmp_path / "a.nii.gz").write_bytes(data)
    with pytest.raises(UnsupportedFileError):
        read_image([tmp_path / "a.nii.gz"], modality=Modality.CT)
    with pytest.raises(UnsupportedFileError):
        read_image([pack(tmp_path / "a.zip", {"a": data})], modality=Modality.CT)


def test_a_gzip_of_a_gzip_of_an_image_is_refused(tmp_path: Path) -> None:
    plain = write_nifti_file(tmp_path / "a.nii", np.zeros((9, 9, 9), np.int16), AFFINE)
    (tmp_path / "a").write_bytes(gzip.compress(gzip.compress(plain.read_bytes())))
    with pytest.raises(UnsupportedFileError):
        read_image([tmp_path / "a"], modality=Modality.MR)


def test_a_link_is_a_file_of_words_and_leads_nowhere(tmp_path: Path, series: list[Path]) -> None:
    target = tmp_path / "a.zip"
    with zipfile.ZipFile(target, "w") as archive:
        for path in series:
            archive.write(path, path.name)
        for name, place in {"link": "/etc/passwd", "folder": "..", "folder/inside": "x"}.items():
            link = zipfile.ZipInfo(name)
            link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
            archive.writestr(link, place)
    with members_of(target, DEFAULT_LIMITS) as members:
        assert contents(members[-3:]) == [b"/etc/passwd", b"..", b"x"]
    volume = read_image([target], modality=Modality.CT)
    assert np.array_equal(volume.voxels, read_image(series, modality=Modality.CT).voxels)


MACOS_FORK = b"\0\5\x16\7\0\2\0\0Mac OS X        " + bytes(120)
WINDOWS_THUMBNAILS = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
FILE_MANAGERS = {
    "__MACOSX/series/._0001": MACOS_FORK,
    "series/._0002": MACOS_FORK,
    ".DS_Store": b"\0\0\0\1Bud1" + bytes(400),
    "series/Thumbs.db": WINDOWS_THUMBNAILS,
    "desktop.ini": b"[.ShellClassInfo]\r\n",
    "empty": b"",
}


def test_what_file_managers_add_is_left_out_of_a_series(tmp_path: Path, series: list[Path]) -> None:
    members = {f"series/{path.name}": path.read_bytes() for path in series}
    volume = read_image([pack(tmp_path / "a.zip", {**FILE_MANAGERS, **members})], modality=Modality.CT)
    assert np.array_equal(volume.voxels, read_image(series, modality=Modality.CT).voxels)
    assert [finding.code for finding in volume.findings] == ["files-ignored"]


def test_what_file_managers_add_is_left_out_beside_a_nifti(tmp_path: Path) -> None:
    image = write_nifti_file(
        tmp_path / "a.nii.gz", np.arange(1000, dtype=np.int16).reshape(10, 10, 10), AFFINE
    )
    path = pack(tmp_path / "a.zip", {**FILE_MANAGERS, "a.nii.gz": image.read_bytes()})
    volume = read_image([path], modality=Modality.MR)
    assert np.array_equal(volume.voxels, read_image([image], modality=Modality.MR).voxels)


def test_an_image_that_hides_gigabytes_behind_its_voxels_is_read_without_them(tmp_path: Path) -> None:
    voxels = np.arange(1000, dtype=np.int16).reshape(10, 10, 10)
    image = write_nifti_file(tmp_path / "a.nii", voxels, AFFINE).read_bytes()
    block = gzip.compress(bytes(64 << 20))
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(image) + block * 64)  # 4 GiB unfolded; members of a gzip follow each other
    assert np.array_equal(read_image([path], modality=Modality.MR).voxels, voxels)


@pytest.mark.skipif(sys.platform != "linux", reason="memory in use is read from /proc")
@pytest.mark.parametrize("packed", [False, True])
def test_a_header_that_announces_gigabytes_takes_no_memory_for_what_is_not_there(
    tmp_path: Path, packed: bool
) -> None:
    image = bytearray(
        write_nifti_file(tmp_path / "a.nii", np.zeros((9, 9, 9), np.int16), AFFINE).read_bytes()
    )
    image[42:48] = struct.pack("<3h", 1024, 1024, 256)  # dim[1..3], nifti1.h
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(image) if packed else image)
    forget_peak_memory()
    before = peak_memory_bytes()
    with pytest.raises(CorruptImageError, match="Expected 536870912 bytes"):
        read_image([path], modality=Modality.MR)
    assert peak_memory_bytes() - before < 64 << 20


def forget_peak_memory() -> None:
    """Lets the peak begin again at what is in use now (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_memory_bytes() -> int:
    """Most memory this process had in use since then."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_rare_compressions_are_refused(tmp_path: Path, method: int) -> None:
    with pytest.raises(UnsupportedFileError, match="compression"):
        read_image([pack(tmp_path / "a.zip", {"a": b"data"}, method)], modality=Modality.CT)


def test_encryption_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"a": b"data"})
    data = bytearray(path.read_bytes())
    directory = data.index(b"PK\x01\x02")
    data[directory + 8] |= 1
    path.write_bytes(bytes(data))
    with pytest.raises(UnsupportedFileError, match="encrypted"):
        read_image([path], modality=Modality.CT)


@pytest.mark.parametrize("kept", [4, 50, -30, -1])
def test_a_truncated_archive_is_damaged(tmp_path: Path, series: list[Path], kept: int) -> None:
    path = pack(tmp_path / "a.zip", {path.name: path.read_bytes() for path in series})
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CorruptImageError):
        read_image([path], modality=Modality.CT)


def test_flipped_bytes_in_an_archive_are_noticed(tmp_path: Path, series: list[Path]) -> None:
    path = pack(tmp_path / "a.zip", {path.name: path.read_bytes() for path in series})
    data = bytearray(path.read_bytes())
    data[2000:2040] = bytes(40)
    path.write_bytes(bytes(data))
    with pytest.raises(CorruptImageError):
        read_image([path], modality=Modality.CT)


def test_an_empty_archive_holds_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFileError, match="found: nothing"):
        read_image([pack(tmp_path / "a.zip", {})], modality=Modality.CT)


def test_an_archive_comes_alone(tmp_path: Path, series: list[Path]) -> None:
    with pytest.raises(MalformedRequestError):
        read_image([pack(tmp_path / "a.zip", {"a": b""}), series[0]], modality=Modality.CT)


def test_a_nifti_beside_a_series_is_refused(tmp_path: Path, series: list[Path]) -> None:
    nifti = write_nifti_file(tmp_path / "a.nii", np.zeros((5, 5, 5), np.int16), AFFINE)
    with pytest.raises(MixedSeriesError, match="1 NIfTI and 20 DICOM"):
        read_image([nifti, *series], modality=Modality.CT)
