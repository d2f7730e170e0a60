"""Which files of an upload are the image: every series is named, ranked by a stated rule, and one is read.

What cannot be meant is set aside first: files that hold no CT or MR slices (reports, plans, segmentations, captures),
another modality, localisers, mosaics, phase and fat images, real and imaginary parts, maps, projections, curved reformats, slices without a place, series of
fewer than `FEWEST_SLICES`. The rest is ranked
by `series_ranking.RULES`, the first difference decides, and the answer says which. Two series that no rule can tell apart, and those of two
examinations, which may be two patients', are never chosen between: `mixed-series`, and the caller may name one by its Series Instance UID.

One Series Instance UID may hold several images of the same places (echoes, phases, magnitude and phase). Where most places
repeat, the images are told apart by echo time, image type, phase, acquisition number, kernel or contrast agent, and ranked like series, if one of them
shows nearly all places.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Final, NoReturn, TypeVar

import numpy as np

from app.errors import MixedSeriesError, NoUsableSeriesError, UnsupportedFileError, WrongModalityError
from app.imaging.dicom.header import Acquisition, SliceHeader
from app.imaging.dicom.series_ranking import first_difference, is_as_good, rank
from app.imaging.dicom.series_rules import body_part_of, is_original, kernel_of, plane_of, weighting_of
from app.imaging.series_choice import PassedOver, SeriesChoice, SeriesSummary
from app.imaging.volume import Finding, Modality

Value = TypeVar("Value")
FEWEST_SLICES: Final = 5
"""A volume needs slices above and below what is looked at; fewer are localisers or excerpts."""
NOT_A_SLICE: Final = {
    "LOCALIZER": "a localiser",
    "MOSAIC": "a mosaic",
    "P": "a phase image",
    "PHASE": "a phase image",
    "PHASE MAP": "a phase image",
    "I": "an imaginary part",
    "IMAGINARY": "an imaginary part",
    "R": "a real part",
    "REAL": "a real part",
    "FAT": "a fat image",
    **dict.fromkeys(("DENSITY MAP", "T1 MAP", "T2 MAP", "VELOCITY MAP", "QMAP", "MULTI_QMAP"), "a map"),
    **dict.fromkeys(("MINIP", "MIP", "MIN_IP", "MAX_IP", "PROJECTION IMAGE"), "a projection"),
    **dict.fromkeys(("CSA MIP", "CSA MIP THIN", "HD MIP", "MIN IP", "PROJECTION IMAG"), "a projection"),
    **dict.fromkeys(("MIP_COR", "MIP_SAG", "MIP_TRA", "MNIP"), "a projection"),
    "CPR": "a curved reformat",
}
"""Values of Image Type: a scout (PS3.3 C.7.6.1.1.2); Siemens' many slices tiled into one image; what has the times of an
MR image and other values than it (C.8.3.1.1.1), phase, imaginary and real part as Philips and Siemens call them, maps, of a Dixon image its fat; the
brightest or darkest of many slices, in each maker's words, or a vessel unrolled, none of which lies where the image says."""
KNOWN_MODALITIES: Final = frozenset(
    {"CT", "MR", "PT", "NM", "US", "XA", "RF", "CR", "DX", "MG", "SEG", "SR", "RTDOSE", "RTPLAN"}
)
SAME_DIRECTION: Final = 1e-3
"""Greatest difference of a direction cosine within an image: 0.06 degrees."""
MOST_REPEATED: Final = 0.5
"""Share of places that must repeat before one series is taken for several images of the same places."""
MOST_SHOWN: Final = 0.9
"""Share of the places that one of several images must show. Blocks of one image show fewer, even where a block was made twice."""
TELLING_APART: Final[tuple[Callable[[Acquisition], object], ...]] = (
    lambda made: made.echo_time_ms,
    lambda made: made.image_type,
    lambda made: made.temporal_position,
    lambda made: made.acquisition_number,
    lambda made: made.kernel,
    lambda made: made.has_contrast_agent,
)


@dataclass(frozen=True)
class Wanted:
    """What is asked for.

    Attributes:
        modality: What the task needs.
        series: Series Instance UID named by the caller; None leaves the choice to the rules.
    """

    modality: Modality
    series: str | None = None


@dataclass(frozen=True)
class Candidate:
    """Slices that may be one image."""

    summary: SeriesSummary
    slices: list[SliceHeader]
    unfit: str = ""
    """Why it cannot be meant; empty where it can."""


def choose_series(headers: Sequence[SliceHeader], wanted: Wanted) -> tuple[list[SliceHeader], SeriesChoice]:
    """Picks the slices of the one image that is meant.

    Args:
        headers: Every slice and every other file of the upload.
        wanted: What is asked for.

    Raises:
        WrongModalityError: There are images, of another modality only.
        UnsupportedFileError: The only images are multi-frame of a kind that is not read.
        NoUsableSeriesError: No series has enough slices, or the one asked for is not there.
        MixedSeriesError: The rules cannot tell two apart, or they are of two examinations.
    """
    modality = wanted.modality
    candidates = candidates_of(headers, wanted)
    fit = [candidate for candidate in candidates if not candidate.unfit]
    if not fit:
        _refuse(headers, candidates, wanted)
    studies = {header.study_instance_uid for one in fit for header in one.slices} - {""}
    if len(studies) > 1:
        raise MixedSeriesError(
            f"Expected one examination, found {modality} series of {len(studies)}. Send only the one that is meant, or name its series "
            "by its Series Instance UID.",
            series=len(fit),
        )
    ranked = sorted(fit, key=lambda one: rank(one.summary, modality), reverse=True)
    best = [one for one in ranked if is_as_good(one.summary, ranked[0].summary, modality)]
    if len(best) > 1:
        raise _mixed(best, modality)
    chosen = best[0]
    return chosen.slices, SeriesChoice(
        chosen.summary,
        _reason(fit, wanted),
        tuple(
            PassedOver(one.summary, one.unfit or first_difference(chosen.summary, one.summary, modality))
            for one in candidates
            if one is not chosen
        ),
    )


def _mixed(best: Sequence[Candidate], modality: Modality) -> MixedSeriesError:
    """What to do about images that the rules cannot tell apart; those of one series have one name."""
    if len({one.summary.series_instance_uid for one in best}) == 1:
        return MixedSeriesError(
            f"Expected one {modality} image, found {len(best)} of the same places in one series (phases, echoes or "
            "reconstructions). Send the slices of one of them alone.",
            series=len(best),
        )
    return MixedSeriesError(
        f"Expected one {modality} series, found {len(best)} of at least {FEWEST_SLICES} slices that cannot be told "
        "apart. Send only the series that is meant, or name it by its Series Instance UID.",
        series=len(best),
    )


def candidates_of(headers: Sequence[SliceHeader], wanted: Wanted) -> list[Candidate]:
    """Every series of the upload, in the order of their numbers, fit or not."""
    groups: dict[tuple[str, str, str], list[SliceHeader]] = defaultdict(list)
    for header in headers:
        if header.is_slice:
            # A localiser may share its series with the slices it was made for.
            scout = next((word for word in NOT_A_SLICE if word in header.acquisition.image_type), "")
            # A series has one modality (PS3.3 A.1.2.3); where its UID was taken away, all have the same.
            groups[header.series_instance_uid, header.modality, scout].append(header)
    found = [
        Candidate(summary := summarise(image), image, _unfit(summary, scout, wanted))
        for (_, _, scout), group in groups.items()
        for image in _images(group)
    ]
    return sorted(found, key=lambda one: (one.summary.number is None, one.summary.number or 0, one.unfit))


@np.errstate(over="ignore", invalid="ignore")  # absurd positions are refused by name when they are read
def summarise(image: Sequence[SliceHeader]) -> SeriesSummary:
    """What the headers of one image say."""
    made = _usual_acquisition(image)
    modality = _usual(header.modality for header in image)
    depths, normal, spacing = _depths(image)
    gaps = np.diff(np.unique(np.round(depths, 3)))
    return SeriesSummary(
        number=made.series_number,
        modality=modality,
        slices=len(image),
        plane=plane_of(normal) if len(depths) else None,
        extent_mm=_millimetres(np.ptp(depths)) if len(depths) else None,
        gap_mm=_millimetres(np.median(gaps)) if len(gaps) else None,
        pixel_spacing_mm=spacing,
        is_original=is_original(made.image_type),
        has_contrast_agent=made.has_contrast_agent,
        body_part=body_part_of(made.body_part),
        kernel=kernel_of(made.kernel),
        weighting=weighting_of(made) if modality == Modality.MR else "unknown",
        series_instance_uid=image[0].series_instance_uid,
    )


def series_findings(choice: SeriesChoice, files: int, used: int) -> tuple[Finding, ...]:
    """What a reader of the answer should know about the choice."""
    findings = []
    if files != used:
        findings.append(
            Finding(
                "files-ignored",
                f"{files - used} of {files} files are not slices of the image and were left out",
            )
        )
    if choice.chosen.body_part == "other":
        findings.append(
            Finding("body-part-doubtful", "the series is declared to show another part than the head")
        )
    if choice.chosen.weighting not in {"T1", "unknown"}:
        detail = f"by its header the series is {choice.chosen.weighting}, not T1-weighted"
        findings.append(Finding("weighting-doubtful", detail))
    if choice.chosen.has_contrast_agent:
        findings.append(Finding("contrast-agent", "the series is declared to be made with contrast agent"))
    return tuple(findings)


def _usual_acquisition(image: Sequence[SliceHeader]) -> Acquisition:
    """What most slices declare, whatever the order of the files; an agent that one slice names was given."""
    declared = [header.acquisition for header in image]
    usual = {
        field.name: _usual(getattr(each, field.name) for each in declared) for field in fields(Acquisition)
    }
    return Acquisition(**{**usual, "has_contrast_agent": any(each.has_contrast_agent for each in declared)})


def _usual(values: Iterable[Value]) -> Value:
    """The most frequent value; of those that are as frequent, always the same."""
    return max(Counter(values).items(), key=lambda counted: (counted[1], repr(counted[0])))[0]


def _millimetres(length: np.floating) -> float | None:
    """To a micrometre; None for what is no length."""
    return round(float(length), 3) if np.isfinite(length) else None


def _depths(image: Sequence[SliceHeader]) -> tuple[np.ndarray, np.ndarray, float | None]:
    """Depth of each slice along the usual normal, that normal, and the spacing between rows; no depths where slices have no place, or no one normal."""
    places = [header.placement for header in image if header.placement is not None]
    if not places:
        return np.empty(0), np.zeros(3), None
    directions = [place.image_orientation_patient for place in places]
    between_rows = float(_usual(place.pixel_spacing for place in places)[0])
    spacing = between_rows if np.isfinite(between_rows) else None
    if np.ptp(directions, axis=0).max() > SAME_DIRECTION:  # the three planes of an MR localiser
        return np.empty(0), np.zeros(3), spacing
    cosines = np.array(_usual(directions))
    normal = np.cross(cosines[:3], cosines[3:])
    depths = np.array([place.image_position_patient for place in places]) @ normal
    return (
        np.nan_to_num(depths),
        np.nan_to_num(normal, nan=1.0),
        spacing,
    )


def _images(group: list[SliceHeader]) -> list[list[SliceHeader]]:
    """One series as the images in it: itself, or one for each value of what tells images of one place apart."""
    if _repeated(group) < MOST_REPEATED:
        return [group]
    for telling in TELLING_APART:
        parts: dict[object, list[SliceHeader]] = defaultdict(list)
        for header in group:
            parts[telling(header.acquisition)].append(header)
        if len(parts) > 1 and _tells_apart(telling, group):
            return [image for part in parts.values() for image in _images(part)]
    return [group]


def _tells_apart(telling: Callable[[Acquisition], object], group: Sequence[SliceHeader]) -> bool:
    """Whether what is at one place differs in this, and one value of it is a whole image: blocks of a series may have numbers of their own, and a slice may be sent twice."""
    found: dict[tuple[float, ...], set[object]] = defaultdict(set)
    for header in group:
        if header.placement is not None:
            found[header.placement.image_position_patient].add(telling(header.acquisition))
    shown = Counter(value for values in found.values() for value in values)
    return (
        bool(found)
        and shown.total() / len(found) - 1 >= MOST_REPEATED
        and max(shown.values()) >= MOST_SHOWN * len(found)
    )


def _repeated(group: Sequence[SliceHeader]) -> float:
    """Share of the places at which there is more than one slice."""
    places = [header.placement.image_position_patient for header in group if header.placement is not None]
    return len(places) / len(set(places)) - 1 if places else 0.0


def _unfit(summary: SeriesSummary, scout: str, wanted: Wanted) -> str:
    if summary.modality != wanted.modality:
        return f"not {wanted.modality}"
    if wanted.series is not None and summary.series_instance_uid != wanted.series:
        return "another series was asked for"
    if scout:
        return NOT_A_SLICE[scout]
    if summary.slices < FEWEST_SLICES:
        return f"fewer than {FEWEST_SLICES} slices"
    return ""


def _reason(fit: Sequence[Candidate], wanted: Wanted) -> str:
    if wanted.series is not None:
        return "it was asked for"
    return (
        f"the best of {len(fit)} that could be meant" if len(fit) > 1 else "the only one that could be meant"
    )


def _refuse(headers: Sequence[SliceHeader], candidates: Sequence[Candidate], wanted: Wanted) -> NoReturn:
    """Says why nothing can be read; always raises."""
    modality, series = wanted.modality, wanted.series
    meant = [one for one in candidates if series in {None, one.summary.series_instance_uid}]
    if series is not None and not meant:
        raise NoUsableSeriesError(
            f"Expected the named series among the files, found {len(candidates)} others. Send its files, or name another."
        )
    fitting = [one for one in meant if one.summary.modality == modality]
    if fitting:
        largest = max((one.summary.slices for one in fitting if not _is_scout(one)), default=0)
        raise NoUsableSeriesError(
            f"Expected a series of at least {FEWEST_SLICES} {modality} slices, found at most {largest} slices that are "
            "no localiser, mosaic, phase or fat image, real or imaginary part, curved reformat, map or projection. Send all slices of the series."
        )
    _refuse_modality([one for one in headers if series in {None, one.series_instance_uid}], modality)


def _is_scout(candidate: Candidate) -> bool:
    return candidate.unfit in NOT_A_SLICE.values()


def _refuse_modality(headers: Sequence[SliceHeader], modality: Modality) -> NoReturn:
    if any(header.is_unreadable_multi_frame and header.modality == modality for header in headers):
        raise UnsupportedFileError(
            f"Expected single-frame or enhanced {modality} images, found another multi-frame kind. "
            "Export the series as classic single-frame DICOM or as NIfTI."
        )
    others = {header.modality for header in headers if header.is_slice}
    if others:
        named = ", ".join(sorted(others & KNOWN_MODALITIES)) or "another modality"
        raise WrongModalityError(
            f"Expected {modality} images, found {named}. Send the {modality} series, or ask another model."
        )
    raise NoUsableSeriesError(
        f"Expected {modality} slices, found {len(headers)} DICOM files without any. Send the image series."
    )
