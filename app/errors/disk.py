"""What the system says of a disk that takes or gives no files: no fault of the request, and none of the program."""

import errno
from typing import Final

UNAVAILABLE_DISK: Final = frozenset({
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN,
    errno.EHOSTDOWN,
})  # fmt: skip
"""Full, full for this user, mounted for reading only, another user's by now, broken; another machine's, which began anew, is silent, or is gone."""
