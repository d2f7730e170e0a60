"""Series as they arrive in practice: slices turned, moved, lost, sent twice, in any order. Right, or refused by name."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from app.errors import IrregularGeometryError, MissingSlicesError, MixedSeriesError, NeuroFuseError
from app.imaging.limiting import LIMITING
from app.imaging.read import read_image
from app.imaging.resample import sample_on_grid
from app.imaging.volume import Grid, Modality, Volume
from tests.imaging.making import AXIAL, Axes, Series, places, ramp, save, stored_places, write_nifti_file

GAP: Final = 8.0
SLICES: Final = 12
SMALL: Final = Series(
    ramp, tuple(GAP * n for n in range(SLICES)), rows=20, columns=18, first=(34.0, 38.0, -40.0)
)
SAGITTAL: Final[Axes] = ((0.0, -1.0, 0.0), (0.0, 0.0, -1.0), (1.0, 0.0, 0.0))
CORONAL: Final[Axes] = ((-1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, -1.0, 0.0))


def together(folder: Path, *parts: Series) -> list[Path]:
    """Several stacks as one series."""
    written = [
        replace(part, series_uid=parts[0].series_uid).write(folder / str(n)) for n, part in enumerate(parts)
    ]
    return [path for paths in written for path in paths]


def without(slices: set[int]) -> Series:
    return replace(SMALL, depths_mm=[GAP * n for n in range(SLICES) if n not in slices])


def turned(degrees: float) -> Axes:
    """Axial, turned about the x axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return ((-1.0, 0.0, 0.0), (0.0, -float(c), -float(s)), (0.0, -float(s), float(c)))


def codes(volume: Volume) -> list[str]:
    return [finding.code for finding in volume.findings]


def read(paths: list[Path]) -> Volume:
    return read_image(paths, modality=Modality.CT)


def is_right(volume: Volume) -> bool:
    """Whether stored voxels, and what is read between them, have the values of their places."""
    i, j, k = volume.voxels.shape
    step_k = (volume.slice_origins[-1] - volume.slice_origins[0]) / (k - 1)
    affine = np.eye(4)
    affine[:3, :3] = np.stack([volume.step_i, volume.step_j, step_k], axis=1)
    affine[:3, 3] = volume.slice_origins[0] + affine[:3, :3].sum(axis=1) / 2
    middles = Grid((i - 1, j - 1, k - 1), affine)
    between = sample_on_grid(volume, middles, np.nan) - ramp(places(middles))
    return bool(np.abs(volume.voxels - ramp(stored_places(volume))).max() <= 1 and np.abs(between).max() <= 1)


@pytest.mark.parametrize(
    "others",
    [
        [replace(SMALL, axes=SAGITTAL), replace(SMALL, axes=CORONAL)],
        [replace(SMALL, axes=turned(90.0), depths_mm=(100.0,))],
        [replace(SMALL, axes=turned(0.2), depths_mm=(GAP * SLICES,))],
        [replace(SMALL, axes=((1.0, 0.0, 0.0), AXIAL[1], AXIAL[2]), depths_mm=(GAP * SLICES,))],
    ],
    ids=["three planes", "one slice upright", "one slice turned by 0.2 degrees", "one slice mirrored"],
)
def test_several_orientations_in_one_series_are_refused(tmp_path: Path, others: list[Series]) -> None:
    with pytest.raises(IrregularGeometryError, match="several orientations"):
        read(together(tmp_path, SMALL, *others))


@pytest.mark.parametrize(
    ("other", "error", "words"),
    [
        (replace(SMALL, first=(134.0, 38.0, -40.0)), IrregularGeometryError, "side by side"),
        (replace(SMALL, first=(134.0, 38.0, -36.0)), IrregularGeometryError, "beside it"),
        (replace(SMALL, first=(34.0, 38.0, 160.0)), MissingSlicesError, r"found one of 112\.00 mm"),
    ],
    ids=["beside", "beside and between", "above"],
)
def test_two_stacks_in_one_series_are_no_volume(
    tmp_path: Path, other: Series, error: type[NeuroFuseError], words: str
) -> None:
    with pytest.raises(error, match=words):
        read(together(tmp_path, SMALL, other))


@pytest.mark.parametrize("missing", range(1, SLICES - 1))
def test_a_slice_missing_anywhere_inside_is_noticed(tmp_path: Path, missing: int) -> None:
    with pytest.raises(MissingSlicesError, match=f"between slices {missing} and {missing + 1} of 11"):
        read(without({missing}).write(tmp_path))


@pytest.mark.parametrize(
    "missing", [{0}, {SLICES - 1}, set(range(1, SLICES, 2))], ids=["first", "last", "odd"]
)
def test_what_positions_cannot_show_is_read_where_it_lies(tmp_path: Path, missing: set[int]) -> None:
    volume = read(without(missing).write(tmp_path))
    assert codes(volume) == []
    assert is_right(volume)


@pytest.mark.parametrize("modality", Modality)
def test_where_every_second_slice_is_missing_their_thickness_tells(
    tmp_path: Path, modality: Modality
) -> None:
    thick = replace(SMALL, modality=modality, extra={"SliceThickness": f"{GAP}"})
    whole, odd = thick, replace(thick, depths_mm=thick.depths_mm[1::2])
    assert codes(read_image(whole.write(tmp_path / "a"), modality=modality)) == []
    (finding,) = read_image(odd.write(tmp_path / "b"), modality=modality).findings
    assert finding.code == "gaps-between-slices"
    assert finding.code in LIMITING
    assert finding.detail.startswith(f"slices {GAP:.2f} mm thick lie {2 * GAP:.2f} mm apart")


@pytest.mark.parametrize("gap_mm", [0.5, 1.0, 1.8])
def test_slices_that_overlap_or_leave_the_gaps_of_an_mr_are_nothing_to_say(
    tmp_path: Path, gap_mm: float
) -> None:
    thick = replace(SMALL, modality=Modality.MR, extra={"SliceThickness": f"{GAP / gap_mm:.3f}"})
    assert codes(read_image(thick.write(tmp_path), modality=Modality.MR)) == []


@pytest.mark.parametrize("thickness", ["0", "-1", "", "nan"])
def test_a_thickness_that_is_none_tells_nothing(tmp_path: Path, thickness: str) -> None:
    paths = Series(depths_mm=SMALL.depths_mm, extra={"SliceThickness": thickness}).write(tmp_path)
    assert codes(read(paths)) == []


@pytest.mark.parametrize("twice", range(0, SLICES, 3))
def test_a_slice_sent_twice_changes_nothing_else(tmp_path: Path, twice: int) -> None:
    paths = SMALL.write(tmp_path)
    shutil.copyfile(paths[twice], tmp_path / "again")
    once, both = read(paths), read([tmp_path / "again", *paths])
    assert codes(both) == ["duplicate-slices-dropped"]
    assert np.array_equal(both.voxels, once.voxels)
    assert np.array_equal(both.grid.affine, once.grid.affine)


@pytest.mark.parametrize("tilt", [0.0, 15.0])
def test_slices_counted_downwards_give_the_same_volume(tmp_path: Path, tilt: float) -> None:
    upwards = replace(SMALL, tilt_degrees=tilt)
    top = upwards.origins()[-1].tolist()
    downwards = replace(upwards, axes=(*AXIAL[:2], (0.0, 0.0, -1.0)), tilt_degrees=-tilt, first=tuple(top))
    up, down = read(upwards.write(tmp_path / "up")), read(downwards.write(tmp_path / "down"))
    assert np.allclose(up.grid.affine, down.grid.affine, atol=1e-5)
    assert np.abs(up.voxels - down.voxels).max() <= 1
    assert is_right(down)


@pytest.mark.parametrize("of", [0, 5, SLICES - 1])
@pytest.mark.parametrize(
    ("mm", "along", "found"),
    [
        (0.05, "depth", []),
        (0.5, "depth", ["uneven-slice-gaps-resampled"]),
        (2.0, "depth", ["uneven-slice-gaps-resampled"]),
        (0.05, "row", []),
        (0.5, "row", ["displaced-slices-resampled"]),
    ],
)
def test_one_moved_slice_is_read_where_it_says_it_lies(
    tmp_path: Path, of: int, mm: float, along: str, found: list[str]
) -> None:
    volume = read(together(tmp_path, without({of}), moved(of, mm, along)))
    assert codes(volume) == found
    assert is_right(volume)


@pytest.mark.parametrize("of", [0, 5, SLICES - 1])
def test_a_slice_moved_sideways_by_2_mm_is_no_part_of_the_stack(tmp_path: Path, of: int) -> None:
    with pytest.raises(IrregularGeometryError, match="beside it"):
        read(together(tmp_path, without({of}), moved(of, 2.0, "row")))


def moved(of: int, mm: float, along: str) -> Series:
    """One slice of the stack, elsewhere."""
    x, y, z = SMALL.first
    first = (x, y, z + mm) if along == "depth" else (x + mm, y, z)
    return replace(SMALL, depths_mm=(GAP * of,), first=first)


def test_slices_thicker_than_their_gap_are_read_by_their_gap(tmp_path: Path) -> None:
    thick = replace(SMALL, extra={"SliceThickness": 10.0, "SpacingBetweenSlices": -2.0})
    overlapping, plain = read(thick.write(tmp_path / "thick")), read(SMALL.write(tmp_path / "plain"))
    assert np.array_equal(overlapping.slice_origins, plain.slice_origins)
    assert np.array_equal(overlapping.voxels, plain.voxels)
    assert codes(overlapping) == []


def numbered(series: Series, folder: Path, numbers: Callable[[int], int]) -> list[Path]:
    """A series with an Acquisition Number on each slice."""
    folder.mkdir()
    datasets = series.datasets()
    for n, dataset in enumerate(datasets):
        dataset.AcquisitionNumber = numbers(n)
    return [save(dataset, folder / str(n)) for n, dataset in enumerate(datasets)]


def test_two_interleaved_packages_of_an_mr_are_one_volume(tmp_path: Path) -> None:
    series = replace(SMALL, modality=Modality.MR, field_at=lambda points: ramp(points) + 300)
    packages = read_image(numbered(series, tmp_path / "a", lambda n: 1 + n % 2), modality=Modality.MR)
    plain = read_image(series.write(tmp_path / "b"), modality=Modality.MR)
    assert codes(packages) == []
    assert np.array_equal(packages.voxels, plain.voxels)
    assert np.array_equal(packages.slice_origins, plain.slice_origins)


@pytest.mark.parametrize("apart_mm", [1.5, GAP / 2])
@pytest.mark.parametrize("slices", [SLICES, 4])
def test_two_passes_of_a_ct_are_never_laid_between_each_other(
    tmp_path: Path, apart_mm: float, slices: int
) -> None:
    # The whole head again, or a part of it, from another start: positions alone would make one stack of both.
    x, y, z = SMALL.first
    again = replace(SMALL, first=(x, y, z + apart_mm), depths_mm=SMALL.depths_mm[:slices])
    passes = [*numbered(SMALL, tmp_path / "a", lambda _: 1), *numbered(again, tmp_path / "b", lambda _: 2)]
    with pytest.raises(MixedSeriesError, match="two acquisitions"):
        read(passes)


@pytest.mark.parametrize(
    "numbers", [lambda n: n, lambda n: n // 2, lambda n: 3 - n // 4], ids=["1", "2", "4"]
)
def test_blocks_of_a_ct_have_numbers_of_their_own_and_are_one_volume(
    tmp_path: Path, numbers: Callable[[int], int]
) -> None:
    volume = read(numbered(SMALL, tmp_path / "a", numbers))
    assert codes(volume) == []
    assert is_right(volume)


def test_blocks_of_a_ct_may_overlap_where_they_meet(tmp_path: Path) -> None:
    upper = replace(SMALL, depths_mm=[GAP * n - 6 for n in range(5, SLICES)])
    lower = replace(SMALL, depths_mm=[GAP * n for n in range(6)])
    paths = [*numbered(lower, tmp_path / "a", lambda _: 1), *numbered(upper, tmp_path / "b", lambda _: 2)]
    assert is_right(read(paths))


def between_each_other(folder: Path, modality: Modality, *made: dict[str, Any]) -> list[Path]:
    """One series, every place once, of which every second slice was made in another way."""
    whole = replace(SMALL, modality=modality)
    return together(
        folder,
        *(
            replace(whole, depths_mm=whole.depths_mm[n :: len(made)], extra=extra)
            for n, extra in enumerate(made)
        ),
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"ConvolutionKernel": "STANDARD"}, {"ConvolutionKernel": "BONEPLUS"}),
        ({}, {"ContrastBolusAgent": "Secret"}),
        ({"SliceThickness": "5"}, {"SliceThickness": "1.25"}),
    ],
)
def test_two_kernels_contrasts_or_thicknesses_of_a_ct_are_never_laid_between_each_other(
    tmp_path: Path, one: dict[str, str], other: dict[str, str]
) -> None:
    with pytest.raises(MixedSeriesError, match=r"contrast agent, that share 72 mm"):
        read(between_each_other(tmp_path / "a", Modality.CT, one, other))
    assert is_right(read(between_each_other(tmp_path / "b", Modality.CT, other, other)))


def test_blocks_of_a_ct_have_thicknesses_of_their_own_and_are_one_volume(tmp_path: Path) -> None:
    thin, thick = ({"SliceThickness": mm} for mm in ("2.5", "5"))
    lower, upper = (
        replace(SMALL, depths_mm=SMALL.depths_mm[part], extra=extra)
        for part, extra in ((slice(None, 6), thin), (slice(6, None), thick))
    )
    assert is_right(read(together(tmp_path / "a", lower, upper)))
    # Nor does it matter that files round it, or leave it out here and there.
    assert is_right(read(between_each_other(tmp_path / "b", Modality.CT, thick, {"SliceThickness": "4.99"})))
    assert is_right(read(between_each_other(tmp_path / "c", Modality.CT, thick, {})))


def test_two_echoes_of_an_mr_are_never_laid_between_each_other(tmp_path: Path) -> None:
    short, long = {"EchoTime": "3.1"}, {"EchoTime": "4.3"}
    paths = between_each_other(tmp_path / "a", Modality.MR, short, long)
    with pytest.raises(MixedSeriesError, match=r"found 3.1 to 4.3 ms"):
        read_image(paths, modality=Modality.MR)
    paths = between_each_other(tmp_path / "b", Modality.MR, short, {"EchoTime": "3.4"}, {})
    assert codes(read_image(paths, modality=Modality.MR)) == []


def test_positions_in_two_frames_of_reference_are_never_one_volume(tmp_path: Path) -> None:
    one, other = {"FrameOfReferenceUID": "1.2.3"}, {"FrameOfReferenceUID": "1.2.4"}
    with pytest.raises(MixedSeriesError, match="one frame of reference, found 2"):
        read(between_each_other(tmp_path / "a", Modality.CT, one, other))
    # A file may leave it out, and says nothing then; nor does a writer that gives every slice one of its own.
    assert is_right(read(between_each_other(tmp_path / "b", Modality.CT, one, one, {})))
    each = ({"FrameOfReferenceUID": f"1.2.{number}"} for number in range(SLICES))
    assert is_right(read(between_each_other(tmp_path / "c", Modality.CT, *each)))


def test_packages_that_lie_unevenly_between_each_other_are_read_where_they_lie(tmp_path: Path) -> None:
    x, y, z = SMALL.first
    second = replace(without(set(range(0, SLICES, 2))), first=(x + 0.6, y, z - 1))
    volume = read(together(tmp_path, without(set(range(1, SLICES, 2))), second))
    assert codes(volume) == ["displaced-slices-resampled", "uneven-slice-gaps-resampled"]
    assert is_right(volume)


def test_an_affine_that_mirrors_left_and_right_mirrors_the_patient(tmp_path: Path) -> None:
    voxels = np.full((20, 22, 24), -1000, np.int16)
    voxels[3, 8, 11] = 500
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = -40, -44, -48
    mirrored = np.diag([-1.0, 1.0, 1.0, 1.0]) @ affine
    assert np.linalg.det(affine) * np.linalg.det(mirrored) < 0
    plain, other = (
        read([write_nifti_file(tmp_path / f"{n}.nii", voxels, placed)])
        for n, placed in enumerate((affine, mirrored))
    )
    assert brightest(plain).tolist() == [-28, -12, -4]
    assert brightest(other).tolist() == [28, -12, -4]


def brightest(volume: Volume) -> np.ndarray:
    """RAS mm of the brightest place on an upright grid."""
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = -40
    grid = Grid((21, 21, 21), affine)
    read = sample_on_grid(volume, grid, -1000.0)
    return np.asarray(places(grid)[np.unravel_index(int(read.argmax()), read.shape)])
