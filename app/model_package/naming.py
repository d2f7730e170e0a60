"""What a package may be called, and what it answers; apart from the manifest, as a command line names both without loading what reads one."""

import re
from dataclasses import dataclass
from typing import Final, Literal

Task = Literal["gos", "ad"]
PACKAGE_NAME: Final = re.compile(r"[a-z][a-z0-9-]*")
PACKAGE_VERSION: Final = re.compile(r"[1-9][0-9]{0,8}")
"""Of at most nine digits: a day may be a version, 20261130, and no moment."""


@dataclass(frozen=True, order=True)
class Reference:
    """One version of one model, by name."""

    name: str
    version: int

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"
