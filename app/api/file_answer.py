"""A file as an answer: heatmap, image, picture or card, whole or in part."""

from fastapi.responses import FileResponse
from starlette.responses import MalformedRangeHeader


class FileAnswer(FileResponse):
    """Starlette's own, that passes over a `Range` which it cannot read: such a header is ignored (RFC 9110, section 14.2).

    Starlette refuses it, as text, where every other refusal is a problem document.
    """

    @classmethod
    def _parse_range_header(cls, http_range: str, file_size: int) -> list[tuple[int, int]]:
        try:
            return super()._parse_range_header(http_range, file_size)
        except MalformedRangeHeader:
            return []  # the whole file
