"""A disk that takes or gives no files is unavailable, and no fault of the program; a file that is not there is one."""

import errno
import os

import pytest

from app.records.faults import explain_disk


@pytest.mark.parametrize(
    "number",
    [errno.ENOSPC, errno.EACCES, errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN, errno.EHOSTDOWN],
)
def test_a_disk_that_is_full_closed_broken_or_another_machines_and_away_is_unavailable(number: int) -> None:
    told = explain_disk(OSError(number, os.strerror(number)))
    assert told is not None
    assert told.fields["retry_after_s"] > 0


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ENOTDIR])
def test_what_does_not_pass_by_itself_is_something_else(number: int) -> None:
    assert explain_disk(OSError(number, os.strerror(number))) is None
