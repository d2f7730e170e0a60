"""Multi-frame images that came in several files, and whether all of those are here (PS3.3 C.7.6.16.2.2).

A scanner or an archive cuts an enhanced image into parts where it would become too large. Without its last part it still looks like an even
stack, only shorter.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from app.errors import MissingSlicesError
from app.imaging.dicom.header import Concatenation, SliceHeader

Key = tuple[str, str]
FIRST: Final = 1
"""Number of the first part."""


def check_concatenations(headers: Sequence[SliceHeader], chosen: Sequence[SliceHeader]) -> None:
    """Refuses an image of which a part is missing.

    Args:
        headers: Every slice of the upload: a part need not hold a slice of the chosen image, which may be one echo of several.
        chosen: The slices that are to be read.

    Raises:
        MissingSlicesError: With the numbers of parts that were expected and found.
    """
    sent: dict[Key, list[Concatenation]] = defaultdict(list)
    for header in headers:
        if header.concatenation is not None:
            sent[_key(header)].append(header.concatenation)
    for parts in (sent[key] for key in {_key(header) for header in chosen if header.concatenation}):
        expected = max(part.parts or part.part for part in parts)
        # Counted, not listed: a damaged file may name billions.
        found = len({part.part for part in parts if FIRST <= part.part < FIRST + expected})
        if found < expected:
            raise MissingSlicesError(
                f"Expected all {expected} files of a multi-frame image that was cut into parts, found {found}. "
                "Send all files of the series."
            )


def _key(header: SliceHeader) -> Key:
    return header.series_instance_uid, header.concatenation.uid if header.concatenation else ""
