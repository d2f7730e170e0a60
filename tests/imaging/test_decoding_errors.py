import errno
import struct

import pytest

from app.errors import CorruptImageError, UnreadableImageError, WrongModalityError
from app.imaging.decoding_errors import decoding


@pytest.mark.parametrize("error", [ValueError, KeyError, EOFError, NotImplementedError, struct.error])
def test_a_decoder_s_exception_becomes_a_named_error_without_its_text(error: type[Exception]) -> None:
    with pytest.raises(CorruptImageError) as caught, decoding("The file"):
        raise error("Secret^Name")
    assert "Secret" not in caught.value.detail
    assert caught.value.__suppress_context__


def test_a_lack_of_memory_is_not_called_damage() -> None:
    with pytest.raises(UnreadableImageError, match="more memory") as caught, decoding("The file"):
        raise MemoryError("Secret^Name")
    assert "Secret" not in caught.value.detail


def test_our_own_errors_pass_unchanged() -> None:
    with pytest.raises(WrongModalityError, match="as it was"), decoding("The file"):
        raise WrongModalityError("as it was")


def test_a_broken_disk_is_not_called_a_damaged_image() -> None:
    with pytest.raises(OSError, match="broken") as caught, decoding("The file"):
        raise OSError(errno.EIO, "broken")
    assert caught.value.errno == errno.EIO
    with pytest.raises(CorruptImageError), decoding("The file"):
        raise OSError(errno.EINVAL, "a place before the first byte")


def test_what_no_decoder_raises_stays_visible() -> None:
    class DefectError(Exception):
        pass

    with pytest.raises(DefectError), decoding("The file"):
        raise DefectError
