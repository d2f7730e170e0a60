"""Where a NIfTI says its voxels lie: index to RAS millimetres.

The sform if `sform_code` > 0, else the qform if `qform_code` > 0, as the standard orders its methods 3 and 2 (nifti1.h).
Where both codes are 0 nothing says which side is left: refused, because method 1 would be a guess. Where both are set:

- they agree within `FORMS_AGREE_MM` at every corner: nothing to say;
- they lie apart, or the qform makes no sense: the sform is used and a finding says so;
- one is the other's mirror image, or turned against it by more than `FORMS_TURNED_DEGREES`: half a turn swaps left and right as well,
  and nothing says which of them is right. Refused. Registration to a template turns a head by less.

A quaternion a little longer than 1 is rounding: it is shortened, as the standard's own code does (nifti1_io.c,
nifti_quatern_to_mat44), which also takes a `qfac` (`pixdim[0]`) below 0 as -1 and any other as 1. The spatial unit is
honoured; unknown means millimetres.
"""

from typing import Final

import numpy as np
from jaxtyping import Float64
from nibabel.nifti1 import Nifti1Header
from nibabel.quaternions import quat2mat

from app.errors import IrregularGeometryError
from app.imaging.geometry import FARTHEST_MM, SPACING_MM
from app.imaging.volume import Finding

MM_PER_UNIT: Final = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
"""By code: unknown, metre, millimetre, micrometre (nifti1.h, NIFTI_UNITS)."""
UNIT_BITS: Final = 0x07
"""Of `xyzt_units`; the rest is the unit of time."""
FORMS_AGREE_MM: Final = 1.0
"""Greatest distance between a corner by sform and by qform that still counts as agreement."""
FORMS_TURNED_DEGREES: Final = 60.0
"""Greatest angle between an axis by sform and by qform: scans that are planned askew are turned by less than 45."""
QUATERNION_ROUNDING: Final = 1e-3
"""Greatest excess of a quaternion's length over 1: files that went through text keep four digits."""
FLATTEST: Final = 0.01
"""Least volume of the box that the axes' unit vectors span; 1 where they are perpendicular."""

Affine = Float64[np.ndarray, "4 4"]


def index_to_ras_mm(header: Nifti1Header, shape: tuple[int, int, int]) -> tuple[Affine, tuple[Finding, ...]]:
    """The affine of a header, and what was noticed about it.

    Args:
        header: Of either version (`Nifti2Header` is one of these), unchecked.
        shape: Voxels along (i, j, k).

    Raises:
        IrregularGeometryError: No orientation, an impossible one, or two that contradict each other about left and right.
    """
    mm = _mm_per_unit(header)
    sform = _scaled(header.get_sform(), mm) if int(header["sform_code"]) > 0 else None
    qform = _scaled(_qform(header), mm) if int(header["qform_code"]) > 0 else None
    affine = sform if sform is not None else qform
    if affine is None:
        raise IrregularGeometryError(
            "Expected an orientation, found sform_code = qform_code = 0: nothing says which side is left. "
            "Convert the image again from its DICOM files."
        )
    _check(affine, "sform" if sform is not None else "qform")
    findings = _compared(sform, qform, shape) if sform is not None and qform is not None else ()
    return affine, findings


def _mm_per_unit(header: Nifti1Header) -> float:
    code = int(header["xyzt_units"]) & UNIT_BITS
    if code not in MM_PER_UNIT:
        raise IrregularGeometryError(
            f"Expected the spatial unit unknown, metre, millimetre or micrometre, found code {code} in xyzt_units. "
            "Convert the image again."
        )
    return MM_PER_UNIT[code]


def _scaled(affine: Affine, mm: float) -> Affine:
    """Brings an affine to millimetres; infinite where a header's number passes all bounds."""
    with np.errstate(over="ignore"):
        affine[:3] *= mm
    return affine + 0.0  # a negative zero becomes zero


def _qform(header: Nifti1Header) -> Affine:
    """Method 2; not-a-number where quaternion or voxel sizes make no rotation."""
    vector = np.array([header[name] for name in ("quatern_b", "quatern_c", "quatern_d")], np.longdouble)
    pixdim, square = header["pixdim"], vector @ vector
    affine = np.full((4, 4), np.nan)
    sizes = pixdim[1:4]
    if not (square <= (1 + QUATERNION_ROUNDING) ** 2 and ((sizes > 0) & np.isfinite(sizes)).all()):
        return affine
    rotation = quat2mat(np.r_[0.0, vector] if square > 1 else header.get_qform_quaternion())
    qfac = -1 if pixdim[0] < 0 else 1
    affine[:3, :3] = rotation @ np.diag(sizes * np.array([1, 1, qfac], sizes.dtype))
    affine[:3, 3] = [header[name] for name in ("qoffset_x", "qoffset_y", "qoffset_z")]
    affine[3] = [0, 0, 0, 1]
    return affine


def _check(affine: Affine, form: str) -> None:
    if not (np.abs(affine) <= FARTHEST_MM).all():
        raise IrregularGeometryError(
            f"Expected the {form} to be a rotation and places within {FARTHEST_MM / 1000:.0f} m, found numbers that are "
            "none. Convert the image again from its DICOM files."
        )
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    if abs(np.linalg.det(affine[:3, :3])) <= FLATTEST * spacing.prod():
        raise IrregularGeometryError(
            f"Expected axes that span space, found a {form} that is singular. Convert the image again from its DICOM files."
        )
    if spacing.min() < SPACING_MM[0] or spacing.max() > SPACING_MM[1]:
        sizes = " x ".join(f"{size:.4g}" for size in spacing)
        raise IrregularGeometryError(
            f"Expected voxels of {SPACING_MM[0]} to {SPACING_MM[1]:.0f} mm, found {sizes} mm by the header's unit. "
            "Correct the voxel size or xyzt_units."
        )


def _compared(sform: Affine, qform: Affine, shape: tuple[int, int, int]) -> tuple[Finding, ...]:
    if not (np.abs(qform) <= FARTHEST_MM).all():
        return (_disagreement("the qform is no rotation with positive voxel sizes"),)
    if np.linalg.det(sform[:3, :3]) * np.linalg.det(qform[:3, :3]) < 0:
        raise IrregularGeometryError(
            "Expected sform and qform to agree about left and right, found one to be the mirror image of the other. "
            "Convert the image again from its DICOM files."
        )
    turned = _turned_degrees(sform, qform)
    if turned > FORMS_TURNED_DEGREES:
        raise IrregularGeometryError(
            f"Expected sform and qform to agree about which way the patient lies, found an axis that they turn {turned:.0f} degrees "
            "apart. Convert the image again from its DICOM files."
        )
    corners = np.array([[i, j, k, 1] for i in (0, shape[0]) for j in (0, shape[1]) for k in (0, shape[2])])
    apart = float(np.linalg.norm(corners @ (sform - qform).T, axis=1).max())
    if apart <= FORMS_AGREE_MM:
        return ()
    return (_disagreement(f"sform and qform disagree by up to {apart:.1f} mm"),)


def _turned_degrees(sform: Affine, qform: Affine) -> float:
    """Greatest angle between what two affines say of one axis."""
    one, other = (form[:3, :3] / np.linalg.norm(form[:3, :3], axis=0) for form in (sform, qform))
    return float(np.degrees(np.arccos(np.clip((one * other).sum(axis=0), -1, 1)).max()))


def _disagreement(what: str) -> Finding:
    return Finding("nifti-orientations-disagree", f"{what}; the sform was used")
