"""The events of a multipart parser turned into fields in memory and images on disk."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from app.api.form_parser import FormParser
from app.errors import MalformedRequestError, UploadTooLargeError

IMAGE_PART: Final = "image"
FIELD_PARTS: Final = frozenset({
    "task", "model", "upload", "ehr", "series", "heatmap", "explain", "keep", "reference", "webhook", "batch",
})  # fmt: skip
"""Every text part there is; a request may take fewer."""
MAX_FIELD_BYTES: Final = 2**20
_ENCODED: Final = (b"base64", b"quoted-printable")


@dataclass(frozen=True)
class UploadLimits:
    """What one request may bring.

    Attributes:
        max_bytes: Bytes of the whole body.
        max_files: Number of `image` parts.
        timeout_s: Seconds until the whole body must be here.
        parts: Names of the text parts it may have.
    """

    max_bytes: int
    max_files: int
    timeout_s: float
    parts: frozenset[str] = FIELD_PARTS


@dataclass
class Form:
    """A received form.

    Attributes:
        fields: Text parts by name.
        images: One file per `image` part, in the order of arrival, named by number.
    """

    fields: dict[str, str] = field(default_factory=dict)
    images: list[Path] = field(default_factory=list)


class FormReceiver:
    """Takes the body of a multipart/form-data request (RFC 7578) block by block; runs in worker threads.

    Args:
        boundary: From the request's Content-Type.
        folder: Where images are written, named by number.
        limits: Bounds.

    Raises:
        MalformedRequestError: The boundary cannot be one.
    """

    def __init__(self, boundary: bytes, folder: Path, limits: UploadLimits) -> None:
        self._folder = folder
        self._limits = limits
        self._form = Form()
        self._header = bytearray()
        self._value = bytearray()
        self._disposition = b""
        self._part = ""
        self._text = bytearray()
        self._file: IO[bytes] | None = None
        self._complete = False
        try:
            self._parser = FormParser(boundary, self._callbacks())
        except FormParserError:
            raise _not_a_form() from None

    def _callbacks(self) -> Any:  # noqa: ANN401 - the library's TypedDict is not exported
        return {
            "on_part_begin": self._on_part_begin,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_part_data,
            "on_part_end": self._on_part_end,
            "on_end": self._on_end,
        }

    def write(self, block: bytes) -> None:
        """Take the next bytes of the body.

        Raises:
            MalformedRequestError: The body is not a form of the known parts.
            UploadTooLargeError: A bound is passed.
        """
        try:
            self._parser.write(block)
        except FormParserError:
            raise _not_a_form() from None

    def finished(self) -> Form:
        """The form, once its closing boundary was there.

        Raises:
            MalformedRequestError: The body ended before it.
        """
        if not self._complete:
            raise MalformedRequestError(
                "Expected the closing boundary of the form; the request ends before it."
            )
        return self._form

    def close(self) -> None:
        """Close the file that was being written, if any."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _on_part_begin(self) -> None:
        self._disposition = b""
        self._text.clear()

    def _on_header_end(self) -> None:
        name = self._header.lower()
        if name == b"content-disposition":
            self._disposition = bytes(self._value)
        elif name == b"content-transfer-encoding" and bytes(self._value).strip().lower() in _ENCODED:
            # Deprecated over HTTP (RFC 7578, section 4.7). What is not undone here must not be taken for what it stands for.
            raise MalformedRequestError(
                "Expected every part as it is, found one with Content-Transfer-Encoding base64 or quoted-printable. Send it as binary."
            )
        self._header.clear()
        self._value.clear()

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._part = options.get(b"name", b"").decode("utf-8", "replace")
        if self._part == IMAGE_PART:
            self._begin_image()
        elif self._part not in self._limits.parts:
            raise MalformedRequestError(
                f"Expected only the parts {_listed(self._limits.parts | {IMAGE_PART})}; the form has another one."
            )
        elif self._part in self._form.fields:
            raise MalformedRequestError(
                f"Expected the part `{self._part}` once; it occurs twice.", part=self._part
            )

    def _begin_image(self) -> None:
        if len(self._form.images) >= self._limits.max_files:
            raise UploadTooLargeError(
                f"Expected at most {self._limits.max_files} images; the form has more. Send them in one zip file.",
                limit=self._limits.max_files,
            )
        path = self._folder / f"{len(self._form.images):06d}"
        self._file = path.open("wb")
        self._form.images.append(path)

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(memoryview(data)[start:end])
            return
        if len(self._text) + end - start > MAX_FIELD_BYTES:
            raise UploadTooLargeError(
                f"Expected at most {MAX_FIELD_BYTES} bytes in the part `{self._part}`; it has more.",
                limit=MAX_FIELD_BYTES,
                part=self._part,
            )
        self._text += data[start:end]

    def _on_part_end(self) -> None:
        if self._file is not None:
            self.close()
            return
        try:
            self._form.fields[self._part] = self._text.decode("utf-8")
        except UnicodeDecodeError:
            raise MalformedRequestError(
                f"Expected the part `{self._part}` in UTF-8.", part=self._part
            ) from None

    def _on_end(self) -> None:
        self._complete = True


def _not_a_form() -> MalformedRequestError:
    return MalformedRequestError("Expected a body of multipart/form-data (RFC 7578); it is not one.")


def _listed(names: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
