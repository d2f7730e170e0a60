"""What a series' headers say about it, brought to few words: plane, body part, kernel, weighting.

All of it is declared by a scanner or typed by a person, so it ranks candidates and never refuses one.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float64

from app.imaging.dicom.header import Acquisition
from app.imaging.series_choice import BodyPart, Kernel, Plane, Weighting

PLANES: Final[tuple[Plane, ...]] = ("sagittal", "coronal", "axial")
"""By the axis of the slice normal: Left, Posterior, Superior."""
CLEARLY: Final = 0.8
"""Share of the normal along one axis: up to 37 degrees of tilt is still that plane."""
SHORTEST: Final = 1e-9
HEAD_WORDS: Final = (
    "BRAIN", "SKULL", "CRANI", "CEREBR", "ENCEPHAL", "ENTIRE HEAD",
    "HIRN", "SCHADEL", "SCHAEDEL",  # German
    "CRANE", "CERVEAU",  # French; the first begins the Spanish word too
    "ENCEFAL", "CERVELLO",  # Spanish and Portuguese, Italian
    "HERSEN", "SCHEDEL",  # Dutch
)  # fmt: skip
"""In Body Part Examined (PS3.16 CID 4031 has BRAIN, SKULL, INTRACRANIAL), what consoles add, and what people type in their own language."""
HEAD_BEGINNINGS: Final = (
    "HEAD", "NEURO", "KOPF", "TETE", "CABEZA", "CABECA", "TESTA", "HOOFD", "HOVED", "HUVUD",
)  # fmt: skip
"""Of it; further in they name the head of a bone or of an organ (FEMORALHEAD, HUEFTKOPF)."""
NO_HEAD: Final = re.compile("SPINE|FEM[OU]R|HUMER|RADI[OUA]")
"""CABEZA FEMORAL, HEAD OF HUMERUS, NEUROSPINE."""

GE_KERNELS: Final[dict[str, Kernel]] = {
    "SOFT": "soft",
    "STANDARD": "soft",
    "STND": "soft",
    "DETAIL": "sharp",
    "LUNG": "sharp",
    "BONE": "sharp",
    "BONEPLUS": "sharp",
    "EDGE": "sharp",
}
PHILIPS_KERNELS: Final[dict[str, Kernel]] = {
    **dict.fromkeys(("A", "B", "C", "UA", "UB", "UC", "EB", "EC"), "soft"),
    **dict.fromkeys(("D", "E", "L", "YA", "YB", "YC", "YD", "YE"), "sharp"),
}
SIEMENS_KERNEL: Final = re.compile(r"[A-Z]{1,2}(\d{2})[A-Z]?(\\\d)?")
"""A region's letters and a number that grows with sharpness: H31S, J40F, BR38, HR64."""
SIEMENS_SHARP_FROM: Final = 50
CANON_KERNEL: Final = re.compile(r"FC(\d{2})")
CANON_SHARP: Final = (*range(30, 40), *range(50, 60), *range(80, 90))
"""FC30s bone, FC50s lung, FC80s high resolution; FC2x and FC6x are for brain."""

TOLD: Final[dict[str, Weighting]] = {
    **dict.fromkeys(("DIFFUSION", "ADC", "TRACEW", "FA"), "diffusion"),
    **dict.fromkeys(("SWI", "SW_M_FFE"), "T2"),
}
"""By Image Type, whatever the times. Of a susceptibility image's several echoes (Siemens, Philips) a file may name the first, as short as that of a T1."""
DERIVED_WORDS: Final = frozenset({"DERIVED", "SECONDARY"})
COMPUTED_WORDS: Final = frozenset({"MPR", "REFORMATTED", "PROJECTION IMAGE", "MIP", "MINIP", "AVERAGE"})
T2_ECHO_MS: Final = 60.0
SHORT_ECHO_MS: Final = 15.0
SHORT_SPIN_ECHO_MS: Final = 30.0
"""Of T1 by spin echoes, and by inversion and a train of them (T1 FLAIR); gradient echoes as late as these show T2*."""
FLAIR_INVERSION_MS: Final = 1500.0
T1_INVERSION_MS: Final = 400.0
"""From here on an inversion weighs by T1 (600 to 1100 ms in use); a short one nulls fat (STIR, 120 to 250 ms)."""
T1_REPETITION_MS: Final = 1000.0


def plane_of(normal: Float64[np.ndarray, "3"]) -> Plane:
    """Plane of slices with this normal, LPS or RAS."""
    share = np.abs(normal) / max(float(np.linalg.norm(normal)), SHORTEST)
    axis = int(share.argmax())
    return PLANES[axis] if share[axis] >= CLEARLY else "oblique"


def body_part_of(declared: str) -> BodyPart:
    """Head, something else, or nothing declared; accents change nothing."""
    if not declared:
        return "unknown"
    letters = "".join(
        each for each in unicodedata.normalize("NFKD", declared) if not unicodedata.combining(each)
    )
    is_named = letters.startswith(HEAD_BEGINNINGS) or any(word in letters for word in HEAD_WORDS)
    return "head" if is_named and not NO_HEAD.search(letters) else "other"


def kernel_of(name: str) -> Kernel:
    """Soft tissue or sharp, by the manufacturers' public naming; any other name stays unknown."""
    name = name.strip().replace(" ", "")
    if match := CANON_KERNEL.fullmatch(name):
        return "sharp" if int(match[1]) in CANON_SHARP else "soft"
    if match := SIEMENS_KERNEL.fullmatch(name):
        return "sharp" if int(match[1]) >= SIEMENS_SHARP_FROM else "soft"
    return GE_KERNELS.get(name) or PHILIPS_KERNELS.get(name, "unknown")


def weighting_of(acquisition: Acquisition) -> Weighting:
    """MR contrast by its times: long echo T2 (with a long inversion FLAIR); short echo and recovery T1, unless it was made to show vessels."""
    echo, repetition = acquisition.echo_time_ms, acquisition.repetition_time_ms
    inversion = acquisition.inversion_time_ms
    told = [TOLD[word] for word in acquisition.image_type if word in TOLD]
    if told:
        return told[0]
    if echo is None or repetition is None or acquisition.is_angiography:
        return "unknown"
    if echo >= T2_ECHO_MS:
        return "FLAIR" if inversion and inversion >= FLAIR_INVERSION_MS else "T2"
    if echo > (SHORT_SPIN_ECHO_MS if acquisition.echo == "spin" else SHORT_ECHO_MS):
        return "T2" if acquisition.echo == "gradient" else "unknown"
    return _of_short_echo(repetition, inversion or 0.0)


def _of_short_echo(repetition_ms: float, inversion_ms: float) -> Weighting:
    if 0 < inversion_ms < T1_INVERSION_MS:
        return "unknown"
    is_prepared = T1_INVERSION_MS <= inversion_ms < FLAIR_INVERSION_MS
    return "T1" if is_prepared or repetition_ms < T1_REPETITION_MS else "PD"


def is_original(image_type: Sequence[str]) -> bool:
    """Acquired rather than computed: Image Type value 1 (PS3.3 C.7.6.1.1.2), and the words of reformats."""
    return not (DERIVED_WORDS & set(image_type[:2]) or COMPUTED_WORDS & set(image_type))
