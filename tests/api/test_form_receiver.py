"""A form is the same form however the network cuts it."""

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.form_receiver import MAX_FIELD_BYTES, FormReceiver, UploadLimits
from app.errors import MalformedRequestError, UploadTooLargeError

LIMITS = UploadLimits(max_bytes=10**9, max_files=3, timeout_s=1)
BOUNDARY = b"frontier"


def part(name: str, content: bytes, filename: str | None = None, lines: str = "") -> bytes:
    named = f'; filename="{filename}"' if filename is not None else ""
    head = f'--frontier\r\nContent-Disposition: form-data; name="{name}"{named}\r\n{lines}\r\n'
    return head.encode() + content + b"\r\n"


def body(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--frontier--\r\n"


def received(folder: Path, *blocks: bytes) -> tuple[dict[str, str], list[bytes]]:
    receiver = FormReceiver(BOUNDARY, folder, LIMITS)
    try:
        for block in blocks:
            receiver.write(block)
    finally:
        receiver.close()
    form = receiver.finished()
    return form.fields, [path.read_bytes() for path in form.images]


@given(
    st.lists(st.binary(max_size=200), max_size=3),
    st.text(st.characters(codec="utf-8"), max_size=50),
    st.lists(st.integers(0, 2000), max_size=10),
)
def test_any_cut_of_the_body_gives_the_same_form(images: list[bytes], record: str, cuts: list[int]) -> None:
    whole = body(*(part("image", image, "a") for image in images), part("ehr", record.encode()))
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    blocks = [whole[start:end] for start, end in pairwise(edges)]
    with TemporaryDirectory() as folder:
        assert received(Path(folder), *blocks) == ({"ehr": record}, images)


@pytest.mark.parametrize("name", ["../../escape", "/etc/passwd", "a\\b", "", "x" * 300])
def test_a_clients_file_name_is_never_a_path(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    received(inside, body(part("image", b"1", name), part("image", b"2", name)))
    assert sorted(path.name for path in inside.iterdir()) == ["000000", "000001"]
    assert list(tmp_path.iterdir()) == [inside]


def test_a_record_may_come_as_a_file(tmp_path: Path) -> None:
    assert received(tmp_path, body(part("ehr", b"{}", "record.json"))) == ({"ehr": "{}"}, [])


def test_a_body_that_ends_early_is_malformed(tmp_path: Path) -> None:
    whole = body(part("image", b"content", "a"))
    for cut in range(len(whole) - len("--\r\n")):
        with pytest.raises(MalformedRequestError):
            received(tmp_path, whole[:cut])


@pytest.mark.parametrize(
    "parts",
    [
        [part("other", b"")],
        [part("task", b"gos"), part("task", b"gos")],
        [part("ehr", b"\xff")],
        [b"--frontier\r\nContent-Disposition: form-data\r\n\r\nno name\r\n"],
    ],
)
def test_parts_that_are_not_of_the_contract_are_malformed(tmp_path: Path, parts: list[bytes]) -> None:
    with pytest.raises(MalformedRequestError):
        received(tmp_path, body(*parts))


@pytest.mark.parametrize("name", ["image", "ehr", "reference"])
@pytest.mark.parametrize("encoding", ["base64", "Quoted-Printable", " BASE64 "])
def test_a_part_that_says_it_is_encoded_is_refused(tmp_path: Path, name: str, encoding: str) -> None:
    with pytest.raises(MalformedRequestError, match="Content-Transfer-Encoding"):
        received(tmp_path, body(part(name, b"QQ==", "a", f"Content-Transfer-Encoding: {encoding}\r\n")))


@pytest.mark.parametrize("encoding", ["binary", "8bit", "7BIT"])
def test_a_part_that_says_it_is_sent_as_it_is_is_taken(tmp_path: Path, encoding: str) -> None:
    sent = body(part("image", b"1", "a", f"content-transfer-encoding: {encoding}\r\n"))
    assert received(tmp_path, sent) == ({}, [b"1"])


def test_more_images_than_allowed_are_refused_before_they_are_written(tmp_path: Path) -> None:
    with pytest.raises(UploadTooLargeError) as refused:
        received(tmp_path, body(*(part("image", b"x", "a") for _ in range(4))))
    assert refused.value.fields["limit"] == 3
    assert len(list(tmp_path.iterdir())) == 3


def test_a_field_stays_small(tmp_path: Path) -> None:
    assert received(tmp_path, body(part("ehr", b" " * MAX_FIELD_BYTES)))[1] == []
    with pytest.raises(UploadTooLargeError):
        received(tmp_path, body(part("ehr", b" " * (MAX_FIELD_BYTES + 1))))


@given(st.binary(max_size=300))
def test_no_bytes_make_another_error(noise: bytes) -> None:
    with TemporaryDirectory() as folder:
        for start in (b"", b"--frontier\r\n"):
            with pytest.raises((MalformedRequestError, UploadTooLargeError)):
                received(Path(folder), start + noise)
