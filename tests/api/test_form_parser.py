"""A parser that searches by itself tells what the library's tells."""

from itertools import pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from app.api.form_parser import FormParser

BOUNDARY = b"-x-"
DELIMITER = b"\r\n--" + BOUNDARY
SPOKEN = st.sampled_from(
    (DELIMITER, DELIMITER[2:], DELIMITER + b"\r\n", DELIMITER + b"--\r\n", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"-", b"x", b" ", b"h: v\r\n\r\n", b"\0" * 40)
)  # fmt: skip
BODIES = st.lists(SPOKEN, max_size=30).map(b"".join)
CUTS = st.lists(st.integers(0, 300), max_size=12)


def told(parser: type[MultipartParser], blocks: list[bytes]) -> list[tuple[str, bytes]]:
    """Its events, those that bring bytes in one piece each; of bytes that are no form, only that they are none."""
    events: list[tuple[str, bytes]] = []

    def note(name: str, data: bytes = b"", start: int = 0, end: int = 0) -> None:
        if start < end and events and events[-1][0] == name:
            events[-1] = (name, events[-1][1] + data[start:end])
        elif start < end or not name.endswith(("data", "field", "value")):
            events.append((name, data[start:end]))

    def noting(name: str) -> Any:
        return lambda *data: note(name, *data)

    names = ("part_begin", "part_data", "part_end", "header_field", "header_value", "header_end", "headers_finished", "end")  # fmt: skip
    callbacks: Any = {f"on_{name}": noting(name) for name in names}
    reading = parser(BOUNDARY, callbacks)
    try:
        for block in blocks:
            reading.write(block)
    except FormParserError:
        return [("no form", b"")]
    return events


@given(BODIES, CUTS)
@example(b"--" + BOUNDARY + b"\r\n\r\n\r\n" + DELIMITER + b"--", [])
@example(b"--" + BOUNDARY + b"\r\nh: v\r\n\r\nab" + DELIMITER + b"\r\n\r\ncd" + DELIMITER + b"--\r\n", [16])
@settings(max_examples=300)
def test_any_bytes_in_any_pieces_are_told_as_the_library_tells_them(body: bytes, cuts: list[int]) -> None:
    begun = b"--" + BOUNDARY + b"\r\nh: v\r\n\r\n" + body
    for whole in (body, begun):
        edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
        blocks = [whole[start:stop] for start, stop in pairwise(edges)]
        assert told(FormParser, blocks) == told(MultipartParser, blocks)


def test_content_is_told_without_a_copy() -> None:
    seen: list[bytes] = []
    parser = FormParser(BOUNDARY, {"on_part_data": lambda data, _start, _end: seen.append(data)})
    begun, more = b"--" + BOUNDARY + b"\r\nh: v\r\n\r\n" + b"\0" * 1000, b"\0" * 1000
    parser.write(begun)
    parser.write(more)
    assert [id(data) for data in seen] == [id(begun), id(more)]
