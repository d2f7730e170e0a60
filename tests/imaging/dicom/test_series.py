"""A study as a hospital exports it: which series is read, why, and why not the others."""

from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import MixedSeriesError, NoUsableSeriesError, WrongModalityError
from app.imaging.dicom.header import Acquisition, Placement, SliceHeader
from app.imaging.dicom.series import NOT_A_SLICE, Wanted, choose_series, series_findings
from app.imaging.files.source import DiskFile
from app.imaging.limiting import LIMITING
from app.imaging.read import read_image
from app.imaging.series_choice import SeriesChoice
from app.imaging.volume import Modality
from tests.imaging.making import Series, ramp

CT = Wanted(Modality.CT)
MR = Wanted(Modality.MR)
SOFT = Acquisition(2, ("ORIGINAL", "PRIMARY", "AXIAL"), "HEAD", "STANDARD")
BONE = replace(SOFT, kernel="BONEPLUS")
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


def image(
    uid: str,
    made: Acquisition = SOFT,
    *,
    slices: int = 30,
    gap_mm: float = 5.0,
    modality: str = "CT",
    cosines: tuple[float, ...] = AXIAL,
) -> list[SliceHeader]:
    """Headers of one series stacked along its normal."""
    along = (0.0, 0.0, 1.0) if cosines == AXIAL else (1.0, 0.0, 0.0)
    return [
        SliceHeader(
            DiskFile(Path(f"{uid}{n}")),
            modality,
            uid,
            is_slice=True,
            placement=Placement(tuple(n * gap_mm * step for step in along), cosines, (0.5, 0.5)),
            acquisition=made,
        )
        for n in range(slices)
    ]


def uid_of(choice: SeriesChoice) -> str:
    return choice.chosen.series_instance_uid


BETTER_AND_WORSE = {
    "is declared to show the head": (SOFT, replace(SOFT, body_part="CHEST")),
    "is original, not computed from other images": (
        SOFT,
        replace(SOFT, image_type=("DERIVED", "SECONDARY", "MPR")),
    ),
    "was made without contrast agent": (SOFT, replace(SOFT, has_contrast_agent=True)),
    "has a soft-tissue kernel": (SOFT, replace(SOFT, kernel="BONEPLUS")),
}


@pytest.mark.parametrize("words", BETTER_AND_WORSE)
def test_the_first_rule_that_differs_decides_and_is_the_reason(words: str) -> None:
    better, worse = BETTER_AND_WORSE[words]
    headers = [*image("worse", worse), *image("better", better)]
    for order in (headers, headers[::-1]):
        chosen, choice = choose_series(order, CT)
        assert uid_of(choice) == "better"
        assert {header.series_instance_uid for header in chosen} == {"better"}
        assert [other.reason for other in choice.others] == [f"the chosen series {words}"]


@pytest.mark.parametrize(
    ("worse", "words"),
    [
        (image("worse", cosines=SAGITTAL), "is axial"),
        (image("worse", slices=10), "covers at least 100 mm"),
        (image("worse", slices=16, gap_mm=10.0), "has the finer slices"),
        (image("worse", slices=26), "has more slices"),
    ],
)
def test_geometry_ranks_too(worse: list[SliceHeader], words: str) -> None:
    _, choice = choose_series([*worse, *image("better")], CT)
    assert uid_of(choice) == "better"
    assert choice.others[0].reason == f"the chosen series {words}"


OBLIQUE = (0.0, 0.999, 0.0447, 0.0, 0.0447, -0.999)


@pytest.mark.parametrize("gap_mm", [10.0, 0.5])
def test_an_mr_localiser_in_three_planes_is_never_preferred_whatever_its_gaps_seem(gap_mm: float) -> None:
    # Its Image Type does not tell; it has the times of a T1, a body part, and depths that mean nothing.
    t1 = replace(SOFT, body_part="", echo_time_ms=3.0, repetition_time_ms=9.0)
    survey = replace(t1, body_part="HEAD")
    planes = [
        header
        for cosines in (AXIAL, SAGITTAL, OBLIQUE)
        for header in image("survey", survey, slices=9, gap_mm=gap_mm, modality="MR", cosines=cosines)
    ]
    _, choice = choose_series([*planes, *image("t1", t1, modality="MR")], MR)
    assert uid_of(choice) == "t1"
    assert [one.reason for one in choice.others] == ["the chosen series is one stack of parallel slices"]


def test_slices_without_a_place_are_never_preferred() -> None:
    nowhere = [replace(header, placement=None) for header in image("nowhere", slices=60)]
    _, choice = choose_series([*nowhere, *image("ct", replace(SOFT, body_part=""), slices=8)], CT)
    assert uid_of(choice) == "ct"


def test_a_rule_of_more_weight_beats_all_later_ones() -> None:
    # A bone kernel in thin slices, and an old-fashioned soft one in thick: the kernel comes first.
    bone = image("bone", replace(SOFT, kernel="BONE"), slices=240, gap_mm=0.625)
    assert uid_of(choose_series([*bone, *image("soft")], CT)[1]) == "soft"


def test_a_t1_is_taken_for_mr_whatever_else_was_acquired() -> None:
    times = {"t1": (3.0, 2300.0, 900.0), "t2": (100.0, 5000.0, None), "flair": (120.0, 9000.0, 2500.0)}
    headers = [
        header
        for uid, (echo, repetition, inversion) in times.items()
        for header in image(
            uid,
            replace(SOFT, echo_time_ms=echo, repetition_time_ms=repetition, inversion_time_ms=inversion),
            modality="MR",
        )
    ]
    _, choice = choose_series(headers, MR)
    assert uid_of(choice) == "t1"
    assert {other.reason for other in choice.others} == {"the chosen series is T1-weighted"}


def test_what_cannot_be_meant_is_named() -> None:
    scout = image("scout", replace(SOFT, series_number=1, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER")))
    few = image("few", replace(SOFT, series_number=3), slices=4)
    other = image("mr", replace(SOFT, series_number=4), modality="MR")
    _, choice = choose_series([*other, *few, *scout, *image("ct")], CT)
    assert choice.reason == "the only one that could be meant"
    assert [(one.series.number, one.reason) for one in choice.others] == [
        (1, "a localiser"),
        (3, "fewer than 5 slices"),
        (4, "not CT"),
    ]


def test_a_localiser_within_the_series_is_left_out_of_it_and_so_is_another_modality() -> None:
    # Where the UID was taken away, all series of a study have the same one.
    localiser = replace(SOFT, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"))
    others = [*image("", localiser, slices=2, cosines=SAGITTAL), *image("", gap_mm=4.0, modality="MR")]
    chosen, choice = choose_series([*others, *image("")], CT)
    assert [header.modality for header in chosen] == ["CT"] * 30
    assert [one.reason for one in choice.others] == ["a localiser", "not CT"]


PHASE = ("ORIGINAL", "PRIMARY", "P", "ND")


@pytest.mark.parametrize(
    ("image_type", "reason"),
    [
        (PHASE, "a phase image"),
        (("ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"), "a phase image"),
        (("ORIGINAL", "PRIMARY", "T1", "NONE", "PHASE"), "a phase image"),
        (("ORIGINAL", "PRIMARY", "T1", "NONE", "IMAGINARY"), "an imaginary part"),
        (("ORIGINAL", "PRIMARY", "I_FFE", "I", "FFE"), "an imaginary part"),
        (("ORIGINAL", "PRIMARY", "R_FFE", "R", "FFE"), "a real part"),
        (("ORIGINAL", "PRIMARY", "T1", "NONE", "REAL"), "a real part"),
        (("DERIVED", "PRIMARY", "T1 MAP", "ND"), "a map"),
        (("DERIVED", "PRIMARY", "VELOCITY MAP"), "a map"),
        (("DERIVED", "PRIMARY", "QMAP", "T1"), "a map"),
        (("DERIVED", "PRIMARY", "DIXON", "FAT"), "a fat image"),
    ],
)
@pytest.mark.parametrize("uid", ["of its own", "t1"])
def test_what_has_the_times_of_a_t1_and_other_values_is_never_taken_for_it(
    image_type: tuple[str, ...], reason: str, uid: str
) -> None:
    t1 = replace(
        SOFT, image_type=("ORIGINAL", "PRIMARY", "M", "ND"), echo_time_ms=3.0, repetition_time_ms=20.0
    )
    other = image(uid, replace(t1, image_type=image_type), slices=40, gap_mm=4.0, modality="MR")
    chosen, choice = choose_series([*other, *image("t1", t1, modality="MR")], MR)
    assert {header.acquisition.image_type for header in chosen} == {t1.image_type}
    assert [one.reason for one in choice.others] == [reason]


@pytest.mark.parametrize("word", [word for word, reason in NOT_A_SLICE.items() if reason == "a projection"])
def test_a_projection_of_many_slices_is_never_taken_for_slices(word: str) -> None:
    projected = image("mip", replace(SOFT, image_type=("DERIVED", "SECONDARY", "AXIAL", word)))
    with pytest.raises(NoUsableSeriesError, match="map or projection"):
        choose_series(projected, CT)
    _, choice = choose_series([*projected, *image("ct")], CT)
    assert [one.reason for one in choice.others] == ["a projection"]


def test_a_phase_image_alone_is_no_image_of_a_head() -> None:
    with pytest.raises(NoUsableSeriesError, match="found at most 0 slices that are no localiser"):
        choose_series(image("phase", replace(SOFT, image_type=PHASE), modality="MR"), MR)


def test_equals_are_never_chosen_between_but_may_be_named() -> None:
    headers = [*image("a"), *image("b")]
    with pytest.raises(MixedSeriesError, match="found 2 of at least 5"):
        choose_series(headers, CT)
    _, choice = choose_series(headers, Wanted(Modality.CT, "b"))
    assert uid_of(choice) == "b"
    assert choice.reason == "it was asked for"
    assert choice.others[0].reason == "another series was asked for"


def test_a_few_slices_that_were_lost_do_not_decide_between_equals() -> None:
    # Of the one that was meant, or of the other: with and without contrast agent, say, which nobody entered.
    with pytest.raises(MixedSeriesError, match="found 2 of at least 5"):
        choose_series([*image("a"), *image("b", slices=28)], CT)
    t1 = replace(SOFT, echo_time_ms=3.0, repetition_time_ms=20.0)
    planes = [*image("a", t1, modality="MR"), *image("b", t1, slices=28, modality="MR", cosines=SAGITTAL)]
    assert uid_of(choose_series(planes, MR)[1]) == "a"


@pytest.mark.parametrize("other", [BONE, replace(SOFT, has_contrast_agent=True)])
def test_reconstructions_of_one_series_are_told_apart_as_series_are(other: Acquisition) -> None:
    chosen, choice = choose_series([*image("a", other), *image("a")], CT)
    assert {header.acquisition for header in chosen} == {SOFT}
    assert [one.reason for one in choice.others] == [
        f"the chosen series {'has a soft-tissue kernel' if other is BONE else 'was made without contrast agent'}"
    ]


@pytest.mark.parametrize("wanted", [CT, Wanted(Modality.CT, "a")])
def test_who_sends_phases_of_one_series_is_not_told_to_name_the_series(wanted: Wanted) -> None:
    phases = [header for phase in (1, 2) for header in image("a", replace(SOFT, temporal_position=phase))]
    with pytest.raises(
        MixedSeriesError, match=r"found 2 of the same places in one series .* Send the slices"
    ):
        choose_series(phases, wanted)


@pytest.mark.parametrize("more", [13, 15, 30])
def test_slices_that_were_sent_twice_stay_in_their_series_though_its_blocks_are_numbered(more: int) -> None:
    lower, upper = replace(SOFT, acquisition_number=1), replace(SOFT, acquisition_number=2)
    blocks = [replace(header, acquisition=lower if n < 12 else upper) for n, header in enumerate(image("a"))]
    chosen, choice = choose_series([*blocks, *blocks[30 - more :]], CT)
    assert len(chosen) == 30 + more
    assert choice.others == ()


def test_a_block_that_was_made_again_makes_no_image_of_the_others() -> None:
    # Thin slices of the skull base, and the vault twice, because the patient moved: no number is a whole head.
    base = image("a", replace(SOFT, acquisition_number=1), slices=12, gap_mm=2.5)
    vault = [header for header in image("a", slices=22) if header not in image("a", slices=6)]
    again = [replace(SOFT, acquisition_number=number) for number in (2, 3)]
    headers = [*base, *(replace(header, acquisition=made) for made in again for header in vault)]
    chosen, choice = choose_series(headers, CT)
    assert len(chosen) == len(headers)  # for the reader to see that there are two images of the vault
    assert choice.others == ()


def test_the_order_of_files_decides_nothing_where_a_series_declares_this_and_that() -> None:
    agent = replace(SOFT, has_contrast_agent=True)
    derived = replace(SOFT, image_type=("DERIVED", "SECONDARY", "MPR"))
    for made, other in ((agent, SOFT), (derived, SOFT), (BONE, SOFT)):
        mixed = [
            replace(header, acquisition=made if n < 16 else other) for n, header in enumerate(image("mixed"))
        ]
        plain = image("plain", slices=29)
        told = {uid_of(choose_series([*order, *plain], CT)[1]) for order in (mixed, mixed[::-1])}
        assert told == {"plain"}


def of_study(headers: list[SliceHeader], study: str) -> list[SliceHeader]:
    return [replace(header, study_instance_uid=study) for header in headers]


def test_two_examinations_are_never_chosen_between_however_much_better_one_is_but_may_be_named() -> None:
    better, worse = of_study(image("a"), "today"), of_study(image("b", BONE), "another day")
    with pytest.raises(MixedSeriesError, match="found CT series of 2"):
        choose_series([*better, *worse], CT)
    assert uid_of(choose_series([*better, *worse], Wanted(Modality.CT, "b"))[1]) == "b"


def test_what_cannot_be_meant_or_names_no_examination_does_not_count_as_one() -> None:
    better, other = of_study(image("a"), "today"), image("b", BONE)
    scout = of_study(image("few", slices=2), "another day")
    assert uid_of(choose_series([*better, *other, *scout], CT)[1]) == "a"


def test_a_worse_series_can_be_asked_for() -> None:
    bone = image("bone", replace(SOFT, kernel="BONE"))
    assert uid_of(choose_series([*bone, *image("soft")], Wanted(Modality.CT, "bone"))[1]) == "bone"


def test_a_named_series_that_is_not_there_is_an_error_that_does_not_repeat_the_name() -> None:
    with pytest.raises(NoUsableSeriesError, match="named series") as caught:
        choose_series(image("a"), Wanted(Modality.CT, "1.2.3.4"))
    assert "1.2.3.4" not in caught.value.detail


def test_another_modality_alone_is_refused_by_its_name() -> None:
    with pytest.raises(WrongModalityError, match="found MR"):
        choose_series(image("mr", modality="MR"), CT)


@pytest.mark.parametrize(
    "said", [{"AngioFlag": "Y"}, {"TimeOfFlightContrast": "YES"}, {"PhaseContrast": "YES"}]
)
def test_vessels_are_never_taken_for_a_t1_though_they_have_its_times_and_finer_slices(
    tmp_path: Path, said: dict[str, str]
) -> None:
    times = {"EchoTime": 3.4, "RepetitionTime": 22}
    vessels = Series(
        ramp, depths_mm=range(0, 160, 4), modality=Modality.MR, extra={**times, **said, "SeriesNumber": 1}
    )
    t1 = Series(ramp, modality=Modality.MR, extra={**times, "AngioFlag": "N", "SeriesNumber": 2})
    paths = [*vessels.write(tmp_path / "vessels"), *t1.write(tmp_path / "t1")]
    volume = read_image(paths, modality=Modality.MR)
    assert volume.series is not None
    assert volume.series.chosen.number == 2
    assert [one.reason for one in volume.series.others] == ["the chosen series is T1-weighted"]


def test_echoes_of_one_series_are_told_apart_and_the_t1_like_one_is_read() -> None:
    # One Series Instance UID, two images of every place.
    first = image("mr", replace(SOFT, echo_time_ms=4.0, repetition_time_ms=30.0), modality="MR")
    second = image("mr", replace(SOFT, echo_time_ms=80.0, repetition_time_ms=3000.0), modality="MR")
    chosen, choice = choose_series([*second, *first], MR)
    assert {header.acquisition.echo_time_ms for header in chosen} == {4.0}
    assert choice.others[0].reason == "the chosen series is T1-weighted"


def test_two_blocks_that_share_a_few_places_stay_one_series() -> None:
    # Skull base and vault are two acquisitions of one series; where they meet, a place may be there twice.
    base = image("ct", replace(SOFT, acquisition_number=1), slices=12)
    vault = [
        replace(header, acquisition=replace(SOFT, acquisition_number=2))
        for header in image("ct", slices=30)[11:]
    ]
    chosen, choice = choose_series([*base, *vault], CT)
    assert len(chosen) == 31
    assert choice.others == ()


@given(order=st.permutations(range(4)))
def test_the_order_of_files_never_matters(order: list[int]) -> None:
    parts = [
        image("bone", replace(SOFT, kernel="BONE")),
        image("soft"),
        image("thick", gap_mm=10.0),
        image("derived", replace(SOFT, image_type=("DERIVED", "PRIMARY"))),
    ]
    headers = [header for n in order for header in parts[n]]
    assert uid_of(choose_series(headers, CT)[1]) == "soft"


def test_doubts_become_findings() -> None:
    chest = replace(SOFT, body_part="CHEST", has_contrast_agent=True, echo_time_ms=99, repetition_time_ms=4e3)
    slices, choice = choose_series(image("mr", chest, modality="MR"), MR)
    codes = [finding.code for finding in series_findings(choice, len(slices) + 3, len(slices))]
    assert codes == ["files-ignored", "body-part-doubtful", "weighting-doubtful", "contrast-agent"]
    assert set(codes[1:]) <= LIMITING


def test_no_identifier_is_shown() -> None:
    _, choice = choose_series(image("1.2.840.99"), CT)
    assert "1.2.840.99" not in repr(choice)


def test_a_whole_study_ends_in_one_volume_with_its_reasons(tmp_path: Path) -> None:
    made = {"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "BodyPartExamined": "HEAD", "SeriesNumber": 2}
    soft = Series(extra={**made, "ConvolutionKernel": "STANDARD"})
    bone = Series(extra={**made, "ConvolutionKernel": "BONE", "SeriesNumber": 3})
    scout = Series(extra={**made, "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"], "SeriesNumber": 1})
    paths = [path for n, one in enumerate((soft, bone, scout)) for path in one.write(tmp_path / str(n))]
    volume = read_image(paths, modality=Modality.CT)
    assert volume.series is not None
    assert volume.series.chosen.number == 2
    assert volume.series.reason == "the best of 2 that could be meant"
    assert [(one.series.number, one.reason) for one in volume.series.others] == [
        (1, "a localiser"),
        (3, "the chosen series has a soft-tissue kernel"),
    ]
    named = read_image(paths, modality=Modality.CT, series=bone.series_uid)
    assert named.series is not None
    assert named.series.chosen.kernel == "sharp"


def test_absurd_places_are_no_fault_of_the_ranking_and_no_numbers_of_its_answer() -> None:
    headers = [
        replace(header, placement=Placement((0.0, 0.0, 1e308 * (-1) ** n), AXIAL, (inf, inf)))
        for n, header in enumerate(image("ct"))
    ]
    chosen = choose_series(headers, CT)[1].chosen
    assert (chosen.slices, chosen.pixel_spacing_mm) == (30, None)
