"""The voxels of ordered slices as the scanner means them: decoded, padding filled, modality LUT applied.

HU stays integer where slope and intercept are integers. Which slices have a meaning that is known says `dicom.supported`.
"""

from collections.abc import Callable, Sequence, Set
from functools import partial
from itertools import islice
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Real
from pydicom.encaps import generate_frames, get_frame
from scipy import ndimage

from app.cpus import usable_cpus
from app.errors import CorruptImageError
from app.imaging.content import AIR, AIR_LIKE_HU
from app.imaging.decoding_errors import decoding
from app.imaging.dicom.decode import NATIVE, Stored, decode_frame
from app.imaging.dicom.file import PixelPlace, inflated
from app.imaging.dicom.header import PixelFormat, SliceHeader
from app.imaging.dicom.supported import check_supported, is_scaled
from app.imaging.files.source import Buffer, Loaded, Source
from app.imaging.limits import ReadLimits
from app.imaging.threads import side_by_side
from app.imaging.volume import Modality

SMALL_BITS: Final = 16
LARGEST_RESCALE: Final = 1 << 14
"""16 bits times this, plus this, still fit int32."""
HU_RANGE: Final = (-1024, 32767)
"""Nothing is thinner than air, and metal saturates long before int16 ends; so integer HU always fits int16."""
RUNS_PER_CORE: Final = 16
"""Short enough that no thread waits long for the last one."""

Plane = Real[np.ndarray, "rows columns"]


def read_voxels(
    headers: Sequence[SliceHeader], modality: Modality, limits: ReadLimits
) -> Real[np.ndarray, "K rows columns"]:
    """Decodes slices side by side into one array.

    A packed file is unpacked for its slice alone and dropped; only one of many frames is held until all are decoded.

    Args:
        headers: Slices of one size, in the order wanted.
        modality: Decides type, fill and range.
        limits: Bounds of what a deflated file may inflate to.

    Raises:
        CorruptImageError: Truncated or contradictory pixels.
        UnsupportedFileError: As `check_supported`.
    """
    check_supported(headers, modality)
    form = headers[0].pixel_format
    dtype = voxel_dtype(headers, modality)
    voxels = np.empty((len(headers), form.rows, form.columns), dtype)
    encoded = _encoded(headers, limits)
    fill: Callable[[int], None] = partial(_fill, headers, modality, encoded, voxels)
    side_by_side(partial(_each, fill), _runs(len(headers)))
    return voxels


def _runs(slices: int) -> list[range]:
    """Neighbouring slices as one task: handing over a task takes as long as copying an uncompressed slice."""
    length = max(1, slices // (usable_cpus() * RUNS_PER_CORE))
    return [range(start, min(start + length, slices)) for start in range(0, slices, length)]


def _each(fill: Callable[[int], None], run: range) -> None:
    for k in run:
        fill(k)


def voxel_dtype(headers: Sequence[SliceHeader], modality: Modality) -> np.dtype[Any]:
    """One type that holds every slice: integral HU is int16, unscaled MR as stored, scaled MR int32 or float32."""
    forms = {(header.pixel_format.is_signed, header.pixel_format.bits_allocated) for header in headers}
    if any(bits > SMALL_BITS for _, bits in forms) or not all(_is_integral(header) for header in headers):
        return np.dtype(np.float32)
    if modality is Modality.CT:
        return np.dtype(np.int16)
    if len(forms) == 1 and not any(is_scaled(header) for header in headers):
        signed, bits = forms.pop()
        return np.dtype(f"{'i' if signed else 'u'}{bits // 8}")
    return np.dtype(np.int32)


def _is_integral(header: SliceHeader) -> bool:
    """Whether the rescale is whole numbers and int32 holds its result."""
    slope, intercept = header.rescale_slope, header.rescale_intercept
    return slope.is_integer() and intercept.is_integer() and max(abs(slope), abs(intercept)) < LARGEST_RESCALE


def _encoded(headers: Sequence[SliceHeader], limits: ReadLimits) -> Callable[[SliceHeader], Buffer]:
    """How the bytes of a slice are come by; a file of many frames is there already, and its fragments are put together."""
    files = {header.source: header for header in headers if header.frames > 1}
    wanted: dict[Source, set[int]] = {source: set() for source in files}
    for header in headers:
        if header.source in wanted:
            wanted[header.source].add(header.frame)
    with decoding("The pixels of a DICOM slice"):
        held = {source: _loaded(header, limits) for source, header in files.items()}
        frames = {
            source: _frames(place.offset, header.frames, held.pop(source), wanted[source])
            for source, header in files.items()
            if (place := header.pixels) is not None and place.length is None
        }

    def of(header: SliceHeader) -> Buffer:
        if header.source in frames:
            return frames[header.source][header.frame]
        return _part(header, held.get(header.source) or _loaded(header, limits))

    return of


def _frames(offset: int, count: int, loaded: Loaded, wanted: Set[int]) -> dict[int, bytes]:
    """By number, in one pass: a table of where each begins is often empty, and then whoever looks for one passes all before it."""
    with loaded.open() as stream:
        stream.seek(offset)
        found = enumerate(islice(generate_frames(stream, number_of_frames=count), count))
        return {number: frame for number, frame in found if number in wanted}


def _loaded(header: SliceHeader, limits: ReadLimits) -> Loaded:
    is_deflated = header.pixels is not None and header.pixels.is_deflated
    return inflated(header.source, limits) if is_deflated else header.source.loaded()


def _fill(
    headers: Sequence[SliceHeader],
    modality: Modality,
    encoded: Callable[[SliceHeader], Buffer],
    voxels: Real[np.ndarray, "K rows columns"],
    k: int,
) -> None:
    with decoding("The pixels of a DICOM slice"):
        stored = stored_pixels(headers[k], encoded(headers[k]))
    _rescale(stored, headers[k], modality, voxels[k])


def _part(header: SliceHeader, loaded: Loaded) -> Buffer:
    """The bytes of a slice.

    Args:
        header: The slice; not one of several in fragments.
        loaded: Its file, inflated where the whole dataset is deflated.
    """
    place = _placed(header)
    if place.length is None:
        with loaded.open() as stream:
            stream.seek(place.offset)
            return get_frame(stream, 0, number_of_frames=1)
    size = _size(header.pixel_format)
    # What lies behind the element is not its pixels, however much there is.
    there = min(size, max(0, place.length - header.frame * size))
    return loaded.part(place.offset + header.frame * size, there)


def _placed(header: SliceHeader) -> PixelPlace:
    if header.pixels is None:
        raise CorruptImageError(
            "Expected pixels in every slice, found a slice without. Send the complete files."
        )
    return header.pixels


def _size(form: PixelFormat) -> int:
    return form.rows * form.columns * form.bits_allocated // 8


def stored_pixels(header: SliceHeader, data: Buffer) -> Stored:
    """Decoded values of one slice before the modality LUT.

    Args:
        header: The slice.
        data: Its bytes as they are encoded.
    """
    syntax, form = _placed(header).transfer_syntax, header.pixel_format
    if syntax in NATIVE and len(data) < _size(form):
        raise CorruptImageError(
            f"Expected {form.rows} x {form.columns} pixels in a slice, found fewer: the file is truncated. "
            "Send the complete files."
        )
    return decode_frame(data, syntax, form)


def _rescale(stored: Stored, header: SliceHeader, modality: Modality, out: Plane) -> None:
    """Output units = slope * stored + intercept (PS3.3 C.11.1.1.2) or a table's, padding as air, HU in their range."""
    fits = _fits(stored, header, modality, out)
    if fits:
        _shift_hu(stored, header, out)
    elif modality is Modality.MR and not is_scaled(header) and stored.dtype == out.dtype:
        out[:] = stored
    else:
        _transform(stored, header, modality, out)
    padding = header.pixel_format.padding
    if padding is None or (fits and padding[1] + header.rescale_intercept <= HU_RANGE[0]):
        return  # air and what is below it is air already
    marked = (stored >= padding[0]) & (stored <= padding[1])
    if modality is Modality.CT and out[marked].max(initial=AIR_LIKE_HU) > AIR_LIKE_HU:
        marked = _reaching_the_edge(marked)
    out[marked] = AIR[modality]


def _reaching_the_edge(marked: Bool[np.ndarray, "rows columns"]) -> Bool[np.ndarray, "rows columns"]:
    """The parts of a mask that touch the image's edge, as what lies outside the measured circle does.

    Files that name a value of tissue as padding (0, where the stored values are HU) have it inside the head, too: there it was measured.
    """
    parts, _ = ndimage.label(marked)
    edge = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    return np.isin(parts, edge[edge > 0])


def _fits(stored: Stored, header: SliceHeader, modality: Modality, out: Plane) -> bool:
    """Whether HU can be made in int16 alone, as nearly always."""
    return (
        modality is Modality.CT
        and out.dtype == np.int16
        and header.lookup_table is None
        and header.rescale_slope == 1.0
        and -LARGEST_RESCALE < header.rescale_intercept <= 0
        and stored.dtype.itemsize == out.dtype.itemsize
        and (header.pixel_format.is_signed or header.pixel_format.bits_stored < SMALL_BITS)
    )


def _shift_hu(stored: Stored, header: SliceHeader, out: Plane) -> None:
    """Raises to the least HU before shifting down, so that nothing leaves int16."""
    intercept = int(header.rescale_intercept)
    # A row of the same number, because numpy takes four times as long beside a single one.
    least = np.full(out.shape[-1], HU_RANGE[0] - intercept, np.int16)
    np.maximum(stored.view(np.int16), least, out=out)
    if intercept:
        out += np.int16(intercept)


def _transform(stored: Stored, header: SliceHeader, modality: Modality, out: Plane) -> None:
    """The general road, in int32 or float32."""
    wide = np.dtype(np.float32 if out.dtype.kind == "f" else np.int32)
    table = header.lookup_table
    values: Plane
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # what is not finite is counted and replaced by the caller
        if table is not None:
            values = np.array(table.entries, wide)[
                np.clip(stored.astype(np.int64) - table.first, 0, len(table.entries) - 1)
            ]
        else:
            slope, intercept = np.float64(header.rescale_slope), np.float64(header.rescale_intercept)
            values = stored.astype(wide) * slope.astype(wide) + intercept.astype(wide)
    if modality is Modality.CT:
        np.clip(values, *HU_RANGE, out=values)
    out[:] = values
