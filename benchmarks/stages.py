"""What our own time is spent on, by looking at the main thread every millisecond.

The handler of a signal runs between two bytecodes of the main thread: after a long call into C it runs in the frame that
made the call, and the time since the last look is put down to that frame. So calls into C count where they belong, and
code runs at its own speed between two looks, unlike under a tracing profiler.
"""

import signal
import time
from collections import defaultdict
from collections.abc import Callable
from types import FrameType
from typing import Final

EVERY_S: Final = 0.001
AT_LEAST_S: Final = 0.5
"""Short calls are repeated until there is enough to look at."""
STAGES: Final = {
    "judge": ("head.quality",),
    "find head": ("head.find",),
    "unpack": ("files.archive", "files.zip_member"),
    "headers": (
        "dicom.slices",
        "dicom.file",
        "dicom.enhanced",
        "nifti.header",
        "nifti.affine",
        "files.file_kind",
    ),
    "decode": ("dicom.pixels", "nifti.voxels"),
    "values": ("content",),
    "choose series": ("dicom.series",),
    "geometry": ("dicom.read", "geometry"),
    "resample": ("resample",),
}
"""Stage to modules of `app.imaging`; the first stage with a module anywhere on the stack gets the time."""
OTHER: Final = "other"
PACKAGE: Final = "app.imaging."


def shares(call: Callable[[], object]) -> dict[str, float]:
    """Share of the wall time of each stage, largest first; they sum to 1.

    Args:
        call: What to look at; called in the main thread, once before and then for half a second.
    """
    call()
    spent: defaultdict[str, float] = defaultdict(float)
    last = time.perf_counter()

    def look(_signal: int, frame: FrameType | None) -> None:
        nonlocal last
        now = time.perf_counter()
        spent[stage_of(modules_on(frame))] += now - last
        last = now

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, EVERY_S, EVERY_S)
    try:
        until = time.perf_counter() + AT_LEAST_S
        while time.perf_counter() < until:
            call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    total = sum(spent.values())
    largest_first = sorted(spent, key=lambda stage: -spent[stage])
    return {stage: spent[stage] / total for stage in largest_first}


def stage_of(modules: set[str]) -> str:
    """The stage that these modules of `app.imaging`, all on one stack, belong to."""
    return next((stage for stage, of in STAGES.items() if modules.intersection(of)), OTHER)


def modules_on(frame: FrameType | None) -> set[str]:
    """Names of the modules of `app.imaging` on a stack."""
    found = set()
    while frame is not None:
        name = str(frame.f_globals.get("__name__"))
        if name.startswith(PACKAGE):
            found.add(name.removeprefix(PACKAGE))
        frame = frame.f_back
    return found
