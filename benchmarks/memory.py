"""Peak of the resident memory, as Linux counts it (proc_pid_status(5), proc_pid_clear_refs in proc(5))."""

import ctypes
import gc
from collections.abc import Callable
from pathlib import Path
from typing import Final

STATUS: Final = Path("/proc/self/status")
CLEAR: Final = Path("/proc/self/clear_refs")
FORGET_PEAK: Final = "5"
KIBIBYTE: Final = 1024


def peak_bytes(call: Callable[[], object]) -> int | None:
    """Resident bytes that a call needs at its worst moment, beyond those the process has anyway.

    The call runs twice: what it loads and keeps (modules, tables of a codec) is there the second time. What the
    allocator has kept free for later is given back before, so that it counts.

    Args:
        call: Its result counts too.

    Returns:
        Bytes, or None where the system does not tell.
    """
    if not CLEAR.exists():
        return None
    call()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    CLEAR.write_text(FORGET_PEAK)
    before = _status_bytes("VmRSS")
    call()
    return _status_bytes("VmHWM") - before


def _status_bytes(name: str) -> int:
    lines = STATUS.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) * KIBIBYTE
