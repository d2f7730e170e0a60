"""The peak of the memory."""

import numpy as np
import pytest

from benchmarks.memory import CLEAR, peak_bytes

MEBIBYTE = 1 << 20


@pytest.mark.skipif(not CLEAR.exists(), reason="the system does not count the peak of a process")
def test_the_peak_counts_what_was_freed_again() -> None:
    def call() -> None:
        np.ones(64 * MEBIBYTE, np.uint8)
        np.ones(16 * MEBIBYTE, np.uint8)

    peak = peak_bytes(call)
    assert peak is not None
    assert 60 * MEBIBYTE < peak < 72 * MEBIBYTE
