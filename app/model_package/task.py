"""What a package answers; apart from the manifest, as a command line names the choices without loading what reads one."""

from typing import Literal

Task = Literal["gos", "ad"]
