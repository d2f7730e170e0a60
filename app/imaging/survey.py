"""What the door sees in files, kept whole: also what it left out, and all it saw before it refused.

`read_image` answers with one Volume or one error. A person who asks why needs the rest: the kinds of files, every series
with the reason for or against it. Nothing here names a patient.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.errors import CorruptImageError, RequestError, WrongModalityError
from app.imaging.dicom.header import SliceHeader
from app.imaging.dicom.series import Wanted, candidates_of, choose_series
from app.imaging.dicom.slices import read_slices
from app.imaging.files.file_kind import FileKind, kind_inside
from app.imaging.files.source import Source
from app.imaging.limits import ReadLimits
from app.imaging.read import opened, read_sources
from app.imaging.series_choice import PassedOver, SeriesChoice
from app.imaging.volume import Modality, Volume

DAMAGED = "damaged"
Progress = Callable[[int, int], None]
"""Called with the files looked at so far and all of them."""


@dataclass(frozen=True)
class FileCount:
    """Files of one kind.

    Attributes:
        kind: In words; `damaged` for those that cannot be read at all.
        files: How many.
        megabytes: Together, as they lie on disk.
    """

    kind: str
    files: int
    megabytes: float


@dataclass(frozen=True)
class Survey:
    """All that was seen.

    Attributes:
        files: By kind, the most frequent first; of an archive, those in it.
        modality: For which the files were read.
        choice: The series that is read, and the others with the reason against each; None where none is read.
        series: Every series where none is read, with the reason against each.
        volume: The image; None where it was refused.
        refusal: Why it was refused.
    """

    files: tuple[FileCount, ...]
    modality: Modality
    choice: SeriesChoice | None = None
    series: tuple[PassedOver, ...] = ()
    volume: Volume | None = None
    refusal: RequestError | None = None


def survey(
    paths: Sequence[Path],
    *,
    limits: ReadLimits,
    modality: Modality | None = None,
    series: str | None = None,
    progress: Progress = lambda _done, _all: None,
) -> Survey:
    """Looks at files as `read_image` does, and keeps what it sees.

    Args:
        paths: Files by any names in any order.
        limits: Bounds.
        modality: What is asked for; None means whichever the files hold.
        series: Series Instance UID of the series that is meant.
        progress: Told after every file.

    Raises:
        RequestError: An archive that cannot be unpacked; everything later is kept in the answer.
    """
    with opened(paths, limits) as files:
        kinds, headers = _look_at(files, limits, progress)
        asked = modality or _most_frequent(headers)
        volume, refusal = _read(files, asked, series, limits)
        read_as = volume.modality if volume is not None else asked or Modality.MR
        choice, passed_over = _series(headers, Wanted(read_as, series))
        return Survey(_counted(kinds), read_as, choice, passed_over, volume, refusal)


def _kind(file: Source) -> str:
    try:
        return kind_inside(file)
    except CorruptImageError:
        return DAMAGED


def _counted(kinds: dict[Source, str]) -> tuple[FileCount, ...]:
    counts, sizes = Counter(kinds.values()), Counter[str]()
    for file, kind in kinds.items():
        sizes[kind] += file.size
    return tuple(FileCount(kind, count, sizes[kind] / 1e6) for kind, count in counts.most_common())


def _look_at(
    files: Sequence[Source], limits: ReadLimits, progress: Progress
) -> tuple[dict[Source, str], list[SliceHeader]]:
    kinds: dict[Source, str] = {}
    headers: list[SliceHeader] = []
    for number, file in enumerate(files, start=1):
        kinds[file] = _kind(file)
        if kinds[file] == FileKind.DICOM:
            with suppress(RequestError):  # the door refuses it too, and says why
                headers += read_slices(file, limits)
        progress(number, len(files))
    return kinds, headers


def _most_frequent(headers: Sequence[SliceHeader]) -> Modality | None:
    """CT or MR, whichever has more slices; None where there is neither."""
    counts = Counter(header.modality for header in headers if header.is_slice)
    return max(Modality, key=lambda modality: counts[modality]) if any(counts[m] for m in Modality) else None


def _read(
    files: Sequence[Source], modality: Modality | None, series: str | None, limits: ReadLimits
) -> tuple[Volume | None, RequestError | None]:
    """Reads for the modality; where none is known, as the CT that its values allow, else as MR."""
    try:
        return read_sources(files, Wanted(modality or Modality.CT, series), limits), None
    except WrongModalityError as error:
        return _read(files, Modality.MR, series, limits) if modality is None else (None, error)
    except RequestError as error:
        return None, error


def _series(
    headers: Sequence[SliceHeader], wanted: Wanted
) -> tuple[SeriesChoice | None, tuple[PassedOver, ...]]:
    try:
        return choose_series(headers, wanted)[1], ()
    except RequestError:
        found = candidates_of(headers, wanted)
    return None, tuple(
        PassedOver(one.summary, one.unfit or "could be meant, and so could another") for one in found
    )
