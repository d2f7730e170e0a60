"""Whether voxel values can be what the modality says, and the repair of values that no scanner means.

CT is calibrated: air is -1000 HU, so a head CT always shows a share of voxels far below zero, and hardly any beyond
the 12-bit ceiling of 3071 HU (PS3.3 C.8.2.1; metal aside). MR magnitudes are never far below zero. A NIfTI names no
modality, so these values are all there is to judge by.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Real

from app.errors import CorruptImageError, WrongModalityError
from app.imaging.volume import Finding, Modality, Volume

AIR = {Modality.CT: -1024.0, Modality.MR: 0.0}
"""What lies where nothing was measured: outside the field of view, under padding, in place of NaN."""
AIR_LIKE_HU = -500
CT_LEAST_AIR = 0.01
CIRCLE = 0.95
"""Of the circle or ellipse that touches an axial plane's sides: beyond it some scanners measure nothing, and write -2000 or -3024."""
BONE_LIKE_HU = 500
LOST_BRAIN_HU = (1000, 1120)
"""A brain without its intercept, of -1024 or -1000. Most of what is above `BONE_LIKE_HU` is brain then; bone is of all densities."""
BEYOND_CT_HU = 4096
CT_MOST_BEYOND = 0.01
MR_MOST_AIR_LIKE = 0.05
MOST_NON_FINITE = 0.5


def cleaned(volume: Volume) -> Volume:
    """Replaces non-finite voxels and raises CT values below -1024 HU to it.

    Scanners write -1500, -2000 or -3024 outside the circle they measured; nothing is thinner than air, and such a
    value would bleed into its neighbours when the image is resampled.
    """
    volume = finite(volume)
    if volume.modality is not Modality.CT or volume.voxels.dtype.kind == "u":
        return volume
    # Looking for such a value is much quicker than raising none.
    if volume.voxels.dtype.itemsize > 1 and volume.voxels.min(initial=0) < AIR[Modality.CT]:
        np.maximum(volume.voxels, volume.voxels.dtype.type(AIR[Modality.CT]), out=volume.voxels)
    return volume


def finite(volume: Volume) -> Volume:
    """Replaces non-finite voxels by air, and says how many; all that is left to repair in a series from DICOM.

    Raises:
        CorruptImageError: Most of them are not finite.
    """
    if volume.voxels.dtype.kind != "f":
        return volume
    keep = np.isfinite(volume.voxels)
    missing = keep.size - int(np.count_nonzero(keep))
    if missing == 0:
        return volume
    if missing > MOST_NON_FINITE * keep.size:
        raise CorruptImageError(
            f"Expected numbers, found {missing / keep.size:.0%} of the voxels not finite. Export the image again."
        )
    volume.voxels[~keep] = AIR[volume.modality]
    detail = f"{missing} voxels ({missing / keep.size:.2%}) were not finite and count as air"
    return replace(volume, findings=(*volume.findings, Finding("non-finite-voxels-replaced", detail)))


def unmeasured(values: Real[np.ndarray, "z y x"]) -> Bool[np.ndarray, "z y x"]:
    """Which values of a CT, whose first axis is the patient's height, may be what is written where nothing was measured."""
    y, x = (np.linspace(-1.0, 1.0, size) for size in values.shape[1:])
    # Lower values were raised to air; read between voxels they are rounded.
    return np.asarray((values < AIR[Modality.CT] + 1) & (np.add.outer(y * y, x * x) > CIRCLE * CIRCLE))


def check_values(
    values: Real[np.ndarray, "..."], modality: Modality, filled: Bool[np.ndarray, "..."] | None = None
) -> None:
    """Refuses an image whose values contradict the modality the task needs.

    Args:
        values: Voxels, or as many of them as show what all are.
        modality: What they are called.
        filled: Those that are no air, though they seem it, as `unmeasured` finds them, where the rest looks like a head without its intercept.

    Raises:
        WrongModalityError: With the shares that were expected and found; no voxel value.
    """
    below = float(np.mean(values < AIR_LIKE_HU))
    if modality is Modality.MR:
        if below > MR_MOST_AIR_LIKE:
            raise WrongModalityError(
                f"Expected an MR image, found {below:.0%} of the voxels below {AIR_LIKE_HU}, as in a CT or a phase image. "
                "Send the MR image's magnitude, or ask a model for CT."
            )
        return
    # Of a CT that was cut close to the head, what is left of the air may all lie beyond the circle.
    if filled is not None and _lost_its_intercept(measured := values[~filled]):
        below = float(np.mean(measured < AIR_LIKE_HU))
    beyond = float(np.mean(values > BEYOND_CT_HU))
    if below < CT_LEAST_AIR or beyond > CT_MOST_BEYOND:
        raise WrongModalityError(
            f"Expected a CT in Hounsfield units with air around the head (at least {CT_LEAST_AIR:.0%} of the voxels "
            f"below {AIR_LIKE_HU} HU and at most {CT_MOST_BEYOND:.0%} above {BEYOND_CT_HU} HU), found {below:.1%} and "
            f"{beyond:.1%}. Send the CT without windowing, masking or rescaling."
        )


def _lost_its_intercept(values: Real[np.ndarray, " N"]) -> bool:
    bone_like = values[values > BONE_LIKE_HU]
    low, high = LOST_BRAIN_HU
    return bool(bone_like.size) and float(np.mean((bone_like > low) & (bone_like < high))) > 1 / 2
