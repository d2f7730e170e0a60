"""Identifiers follow RFC 9562."""

import time
import uuid

from app.identifiers import uuid7


def test_the_version_is_seven_and_the_variant_is_that_of_the_rfc() -> None:
    for _ in range(100):
        assert uuid7().version == 7
        assert uuid7().variant == uuid.RFC_4122


def test_the_first_48_bits_are_unix_milliseconds() -> None:
    before = time.time_ns() // 1_000_000
    milliseconds = uuid7().int >> 80
    assert before <= milliseconds <= time.time_ns() // 1_000_000


def test_later_identifiers_sort_later() -> None:
    first = str(uuid7())
    time.sleep(0.002)
    assert first < str(uuid7())


def test_identifiers_of_one_millisecond_differ() -> None:
    assert len({uuid7() for _ in range(10_000)}) == 10_000
