"""An enhanced file is the classic series it was made from, whatever the order of its frames."""

from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import imagecodecs
import numpy as np
import pytest
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.sequence import Sequence as Items
from pydicom.uid import JPEGLSLossless, LegacyConvertedEnhancedMRImageStorage

from app.errors import (
    ArchiveTooLargeError,
    CorruptImageError,
    IrregularGeometryError,
    MixedSeriesError,
    NoUsableSeriesError,
    UnsupportedFileError,
)
from app.imaging.dicom.header import SliceHeader
from app.imaging.dicom.series import Wanted
from app.imaging.dicom.slices import read_slices
from app.imaging.files.source import DiskFile
from app.imaging.limits import ReadLimits
from app.imaging.read import read_image, read_sources
from app.imaging.volume import Modality
from tests.imaging.enhanced import enhanced, item, write_enhanced
from tests.imaging.keeping import kept
from tests.imaging.making import Series, ramp, save


@pytest.mark.parametrize("tilt_degrees", [0.0, 15.0])
def test_it_reads_as_the_classic_series_does(tmp_path: Path, tilt_degrees: float) -> None:
    series = Series(field_at=ramp, tilt_degrees=tilt_degrees)
    classic = read_image(series.write(tmp_path / "classic"), modality=Modality.CT)
    read = read_image([write_enhanced(series, tmp_path / "enhanced")], modality=Modality.CT)
    assert np.array_equal(read.voxels, classic.voxels)
    assert np.array_equal(read.slice_origins, classic.slice_origins)
    assert np.array_equal(read.grid.affine, classic.grid.affine)
    assert read.findings == classic.findings


def test_frames_go_by_their_place_never_by_their_number(tmp_path: Path) -> None:
    series = Series(field_at=ramp)
    order = np.random.default_rng(4).permutation(len(series.depths_mm)).tolist()
    shuffled = read_image([write_enhanced(series, tmp_path / "a", order)], modality=Modality.CT)
    plain = read_image([write_enhanced(series, tmp_path / "b")], modality=Modality.CT)
    assert np.array_equal(shuffled.voxels, plain.voxels)


def test_mr_without_a_transformation_keeps_its_stored_values(tmp_path: Path) -> None:
    series = Series(modality=Modality.MR, field_at=lambda points: ramp(points) + 2000)
    classic = read_image(series.write(tmp_path / "classic"), modality=Modality.MR)
    read = read_image([write_enhanced(series, tmp_path / "enhanced")], modality=Modality.MR)
    assert np.array_equal(read.voxels, classic.voxels)


def test_a_frame_has_its_own_rescale_before_the_shared_one(tmp_path: Path) -> None:
    dataset = enhanced(Series())
    own = item(RescaleSlope=2, RescaleIntercept=-7, RescaleType="HU")
    dataset.PerFrameFunctionalGroupsSequence[3].PixelValueTransformationSequence = Items([own])
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    headers = read_slices(DiskFile(tmp_path / "a"))
    assert [(header.rescale_slope, header.rescale_intercept) for header in headers[2:5]] == [
        (1.0, -1024.0),
        (2.0, -7.0),
        (1.0, -1024.0),
    ]


@pytest.mark.parametrize("is_shared", [True, False])
def test_frames_of_a_ct_in_another_unit_than_hu_are_no_ct(tmp_path: Path, is_shared: bool) -> None:
    # An effective atomic number, a density or an iodine map is an Enhanced CT as well (PS3.3 C.8.15.3.10).
    dataset = enhanced(Series())
    if is_shared:
        groups = dataset.SharedFunctionalGroupsSequence[0]
        groups.PixelValueTransformationSequence[0].RescaleType = "Z_EFF"
    else:
        own = item(RescaleSlope=1, RescaleIntercept=-1024, RescaleType="Z_EFF")
        dataset.PerFrameFunctionalGroupsSequence[3].PixelValueTransformationSequence = Items([own])
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    with pytest.raises(UnsupportedFileError, match="another unit"):
        read_image([tmp_path / "a"], modality=Modality.CT)


def test_frames_of_a_ct_that_do_not_say_how_they_are_rescaled_are_refused(tmp_path: Path) -> None:
    dataset = enhanced(Series())
    del dataset.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    with pytest.raises(UnsupportedFileError, match="a slice without"):
        read_image([tmp_path / "a"], modality=Modality.CT)


def test_two_passes_of_a_ct_in_one_file_are_never_laid_between_each_other(tmp_path: Path) -> None:
    dataset = enhanced(Series())
    for n, groups in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        groups.FrameContentSequence = Items([item(FrameAcquisitionNumber=1 + n % 2)])
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    with pytest.raises(MixedSeriesError, match="two acquisitions"):
        read_image([tmp_path / "a"], modality=Modality.CT)


def test_two_files_in_two_frames_of_reference_are_never_one_volume(tmp_path: Path) -> None:
    whole = Series()
    for number, depths in enumerate((whole.depths_mm[::2], whole.depths_mm[1::2])):
        dataset = enhanced(replace(whole, depths_mm=depths))
        dataset.FrameOfReferenceUID = f"1.2.{number}"
        save(dataset, tmp_path / str(number))
    with pytest.raises(MixedSeriesError, match="frame of reference"):
        read_image([tmp_path / "0", tmp_path / "1"], modality=Modality.CT)


@pytest.mark.parametrize("is_shared", [True, False])
@pytest.mark.parametrize(
    "said", [{"ComplexImageComponent": "PHASE"}, {"VolumeBasedCalculationTechnique": "MAX_IP"}]
)
def test_phases_and_projections_are_known_though_the_image_type_does_not_name_them(
    tmp_path: Path, said: dict[str, str], is_shared: bool
) -> None:
    dataset = enhanced(Series(ramp, modality=Modality.MR))
    dataset.ImageType = frame_type = ["ORIGINAL", "PRIMARY", "T1", "NONE"]
    for keyword, value in said.items():
        setattr(dataset, keyword, value if is_shared else "MIXED")
    groups = (
        [dataset.SharedFunctionalGroupsSequence[0]] if is_shared else dataset.PerFrameFunctionalGroupsSequence
    )
    for group in groups:
        group.MRImageFrameTypeSequence = Items([item(FrameType=frame_type, **said)])
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    with pytest.raises(NoUsableSeriesError, match="at most 0 slices"):
        read_image([tmp_path / "a"], modality=Modality.MR)


def test_what_frames_declare_tells_their_images_apart(tmp_path: Path) -> None:
    # Two echoes of every place in one file: the one with the times of a T1 is read.
    series = Series(modality=Modality.MR, depths_mm=[8.0 * n for n in range(10) for _ in range(2)])
    dataset = enhanced(series)
    for n, groups in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        groups.MREchoSequence = Items([item(EffectiveEchoTime=4.0 if n % 2 == 0 else 90.0)])
        groups.MRTimingAndRelatedParametersSequence = Items([item(RepetitionTime=30.0)])
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    volume = read_image([tmp_path / "a"], modality=Modality.MR)
    assert volume.series is not None
    assert (volume.series.chosen.weighting, volume.series.chosen.slices) == ("T1", 10)
    assert [other.series.weighting for other in volume.series.others] == ["T2"]


@pytest.mark.parametrize(
    ("administered", "is_given"), [(("NO",), False), (("NO", "YES"), True), (("YES",), True), ((None,), True)]
)
def test_an_agent_that_a_file_names_and_says_was_not_given_is_none(
    tmp_path: Path, administered: tuple[str | None, ...], is_given: bool
) -> None:
    dataset = enhanced(Series())
    dataset.ContrastBolusAgentSequence = Items([item(CodeMeaning="Iohexol")])
    said = [{} if word is None else {"ContrastBolusAgentAdministered": word} for word in administered]
    for groups in dataset.PerFrameFunctionalGroupsSequence:
        groups.ContrastBolusUsageSequence = Items([item(**each) for each in said])
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    for paths in ([tmp_path / "a"], kept([tmp_path / "a"], tmp_path / "kept")):
        findings = read_image(paths, modality=Modality.CT).findings
        assert ("contrast-agent" in {finding.code for finding in findings}) is is_given


def test_the_file_the_frame_and_what_a_converter_kept_are_asked_in_turn(tmp_path: Path) -> None:
    def first_frame(**kept: Any) -> SliceHeader:
        dataset = enhanced(Series(modality=Modality.MR, extra=kept.pop("file", {})))
        (shared,) = dataset.SharedFunctionalGroupsSequence
        if "region" in kept:
            region = item(CodeMeaning=kept.pop("region"))
            shared.FrameAnatomySequence = Items([item(AnatomicRegionSequence=Items([region]))])
        shared.UnassignedSharedConvertedAttributesSequence = Items([item(**kept)])
        return read_slices(DiskFile(save(dataset, tmp_path / "a")))[0]

    uids = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.4"}
    header = first_frame(file=uids)
    assert (header.study_instance_uid, header.series_instance_uid) == ("1.2.3", "1.2.4")
    assert header.acquisition.body_part == ""
    assert first_frame(BodyPartExamined="BRAIN").acquisition.body_part == "BRAIN"
    assert first_frame(BodyPartExamined="BRAIN", region="Head").acquisition.body_part == "HEAD"
    in_file = {"BodyPartExamined": "SKULL", "EchoPulseSequence": "SPIN", "TimeOfFlightContrast": "YES"}
    told = first_frame(file=in_file, BodyPartExamined="BRAIN", region="Head").acquisition
    assert (told.body_part, told.echo, told.is_angiography) == ("SKULL", "spin", True)
    told = first_frame(ScanningSequence="GR", AngioFlag="Y").acquisition
    assert (told.echo, told.is_angiography) == ("gradient", True)


@pytest.mark.parametrize("is_shared", [True, False])
def test_what_a_converted_image_keeps_unassigned_tells_its_weighting(tmp_path: Path, is_shared: bool) -> None:
    paths = []
    for number, echo_ms, gap_mm in ((1, 10, 8), (2, 90, 4)):
        series = Series(ramp, range(0, 160, gap_mm), modality=Modality.MR, extra={"SeriesNumber": number})
        dataset = enhanced(series)
        dataset.SOPClassUID = LegacyConvertedEnhancedMRImageStorage
        own, shared = dataset.PerFrameFunctionalGroupsSequence, dataset.SharedFunctionalGroupsSequence
        times = item(EchoTime=echo_ms, RepetitionTime=500)
        for group in shared if is_shared else own:
            name = f"Unassigned{'Shared' if is_shared else 'PerFrame'}ConvertedAttributesSequence"
            setattr(group, name, Items([times]))
        paths.append(tmp_path / str(number))
        dataset.save_as(paths[-1], enforce_file_format=True)
    choice = read_image(paths, modality=Modality.MR).series
    assert choice is not None
    assert (choice.chosen.number, choice.chosen.weighting) == (1, "T1")
    assert [other.series.weighting for other in choice.others] == ["T2"]


@pytest.mark.parametrize("extended", [False, True])
def test_compressed_frames_are_found_by_either_offset_table(tmp_path: Path, extended: bool) -> None:
    series = Series(field_at=ramp)
    dataset = enhanced(series)
    shape = dataset.NumberOfFrames, dataset.Rows, dataset.Columns
    frames = [
        bytes(imagecodecs.jpegls_encode(one))
        for one in np.frombuffer(dataset.PixelData, "<u2").reshape(shape)
    ]
    if extended:
        dataset.PixelData, dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = (
            encapsulate_extended(frames)
        )
    else:
        dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGLSLossless
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    plain = read_image(series.write(tmp_path / "classic"), modality=Modality.CT)
    assert np.array_equal(read_image([tmp_path / "a"], modality=Modality.CT).voxels, plain.voxels)


class Counted(DiskFile):
    """A file that counts how often it is opened."""

    opened = 0

    def open(self) -> BinaryIO:
        self.opened += 1
        return super().open()


@pytest.mark.parametrize("fragments", [1, 2])
def test_frames_without_an_offset_table_are_looked_for_once_and_not_for_each_of_them(
    tmp_path: Path, fragments: int
) -> None:
    series = Series(field_at=ramp)
    dataset = enhanced(series)
    shape = dataset.NumberOfFrames, dataset.Rows, dataset.Columns
    frames = [
        bytes(imagecodecs.jpegls_encode(one))
        for one in np.frombuffer(dataset.PixelData, "<u2").reshape(shape)
    ]
    dataset.PixelData = encapsulate(frames, fragments_per_frame=fragments, has_bot=False)
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGLSLossless
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    file = Counted(tmp_path / "a")
    read = read_sources([file], Wanted(Modality.CT), ReadLimits())
    plain = read_image(series.write(tmp_path / "classic"), modality=Modality.CT)
    assert np.array_equal(read.voxels, plain.voxels)
    assert file.opened <= 2  # for the header, and for the pixels


def test_functional_groups_for_fewer_frames_than_there_are_is_damage(tmp_path: Path) -> None:
    dataset = enhanced(Series())
    dataset.PerFrameFunctionalGroupsSequence = Items(list(dataset.PerFrameFunctionalGroupsSequence)[:-1])
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    with pytest.raises(CorruptImageError):
        read_image([tmp_path / "a"], modality=Modality.CT)


def test_frames_without_a_place_are_no_volume(tmp_path: Path) -> None:
    dataset = enhanced(Series())
    del dataset.PerFrameFunctionalGroupsSequence[4].PlanePositionSequence
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    with pytest.raises(IrregularGeometryError, match="position"):
        read_image([tmp_path / "a"], modality=Modality.CT)


def test_frames_count_like_files_against_the_limit(tmp_path: Path) -> None:
    path = write_enhanced(Series(), tmp_path / "a")
    with pytest.raises(ArchiveTooLargeError, match="at most 10 frames"):
        read_slices(DiskFile(path), ReadLimits(max_files=10))
