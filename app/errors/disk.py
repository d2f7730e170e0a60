"""What the system says of a disk that takes or gives no files: no fault of the request, and none of the program."""

import errno
from typing import Final

UNAVAILABLE_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
"""Full, full for this user, mounted for reading only, broken."""
