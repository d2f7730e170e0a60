"""How one element's header is written, in little endian with and without its value representation (PS3.5 7.1)."""

import struct
from collections.abc import Callable
from typing import Final

DELIMITERS: Final = 0xFFFE0000
"""Group of items and of what ends them; these never write a representation (PS3.5 7.5)."""
ITEM: Final = 0xFFFEE000
ITEM_END: Final = 0xFFFEE00D
SEQUENCE_END: Final = 0xFFFEE0DD
UNDEFINED_LENGTH: Final = 0xFFFFFFFF
SHORT: Final = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
"""Value representations with a length of 16 bits (PS3.5 7.1.2); the others have one of 32."""
LONG: Final = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())

_tag_and_length = struct.Struct("<HHI").unpack_from
_tag_representation_length = struct.Struct("<HH2sH").unpack_from
_length = struct.Struct("<I").unpack_from

Header = tuple[int, bytes, int, int]
"""Tag, value representation (empty where it is not written), length of the value, where the value begins."""
ReadHeader = Callable[[bytes, int], Header]


class UnclearError(Exception):
    """Something that only pydicom may judge."""


def read_explicit(data: bytes, position: int) -> Header:
    """Header of an element that writes its representation (PS3.5 7.1.2), or of an item or delimiter, which has none."""
    group, element, representation, length = _tag_representation_length(data, position)
    if representation in SHORT:
        return group << 16 | element, representation, length, position + 8
    if representation in LONG:
        return group << 16 | element, representation, _length(data, position + 8)[0], position + 12
    if group != DELIMITERS >> 16:
        raise UnclearError
    return read_implicit(data, position)


def read_implicit(data: bytes, position: int) -> Header:
    """Header of an element that does not write its representation (PS3.5 7.1.3), or of an item or delimiter."""
    group, element, length = _tag_and_length(data, position)
    return group << 16 | element, b"", length, position + 8
