"""What a command of `neurofuse` says to the shell that called it."""

from typing import Final

OK: Final = 0
FAILED: Final = 1
"""The service, a package or something that was compared is not as it should be: done, and told."""
REFUSED: Final = 2
"""What was asked cannot be answered."""
