"""What becomes of memory: what was freed is kept for the next case, and what a start made is not searched for garbage again and again.

A case on the patient's grid fills and frees some arrays of 30 to 60 MB. By default glibc hands each of them back to the kernel at once, which clears every page
before it gives it out anew: of 510 ms of processor time for a head CT that took some 30 (mallopt(3)).
"""

import ctypes
import gc
from typing import Final

ARENA_MAX: Final = -8
MMAP_THRESHOLD: Final = -3
TRIM_THRESHOLD: Final = -1
"""Their numbers in malloc.h."""

ARENAS: Final = 2
"""Heaps for all threads together; each may keep `KEPT_BYTES` that nobody uses. What is large is rarely asked for at the same time."""
LARGEST_KEPT_BYTES: Final = 64 * 2**20
"""Larger arrays are still given back at once."""
KEPT_BYTES: Final = 256 * 2**20


def keep_freed_memory() -> bool:
    """Have this process keep the memory of one case for the next; before any thread is begun.

    Returns:
        Whether the C library took it; another than glibc may not know how, and goes on as it does.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    wishes = ((ARENA_MAX, ARENAS), (MMAP_THRESHOLD, LARGEST_KEPT_BYTES), (TRIM_THRESHOLD, KEPT_BYTES))
    return all(mallopt(parameter, value) for parameter, value in wishes)


def have_at_hand(size_bytes: int) -> None:
    """Have the kernel give this process some memory now, for the first case instead of by it; only where it keeps what is freed.

    Args:
        size_bytes: At most `LARGEST_KEPT_BYTES`.
    """
    ctypes.memset(ctypes.create_string_buffer(size_bytes), 1, size_bytes)


def keep_what_a_start_made() -> None:
    """Take what is there now for what lasts as long as the process: modules, routes and schemas, two hundred thousand objects.

    A full collection goes through every object it knows, however few have become garbage, and holds up everybody meanwhile; what is frozen is passed over
    (`gc.freeze`).
    """
    gc.collect()
    gc.freeze()
