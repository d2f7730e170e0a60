"""One member of a zip: the bytes that were packed, as far as they are asked for, or a named error."""

import zipfile
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import CorruptImageError
from app.imaging.files.archive import members_of
from app.imaging.files.zip_member import ZipMember
from app.imaging.limits import DEFAULT_LIMITS

RELAXED = settings(
    deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
CONTENTS = st.builds(
    lambda words, times, tail: b"".join(word * times for word in words) + tail,
    st.lists(st.binary(max_size=600), max_size=6),
    st.integers(1, 400),
    st.binary(max_size=2000),
)


def packed(data: bytes, method: int = zipfile.ZIP_DEFLATED, level: int = 6) -> bytes:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", method, compresslevel=level) as opened:
        opened.writestr("a", data)
    return archive.getvalue()


def member(folder: Path, archive: bytes, stack: ExitStack) -> ZipMember:
    path = folder / "a.zip"
    path.write_bytes(archive)
    return stack.enter_context(members_of(path, DEFAULT_LIMITS))[0]


@RELAXED
@given(
    data=CONTENTS,
    form=st.sampled_from([(zipfile.ZIP_STORED, 0), *((zipfile.ZIP_DEFLATED, level) for level in (0, 1, 9))]),
    count=st.integers(0, 300_000),
    pieces=st.lists(st.integers(1, 90_000), min_size=1, max_size=5),
    back=st.integers(0, 5000),
)
def test_a_member_reads_as_what_was_packed_whichever_way_it_is_read(
    tmp_path: Path, data: bytes, form: tuple[int, int], count: int, pieces: list[int], back: int
) -> None:
    with ExitStack() as stack:
        one = member(tmp_path, packed(data, *form), stack)
        assert one.size == len(data)
        assert one.head(count) == data[:count]
        assert one.loaded().part(back, count) == data[back : back + count]
        assert one.loaded().open().read() == data
        stream = one.open()
        found = bytearray()
        while piece := stream.read(pieces[len(found) % len(pieces)]):
            found += piece
        assert found == data
        stream.seek(back)
        assert stream.read() == data[back:]


NOISE = bytes(range(256)) * 3000


def damaged(archive: bytes, where: float) -> bytes:
    """One byte of the packed data changed, at a share of its length."""
    flipped = bytearray(archive)
    flipped[40 + int(where * (archive.index(b"PK\x01\x02") - 41))] ^= 0x55
    return bytes(flipped)


@pytest.mark.parametrize("method", METHODS)
def test_damage_is_met_where_a_member_is_read_to_its_end(tmp_path: Path, method: int) -> None:
    with ExitStack() as stack:
        one = member(tmp_path, damaged(packed(NOISE, method, 0), 0.9), stack)
        assert one.head(100_000) == NOISE[:100_000]
        with pytest.raises(CorruptImageError):
            one.loaded()
        with one.open() as stream, pytest.raises(zipfile.BadZipFile, match="checksum"):
            stream.read()


@pytest.mark.parametrize("wrong", [-1, 1, 5000])
def test_a_member_has_just_the_size_that_the_directory_says(tmp_path: Path, wrong: int) -> None:
    archive = packed(NOISE)
    entry = archive.index(b"PK\x01\x02") + 24  # uncompressed size, APPNOTE 4.3.12
    said = (len(NOISE) + wrong).to_bytes(4, "little")
    with ExitStack() as stack:
        one = member(tmp_path, archive[:entry] + said + archive[entry + 4 :], stack)
        assert one.head(2000) == NOISE[:2000]
        with pytest.raises(CorruptImageError):
            one.loaded()
        with one.open() as stream, pytest.raises(zipfile.BadZipFile):
            stream.read()


def test_a_member_that_is_not_where_the_directory_says_is_damage(tmp_path: Path) -> None:
    archive = packed(b"data").replace(b"PK\x03\x04", b"KP\x03\x04")
    with ExitStack() as stack, pytest.raises(CorruptImageError):
        member(tmp_path, archive, stack).head(4)


def test_an_archive_that_loses_its_end_while_it_is_read_is_damage(tmp_path: Path) -> None:
    with ExitStack() as stack:
        one = member(tmp_path, packed(NOISE, zipfile.ZIP_STORED), stack)
        (tmp_path / "a.zip").write_bytes(packed(NOISE, zipfile.ZIP_STORED)[:1000])
        with pytest.raises(CorruptImageError):
            one.loaded()
