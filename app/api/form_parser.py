"""The multipart parser of python-multipart, spared the search of large files.

It looks for the delimiter of RFC 2046 §5.1.1 with `bytes.find`, which tries a place wherever the delimiter's last byte stands; images are full of it,
and the search then takes longer than writing them. `bytes.rfind` tries where its first byte stands, a carriage return, which images hardly hold.
"""

from itertools import pairwise

from python_multipart.multipart import MultipartParser, MultipartState

_HEADERS_END = b"\r\n\r\n"


class FormParser(MultipartParser):
    """The same events: what lies between the headers of a part and the next delimiter is told without asking the library."""

    def write(self, data: bytes) -> int:
        """Take the next bytes of the body.

        Raises:
            FormParserError: They are not of a form.
        """
        stops = self._stops(data)
        # What comes before the first delimiter is passed over by the block, so it is not cut.
        begins = self.state != MultipartState.START or data.startswith(self.boundary[2:])
        if begins and not self._is_in_content():
            stops.insert(0, 0)
        self._go_on(data, 0, stops[0])
        for start, stop in pairwise(stops):
            headers_end = data.find(_HEADERS_END, start, stop)
            content = stop if headers_end < 0 else headers_end + len(_HEADERS_END)
            super().write(data[start:content])
            self._go_on(data, content, stop)
        return len(data)

    def _is_in_content(self) -> bool:
        """Whether what comes is content of a part, and nothing before it may be the beginning of a delimiter."""
        return self.state == MultipartState.PART_DATA and self.index == 0

    def _go_on(self, data: bytes, start: int, stop: int) -> None:
        if start == stop:
            return
        if self._is_in_content():
            self.callback("part_data", data, start, stop)
        else:
            super().write(data[start:stop])

    def _stops(self, data: bytes) -> list[int]:
        """Where delimiters begin, the last one perhaps cut off, and the end. One pass, however many there are."""
        stops = [stop := len(data)]
        cut_off = data.rfind(self.boundary[:1], max(0, stop - len(self.boundary) + 1))
        if cut_off >= 0 and self.boundary.startswith(data[cut_off:]):
            stops.append(cut_off)
        while (stop := data.rfind(self.boundary, 0, stop)) >= 0:
            stops.append(stop)
        return stops[::-1]
