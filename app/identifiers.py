"""Identifiers that sort by time."""

import secrets
import time
import uuid

VERSION_7 = 0x7
VARIANT_RFC = 0b10
RANDOM_A_BITS = 12
RANDOM_B_BITS = 62
MILLISECOND_SHIFT = 80
"""Bits of a UUID below its milliseconds."""


def uuid7() -> uuid.UUID:
    """A UUID of version 7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then 74 random bits.

    Returns:
        An identifier that sorts after those of earlier milliseconds and cannot be guessed.
    """
    milliseconds = time.time_ns() // 1_000_000
    high = (milliseconds << 16) | (VERSION_7 << RANDOM_A_BITS) | secrets.randbits(RANDOM_A_BITS)
    low = (VARIANT_RFC << RANDOM_B_BITS) | secrets.randbits(RANDOM_B_BITS)
    return uuid.UUID(int=(high << 64) | low)


def made_s(identifier: str) -> float | None:
    """When an identifier was made, Unix time in seconds; None where it is no UUID of version 7 in its one lower-case form."""
    try:
        value = uuid.UUID(identifier)
    except ValueError:
        return None
    if value.version != VERSION_7 or str(value) != identifier:
        return None
    return (value.int >> MILLISECOND_SHIFT) / 1000
