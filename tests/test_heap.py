"""app.heap: memory that one case frees is there for the next."""

import subprocess
import sys
from typing import Final

PROGRAM: Final = """
import sys, threading
import numpy as np
from app.heap import keep_freed_memory

def resident_mb():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096 / 2**20

if "keep" in sys.argv:
    assert keep_freed_memory()
before = resident_mb()
def case():
    for _ in range(3):
        np.ones(50 * 2**20, np.uint8)
        large = np.ones(100 * 2**20, np.uint8)
        del large
thread = threading.Thread(target=case)
thread.start()
thread.join()
print(resident_mb() - before)
"""


def kept_mb(*arguments: str) -> float:
    """Megabytes that a process still holds after a thread has freed all it asked for."""
    ran = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=True
    )
    return float(ran.stdout)


def test_what_a_thread_frees_is_kept_for_the_next_case_and_what_is_very_large_is_given_back() -> None:
    assert 40 < kept_mb("keep") < 90
    assert kept_mb() < 15


def test_memory_had_at_hand_is_not_asked_of_the_kernel_again() -> None:
    """40 MiB are some 10,000 pages, each of which costs a fault the first time."""
    program = """
import resource, sys
from app.heap import have_at_hand, keep_freed_memory
keep_freed_memory()
if "ahead" in sys.argv:
    have_at_hand(48 * 2**20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
b"x" * (40 * 2**20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

    def faults(*arguments: str) -> int:
        ran = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
        )
        return int(ran.stdout)

    assert faults("ahead") < 500
    assert faults() > 5000


def test_what_a_start_made_is_passed_over_and_garbage_made_later_is_not() -> None:
    program = """
import gc, weakref
from app.heap import keep_what_a_start_made
lasting = [[] for _ in range(1000)]
keep_what_a_start_made()
assert gc.get_freeze_count() > 1000
assert not any(each is lasting for each in gc.get_objects())
class Knot: pass
knot = Knot(); knot.itself = knot
seen = weakref.ref(knot)
del knot
gc.collect()
assert seen() is None
"""
    subprocess.run([sys.executable, "-c", program], check=True)  # noqa: S603 - our own words
