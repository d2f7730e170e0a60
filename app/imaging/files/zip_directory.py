"""How large a zip's directory says it is, before any of it is held in memory.

`zipfile` makes an object of every entry as it opens an archive, a few hundred bytes for each 46 in the file. The end of
central directory record (APPNOTE 4.3.16; 4.3.14 and 4.3.15 where it says ZIP64) tells their number and length first.
"""

import struct
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO, Final

END: Final = struct.Struct("<4s4H2LH")
END_SIGNATURE: Final = b"PK\x05\x06"
ZIP64_LOCATOR: Final = struct.Struct("<4sLQL")
ZIP64_LOCATOR_SIGNATURE: Final = b"PK\x06\x07"
ZIP64_END: Final = struct.Struct("<4sQ2H2L4Q")
ZIP64_END_SIGNATURE: Final = b"PK\x06\x06"
LONGEST_COMMENT_BYTES: Final = 1 << 16
ENTRY: Final = struct.Struct("<4s4xH18x3H12x")
"""Of an entry of the directory (APPNOTE 4.3.12): signature, flags, and the lengths of name, extra field and comment."""
ENTRY_SIGNATURE: Final = b"PK\x01\x02"
FLAGS_AT: Final = 8
NAME_IS_UTF8: Final = 0x800
"""Bit 11 of an entry's flags (APPNOTE 4.4.4)."""


@dataclass(frozen=True)
class DirectorySize:
    """What an archive declares.

    Attributes:
        entries: Files and folders.
        length_bytes: Of the directory that names them.
    """

    entries: int
    length_bytes: int


def declared_size(archive: Path) -> DirectorySize | None:
    """Reads the last record of a zip; None where there is none, and no reader will open it."""
    with archive.open("rb") as file:
        length = file.seek(0, 2)
        start = max(0, length - END.size - LONGEST_COMMENT_BYTES)
        file.seek(start)
        tail = file.read()
        at = tail.rfind(END_SIGNATURE, 0, len(tail) - END.size + len(END_SIGNATURE))
        if at < 0:
            return None
        _, _, _, _, entries, size, _, _ = END.unpack_from(tail, at)
        return _zip64(file, start + at) or DirectorySize(entries, size)


def _zip64(file: IO[bytes], end: int) -> DirectorySize | None:
    """Looks just before the end record, where `zipfile` looks, not where the locator points."""
    at = end - ZIP64_LOCATOR.size - ZIP64_END.size
    if at < 0:
        return None
    file.seek(at)
    found = file.read(ZIP64_END.size + ZIP64_LOCATOR.size)
    if not (
        found.startswith(ZIP64_END_SIGNATURE) and found[ZIP64_END.size :].startswith(ZIP64_LOCATOR_SIGNATURE)
    ):
        return None
    *_, entries, size, _ = ZIP64_END.unpack_from(found)
    return DirectorySize(entries, size)


class NamelessZip(BufferedReader):
    """An archive in whose directory no name is said to be UTF-8, for `zipfile`, which opens none with a name that is not.

    Packers set the flag and write what the system's names are. Names are never used here, so one that is odd is no damage.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """Bytes as they are; where a directory begins, its entries without that flag."""
        data = super().read(size)
        return _without_names(data) if data.startswith(ENTRY_SIGNATURE) else data


def _without_names(directory: bytes) -> bytes:
    data, at = bytearray(directory), 0
    while at + ENTRY.size <= len(data):
        signature, flags, *lengths = ENTRY.unpack_from(data, at)
        if signature != ENTRY_SIGNATURE:
            break
        struct.pack_into("<H", data, at + FLAGS_AT, flags & ~NAME_IS_UTF8)
        at += ENTRY.size + sum(lengths)
    return bytes(data)
