"""One place where whatever a decoder throws at broken bytes becomes a named error.

pydicom, nibabel, the codecs of imagecodecs, zipfile and isal were not written for hostile input: on broken bytes they raise
whatever the line at hand raises. The list below is explicit, so a defect of ours outside a decoder stays visible.
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from zipfile import BadZipFile, LargeZipFile

from isal.igzip_lib import IsalError
from nibabel.spatialimages import HeaderDataError, ImageDataError
from nibabel.wrapstruct import WrapStructError
from pydicom.errors import BytesLengthException, InvalidDicomError

from app.errors import CorruptImageError, UnreadableImageError
from app.errors.disk import UNAVAILABLE_DISK

DECODER_ERRORS: tuple[type[Exception], ...] = (  # type: ignore[assignment]  # isal types its class as an instance
    ValueError,  # also UnicodeDecodeError
    LookupError,  # KeyError, IndexError
    AttributeError,  # pydicom: a needed element is absent
    ArithmeticError,  # OverflowError, ZeroDivisionError
    TypeError,
    AssertionError,
    EOFError,
    OSError,  # also gzip's BadGzipFile
    RuntimeError,  # codecs; also NotImplementedError and RecursionError
    struct.error,
    zlib.error,
    IsalError,
    BadZipFile,
    LargeZipFile,
    BytesLengthException,
    InvalidDicomError,
    HeaderDataError,
    ImageDataError,
    WrapStructError,
)


@contextmanager
def decoding(what: str) -> Iterator[None]:
    """Turns any decoder's exception into `CorruptImageError`, a lack of memory into `UnreadableImageError`.

    Our own errors pass unchanged, and so does a disk that takes or gives no files.

    Args:
        what: What was being read, in words of ours; the decoder's own message may quote the file and is dropped.
    """
    try:
        yield
    except MemoryError:  # an absurd length field, or truly a large image: nobody can tell
        raise UnreadableImageError(
            f"{what} asks for more memory than may be used: it is damaged, or larger than a head image. "
            "Send one series, and only its files."
        ) from None
    except DECODER_ERRORS as error:
        if isinstance(error, OSError) and error.errno in UNAVAILABLE_DISK:
            raise
        # `from None`: a chained message may hold an element's value, and chains end up in logs.
        raise CorruptImageError(
            f"{what} could not be read ({type(error).__name__}): the data is truncated or contradictory. "
            "Export the image again and send the complete files."
        ) from None
