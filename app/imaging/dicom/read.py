"""A folder of DICOM files to a Volume: choose the series, order its slices, judge the geometry, decode the pixels.

DICOM speaks LPS, everything behind this module RAS: `ras_from_lps` is the only place where the sign changes.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float64

from app.errors import (
    ArchiveTooLargeError,
    CorruptImageError,
    IrregularGeometryError,
    MixedSeriesError,
    NoUsableSeriesError,
    WrongModalityError,
)
from app.imaging.dicom.concatenation import check_concatenations
from app.imaging.dicom.duplicates import without_duplicates
from app.imaging.dicom.header import Placement, SliceHeader
from app.imaging.dicom.pixels import read_voxels
from app.imaging.dicom.series import FEWEST_SLICES, SAME_DIRECTION, Wanted, choose_series, series_findings
from app.imaging.dicom.slices import read_slices
from app.imaging.files.source import Source
from app.imaging.geometry import FARTHEST_MM, HOLE_FACTOR, SPACING_MM, normal_of, stack_slices
from app.imaging.limits import ReadLimits
from app.imaging.volume import Finding, Grid, Modality, Volume

_LPS_TO_RAS: Final = np.array([-1.0, -1.0, 1.0])
SAME_SPACING_MM: Final = 1e-4
SAME_ECHO_MS: Final = 0.5
"""Greatest difference of Echo Time within an image: the closest echoes are about a millisecond apart, and files round theirs."""
SHARED_MM: Final = 20.0
"""Blocks of one protocol may overlap by a slice or two where they meet; passes of a CT by far more."""
MOST: Final = 0.5
"""Share of the gaps between slices from which they are all said to have one."""
UNIT: Final = 0.01
"""Greatest deviation of direction cosines from orthonormal; files round them to four digits or more."""


def ras_from_lps(vectors: Float64[np.ndarray, "*n 3"]) -> Float64[np.ndarray, "*n 3"]:
    """DICOM's patient frame (Left, Posterior, Superior) to ours (Right, Anterior, Superior); its own inverse."""
    return np.asarray(vectors * _LPS_TO_RAS)


def read_dicom(sources: Sequence[Source], wanted: Wanted, limits: ReadLimits, files: int) -> Volume:
    """Reads the one image that is meant among DICOM files.

    Args:
        sources: DICOM files in any order.
        wanted: What the task needs, and the series where the caller names one.
        limits: Bounds.
        files: Files of the whole upload, for the finding that counts those left out.

    Raises:
        ImageError: By name; see `app.errors`.
        UnsupportedFileError: Colours, units other than HU, unknown encodings, unknown kinds of multi-frame images.
    """
    headers = [header for source in sources for header in read_slices(source, limits)]
    chosen, choice = choose_series(headers, wanted)
    check_concatenations(headers, chosen)
    modality = wanted.modality
    _check_alike(chosen, limits)
    step_i, step_j = _steps(chosen)
    ordered = _ordered(chosen, normal_of(step_i, step_j))
    distinct = without_duplicates(ordered, modality, limits)
    _check_number(distinct)
    _check_one_frame_of_reference(distinct)
    _check_one_echo(distinct)
    origins = np.stack([_origin(header) for header in distinct])
    if modality is Modality.CT:  # an MR's packages lie between each other, and may have numbers of their own
        _check_one_pass(distinct, origins @ normal_of(step_i, step_j))
    form = distinct[0].pixel_format
    stack = stack_slices(step_i, step_j, origins, (form.columns, form.rows))
    _check_size(math.prod(stack.grid.shape), limits)
    findings = (
        *stack.findings,
        *_between(distinct, origins @ normal_of(step_i, step_j)),
        *_duplicates(len(ordered) - len(distinct)),
        *_lossy(distinct),
    )
    used = len({header.source for header in chosen})
    return Volume(
        voxels=read_voxels(
            distinct, modality, limits
        ).T,  # (slice, row, column) becomes (i = column, j = row, k)
        step_i=stack.step_i,
        step_j=stack.step_j,
        slice_origins=stack.slice_origins,
        grid=stack.grid,
        modality=modality,
        findings=(*findings, *series_findings(choice, files, used)),
        series=choice,
        stored_bits=max(header.pixel_format.bits_stored for header in distinct),
    )


def read_dicom_slice(source: Source, modality: Modality, limits: ReadLimits) -> Volume:
    """Reads the only slice in a file; it stands for one millimetre of depth.

    Raises:
        WrongModalityError: The file is of another modality.
        NoUsableSeriesError: It holds no slice, or several.
        UnsupportedFileError: Colours, or an unknown encoding.
    """
    headers = [header for header in read_slices(source, limits) if header.is_slice]
    if len(headers) != 1:
        raise NoUsableSeriesError(
            f"Expected one slice in the DICOM file, found {len(headers)}. Send one image per file."
        )
    if headers[0].modality != modality:
        raise WrongModalityError(f"Expected {modality}, found another modality. Send the {modality} image.")
    _check_alike(headers, limits)
    step_i, step_j = _steps(headers)
    origins = _origin(headers[0])[None]
    affine = np.eye(4)
    affine[:3] = np.stack([step_i, step_j, normal_of(step_i, step_j), origins[0]], axis=1)
    form = headers[0].pixel_format
    return Volume(
        voxels=read_voxels(headers, modality, limits).T,
        step_i=step_i,
        step_j=step_j,
        slice_origins=origins,
        grid=Grid((form.columns, form.rows, 1), affine),
        modality=modality,
    )


def _placed(header: SliceHeader) -> Placement:
    if header.placement is None:
        raise IrregularGeometryError(
            "Expected position, orientation and pixel spacing in every slice, found a slice without. "
            "Export the original series."
        )
    return header.placement


def _origin(header: SliceHeader) -> Float64[np.ndarray, "3"]:
    return ras_from_lps(np.array(_placed(header).image_position_patient))


def _check_alike(headers: Sequence[SliceHeader], limits: ReadLimits) -> None:
    """Refuses slices of different size, spacing or direction in one series, and more voxels than allowed."""
    if len({(header.pixel_format.rows, header.pixel_format.columns) for header in headers}) > 1:
        raise IrregularGeometryError(
            "Expected slices of one size, found several in one series. Send one acquisition."
        )
    if any(min(header.pixel_format.rows, header.pixel_format.columns) < 1 for header in headers):
        raise CorruptImageError(
            "Expected slices of rows and columns, found one without. Send the complete files."
        )
    spacings = np.array([_placed(header).pixel_spacing for header in headers])
    cosines = np.array([_placed(header).image_orientation_patient for header in headers])
    positions = np.array([_placed(header).image_position_patient for header in headers])
    if not (np.isfinite(spacings).all() and np.isfinite(cosines).all() and np.isfinite(positions).all()):
        raise IrregularGeometryError(
            "Expected finite positions, found some that are not. Export the series again."
        )
    if not (np.abs(positions) <= FARTHEST_MM).all():
        raise IrregularGeometryError(
            f"Expected slices within {FARTHEST_MM / 1000:.0f} m, found one farther away. Export the series again."
        )
    if np.ptp(spacings, axis=0).max() > SAME_SPACING_MM:
        raise IrregularGeometryError(
            "Expected one pixel spacing in the series, found several. Send one acquisition."
        )
    if spacings.min() < SPACING_MM[0] or spacings.max() > SPACING_MM[1]:
        raise IrregularGeometryError(
            f"Expected pixels of {SPACING_MM[0]} to {SPACING_MM[1]:.0f} mm, found others. Export the original series."
        )
    if np.ptp(cosines, axis=0).max() > SAME_DIRECTION:
        raise IrregularGeometryError(
            "Expected parallel slices, found several orientations. Send one acquisition."
        )
    _check_size(len(headers) * headers[0].pixel_format.rows * headers[0].pixel_format.columns, limits)


def _check_size(voxels: int, limits: ReadLimits) -> None:
    if voxels > limits.max_voxels:
        raise ArchiveTooLargeError(
            f"Expected at most {limits.max_voxels} voxels, found {voxels}. Send a smaller series.",
            limit=limits.max_voxels,
        )


def _steps(headers: Sequence[SliceHeader]) -> tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]]:
    """RAS mm per column and per row, made exactly perpendicular."""
    # The least of the (nearly equal) statements, so that the order of files cannot matter.
    cosines = np.array(min(_placed(header).image_orientation_patient for header in headers))
    between_rows, between_columns = min(_placed(header).pixel_spacing for header in headers)
    row, column = cosines[:3], cosines[3:]
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if abs(lengths[0] - 1) > UNIT or abs(lengths[1] - 1) > UNIT or abs(row @ column) > UNIT:
        raise IrregularGeometryError(
            "Expected perpendicular unit direction cosines, found others. Export the series again."
        )
    row = row / lengths[0]
    column = column - (column @ row) * row
    column = column / np.linalg.norm(column)
    return ras_from_lps(row * between_columns), ras_from_lps(column * between_rows)


def _ordered(
    headers: Sequence[SliceHeader], normal: Float64[np.ndarray, "3"]
) -> list[tuple[float, SliceHeader]]:
    return sorted(((float(_origin(header) @ normal), header) for header in headers), key=lambda pair: pair[0])


def _check_number(distinct: Sequence[SliceHeader]) -> None:
    if len(distinct) < FEWEST_SLICES:
        raise NoUsableSeriesError(
            f"Expected at least {FEWEST_SLICES} slices at different places, found {len(distinct)}. Send all slices."
        )


def _check_one_frame_of_reference(headers: Sequence[SliceHeader]) -> None:
    """Refuses positions that no file relates to each other (PS3.3 C.7.4.1.1.1): the patient was laid anew between them.

    Some writers give every slice one of its own, and say nothing by it.
    """
    named = [header.frame_of_reference_uid for header in headers if header.frame_of_reference_uid]
    frames = len(set(named))
    if 1 < frames < len(named):
        raise MixedSeriesError(
            f"Expected slices of one frame of reference, found {frames} in one series. Send the slices of one acquisition alone."
        )


def _check_one_echo(headers: Sequence[SliceHeader]) -> None:
    """Refuses slices of several echoes, each at places of its own, as they are left where half of the files are lost."""
    times = [made.echo_time_ms for header in headers if (made := header.acquisition).echo_time_ms is not None]
    if times and max(times) - min(times) > SAME_ECHO_MS:
        raise MixedSeriesError(
            f"Expected one echo time, found {min(times):g} to {max(times):g} ms in slices of one image. Send all slices of one echo."
        )


def _check_one_pass(ordered: Sequence[SliceHeader], depths: Float64[np.ndarray, " K"]) -> None:
    """Refuses slices of a second pass over the same part, which may show another phase, or a head that moved, and of a second reconstruction.

    Scanners put several passes into one series, at places of their own; each has its Acquisition Number, as each rotation
    may have that makes a few neighbouring slices. So have blocks their kernel and their thickness. Contrast agent is there in all
    slices or in none.
    """
    ranges: dict[tuple[object, ...], tuple[float, float]] = {}
    made_how = [header.acquisition for header in ordered]
    is_numbered = all(made.acquisition_number is not None for made in made_how)
    has_thickness = all(made.slice_thickness_mm is not None for made in made_how)
    for made, depth in zip(made_how, depths.tolist(), strict=True):
        told = (
            made.acquisition_number if is_numbered else None,
            made.kernel,
            made.has_contrast_agent,
            round(made.slice_thickness_mm or 0, 1) if has_thickness else None,
        )
        ranges[told] = (ranges.get(told, (depth, depth))[0], depth)
    reached = -math.inf
    for low, high in sorted(ranges.values()):
        if min(reached, high) - low > SHARED_MM:
            raise MixedSeriesError(
                f"Expected one pass over the head, found slices of two acquisitions, kernels or thicknesses, or with and without contrast agent, "
                f"that share {min(reached, high) - low:.0f} mm. Send the slices that were made in one way."
            )
        reached = max(reached, high)


def _between(ordered: Sequence[SliceHeader], depths: Float64[np.ndarray, " K"]) -> tuple[Finding, ...]:
    """Says where most slices lie as far apart as if every second one were missing, which positions alone cannot show."""
    thick = np.array([header.acquisition.slice_thickness_mm or np.nan for header in ordered])
    thick[~(thick > 0)] = np.nan  # which no gap is wider than
    shown, gaps = (thick[:-1] + thick[1:]) / 2, np.diff(depths)
    if not np.mean(gaps > HOLE_FACTOR * shown) > MOST:
        return ()
    detail = (
        f"slices {np.nanmedian(shown):.2f} mm thick lie {np.median(gaps):.2f} mm apart: what lies between them is not "
        "shown; every second one may be missing"
    )
    return (Finding("gaps-between-slices", detail),)


def _duplicates(dropped: int) -> tuple[Finding, ...]:
    return (Finding("duplicate-slices-dropped", f"{dropped} slices were sent twice"),) if dropped else ()


def _lossy(headers: Sequence[SliceHeader]) -> tuple[Finding, ...]:
    lossy = sum(header.is_lossy for header in headers)
    detail = f"{lossy} slices were compressed with loss, or by an encoding that loses as a rule"
    return (Finding("lossy-compression", detail),) if lossy else ()
