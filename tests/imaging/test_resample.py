"""Both directions: numbered voxels in 48 orders, SimpleITK as oracle, landmarks there and back."""

from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Float64

from app.imaging.read import read_image
from app.imaging.resample import (
    VERTEX_MARGIN_MM,
    as_volume,
    heatmap_to_patient_grid,
    place_model_grid,
    sample_on_grid,
    to_model_grid,
)
from app.imaging.volume import Grid, Modality, Volume
from tests.imaging.itk_oracle import itk_image, itk_read, itk_resample
from tests.imaging.making import CT_GRID, MR_GRID, ball, head_ct, places, ramp

ORDERS = [(order, flips) for order in permutations(range(3)) for flips in product((1, -1), repeat=3)]


def rotation(angles: tuple[float, float, float]) -> Float64[np.ndarray, "3 3"]:
    turned = np.eye(3)
    for axis, angle in enumerate(angles):
        a, b = (axis + 1) % 3, (axis + 2) % 3
        one = np.eye(3)
        one[a, a] = one[b, b] = np.cos(angle)
        one[a, b], one[b, a] = -np.sin(angle), np.sin(angle)
        turned = one @ turned
    return turned


def make_grid(
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    centre: tuple[float, float, float] = (0, 0, 0),
    angles: tuple[float, float, float] = (0, 0, 0),
) -> Grid:
    affine = np.eye(4)
    affine[:3, :3] = rotation(angles) * np.array(spacing)
    affine[:3, 3] = np.array(centre) - affine[:3, :3] @ (np.array(shape) - 1) / 2
    return Grid(shape, affine)


def reordered(volume: Volume, order: tuple[int, ...], flips: tuple[int, ...]) -> Volume:
    """The same patient, stored with other axes."""
    affine = volume.grid.affine.copy()
    voxels = volume.voxels
    for axis, flip in enumerate(flips):
        if flip < 0:
            affine[:3, 3] += affine[:3, axis] * (voxels.shape[axis] - 1)
            affine[:3, axis] *= -1
            voxels = np.flip(voxels, axis)
    affine[:3, :3] = affine[:3, list(order)]
    voxels = np.asfortranarray(voxels.transpose(order))
    i, j, k = voxels.shape
    return as_volume(voxels, Grid((i, j, k), affine))


def of_field(values: Float64[np.ndarray, "i j k"], grid: Grid) -> Volume:
    return as_volume(np.asfortranarray(values.astype(np.float32)), grid)


@pytest.mark.parametrize(("order", "flips"), ORDERS)
def test_numbered_voxels_arrive_where_they_were_in_every_storage_order(
    order: tuple[int, ...], flips: tuple[int, ...]
) -> None:
    grid = make_grid((5, 6, 7), (2, 3, 4))
    numbers = np.arange(210.0).reshape(5, 6, 7)
    stored = reordered(of_field(numbers, grid), order, flips)
    assert np.array_equal(sample_on_grid(stored, grid, -1), numbers)


@settings(deadline=None, max_examples=40)
@given(
    st.tuples(*[st.floats(-0.6, 0.6)] * 3),
    st.tuples(*[st.floats(-0.6, 0.6)] * 3),
    st.tuples(*[st.floats(0.7, 1.5)] * 3),
)
def test_a_linear_field_is_read_exactly_at_any_angle(
    stored_at: tuple[float, float, float],
    read_at: tuple[float, float, float],
    spacing: tuple[float, float, float],
) -> None:
    stored_grid, read_grid = (
        make_grid((30, 28, 26), (1.6,) * 3, angles=stored_at),
        make_grid((8, 7, 9), spacing, angles=read_at),
    )
    volume = of_field(ramp(places(stored_grid)), stored_grid)
    assert np.abs(sample_on_grid(volume, read_grid, np.nan) - ramp(places(read_grid))).max() < 0.01


def sheared_grid() -> Grid:
    grid = make_grid((20, 21, 22), (2, 2, 2))
    affine = grid.affine.copy()
    affine[:3, 2] += [0.5, -0.3, 0]
    return Grid(grid.shape, affine)


def test_shear_is_honoured() -> None:
    stored, read = sheared_grid(), make_grid((6, 6, 6), (2, 2, 2), (10, -6, 0))
    volume = of_field(ramp(places(stored)), stored)
    assert np.abs(sample_on_grid(volume, read, np.nan) - ramp(places(read))).max() < 0.01


def test_outside_is_fill_from_half_a_voxel_on() -> None:
    volume = of_field(np.full((6, 6, 6), 5.0), make_grid((6, 6, 6), (2, 2, 2)))
    for angle in (0.0, 1e-3):
        line = make_grid(
            (17, 1, 1), (1, 1, 1), angles=(0, angle, 0)
        )  # from -8 to 8 mm; the lattice ends at +-6
        read = sample_on_grid(volume, line, -9.0)[:, 0, 0]
        assert (read[3:14] == 5).all()
        assert (read[[0, 1, 15, 16]] == -9).all()


def test_a_grid_beside_the_volume_reads_only_fill() -> None:
    volume = of_field(np.ones((6, 6, 6)), make_grid((6, 6, 6), (2, 2, 2)))
    for angle in (0.0, 0.3):
        read = sample_on_grid(volume, make_grid((4, 4, 4), (2, 2, 2), (500, 0, 0), (angle, 0, 0)), -7.0)
        assert (read == -7).all()


@pytest.mark.parametrize("angles", [(0, 0, 0), (0.2, -0.3, 0.1)])
@pytest.mark.parametrize("spacing", [(1.2, 0.9, 1.5), (3.0, 3.0, 4.0), (1.0, 5.0, 2.5)])
def test_simpleitk_agrees_with_and_without_shrinking(
    angles: tuple[float, float, float], spacing: tuple[float, float, float]
) -> None:
    stored, read = make_grid((40, 36, 30), (1.5, 1.5, 2.0)), make_grid((8, 6, 7), spacing, angles=angles)
    values = np.random.default_rng(3).normal(size=stored.shape) + np.sin(places(stored) / 5).sum(axis=-1)
    ours = sample_on_grid(of_field(values, stored), read, 0.0)
    assert np.abs(ours - itk_resample(itk_image(values, stored), read)).max() < 1e-4


@pytest.mark.samples
@pytest.mark.parametrize("step_mm", [0.9, 2.5])
@pytest.mark.parametrize(
    ("sample", "modality"),
    [
        ("ct-phantom-philips", Modality.CT),
        ("nifti/MNI152_2009_template.nii.gz", Modality.MR),
        ("nifti/avg152T1_RL_nifti.nii.gz", Modality.MR),
        ("nifti/studyforrest_sub02_t1_1p4mm.nii.gz", Modality.MR),
    ],
)
def test_simpleitk_agrees_on_real_images_from_file_to_tensor(
    samples: Path, sample: str, modality: Modality, step_mm: float
) -> None:
    path = samples / sample
    volume = read_image(sorted(path.iterdir()) if path.is_dir() else [path], modality=modality)
    middle = volume.grid.affine @ [*((np.array(volume.grid.shape) - 1) / 2), 1]
    grid = make_grid((40, 40, 30), (step_mm, step_mm, 2 * step_mm), tuple(middle[:3]), (0.1, -0.05, 0.3))
    ours, theirs = sample_on_grid(volume, grid, -1024.0), itk_resample(itk_read(path), grid, -1024.0)
    span = float(np.ptp(volume.voxels))
    assert np.ptp(theirs) > 0.3 * span  # it is the head that is compared, not the air beside it
    # ITK decides what is outside a hair differently from us; where both are inside, they agree to rounding.
    inside = (ours != -1024) & (theirs != -1024)
    assert inside.mean() > 0.7
    assert (inside | (ours == theirs)).mean() > 0.995
    assert np.abs(ours - theirs)[inside].max() < 2e-4 * span


def test_shrinking_keeps_the_mean_and_kills_a_checkerboard() -> None:
    grid = make_grid((48, 48, 48), (1, 1, 1))
    board = np.indices(grid.shape).sum(axis=0) % 2 * 200.0
    for angle in (0.0, 0.2):
        read = sample_on_grid(
            of_field(board, grid), make_grid((6, 6, 6), (4, 4, 4), angles=(angle, 0, 0)), np.nan
        )
        assert np.abs(read - 100).max() < 1


def test_the_oblique_road_meets_the_parallel_one() -> None:
    grid = make_grid((40, 40, 40), (1.5, 1.5, 1.5))
    volume = of_field(1000 * ball((3, -4, 5))(places(grid)), grid)
    parallel = sample_on_grid(volume, make_grid((12, 12, 12), (3, 3, 3)), 0)
    oblique = sample_on_grid(volume, make_grid((12, 12, 12), (3, 3, 3), angles=(2e-4, 0, 0)), 0)
    assert np.abs(parallel - oblique).max() < 2


@pytest.fixture(scope="module")
def head() -> Volume:
    grid = make_grid((60, 66, 44), (4, 4, 5), (0, 0, 10))
    volume = of_field(head_ct(places(grid)), grid)
    return Volume(volume.voxels, volume.step_i, volume.step_j, volume.slice_origins, grid, Modality.CT)


def test_the_model_grid_hangs_from_the_vertex_with_axes_of_the_patient(head: Volume) -> None:
    grid = place_model_grid(head, CT_GRID)
    assert np.array_equal(grid.affine[:3, :3] != 0, np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]], np.bool_))
    assert (grid.affine[:3, :3].sum(axis=0) == np.array(CT_GRID.spacing_mm)).all()
    top_face = grid.affine[2, 3] + (grid.shape[0] - 0.5) * 8.0
    assert top_face == pytest.approx(115 + VERTEX_MARGIN_MM, abs=5)
    middle = grid.affine[:3, 3] + (np.array(grid.shape)[::-1] - 1) / 2 * np.array(CT_GRID.spacing_mm)[::-1]
    assert middle[:2] == pytest.approx([10, -20], abs=2)


@pytest.mark.parametrize(("order", "flips"), ORDERS[::5])
def test_the_tensor_does_not_depend_on_storage(
    head: Volume, order: tuple[int, ...], flips: tuple[int, ...]
) -> None:
    plain, other = (
        to_model_grid(head, CT_GRID),
        to_model_grid(Volume(**{**vars(reordered(head, order, flips)), "modality": Modality.CT}), CT_GRID),
    )
    assert np.allclose(plain.grid.affine, other.grid.affine, atol=1e-6)
    assert np.abs(plain.array - other.array).max() < 0.05


@settings(deadline=None, max_examples=25)
@given(
    st.tuples(st.integers(7, 18), st.integers(9, 20), st.integers(9, 20)),
    st.tuples(*[st.floats(-0.4, 0.4)] * 3),
    st.sampled_from([2.0, 5.0]),
)
def test_a_peak_goes_to_the_patient_and_stays_in_place(
    voxel: tuple[int, int, int], angles: tuple[float, float, float], thickness: float
) -> None:
    model = make_grid((26, 30, 30), (6, 5, 5), angles=(0, np.pi / 2, 0))
    patient = make_grid((60, 60, int(140 / thickness)), (2.5, 2.5, thickness), angles=angles)
    heatmap = np.zeros(model.shape, np.float32)
    heatmap[voxel] = 1
    read = heatmap_to_patient_grid(heatmap, model, patient)
    assert read.dtype == np.float32
    assert 0 <= read.min() <= read.max() <= 1
    peak = places(patient)[np.unravel_index(int(read.argmax()), read.shape)]
    assert np.linalg.norm(peak - places(model)[voxel]) <= np.linalg.norm(patient.spacing_mm)


def test_a_heatmap_is_zero_outside_the_model_s_field_of_view() -> None:
    model, patient = make_grid((6, 6, 6), (4, 4, 4)), make_grid((40, 40, 40), (2, 2, 2), angles=(0.1, 0, 0))
    read = heatmap_to_patient_grid(np.ones((6, 6, 6), np.float32), model, patient)
    inside = (np.abs(places(patient)) < 11.9).all(axis=-1)
    outside = (np.abs(places(patient)) > 12.1).any(axis=-1)
    assert np.allclose(read[inside], 1)
    assert (read[outside] == 0).all()


@pytest.mark.parametrize("angles", [(0.0, 0.0, 0.0), (0.3, 0.0, 0.0), (0.2, -0.3, 0.1)])
def test_a_heatmap_is_read_alike_whichever_axis_of_the_patient_runs_along_it(
    angles: tuple[float, float, float],
) -> None:
    """Upright, with a tilted gantry, and turned anyhow; each stored in every order of axes."""
    model = make_grid((14, 16, 15), (9, 8, 8), angles=(0, np.pi / 2, 0))
    heatmap = np.random.default_rng(0).random(model.shape, np.float32)
    patient = make_grid((33, 37, 12), (3, 3, 8), angles=angles)
    point_by_point = np.clip(sample_on_grid(as_volume(heatmap, model), patient, 0.0), 0, 1)
    empty = as_volume(np.zeros(patient.shape, np.float32), patient)
    for order, flips in ORDERS:
        stored = reordered(empty, order, flips).grid
        read = heatmap_to_patient_grid(heatmap, model, stored)
        expected = np.flip(point_by_point, tuple(axis for axis in range(3) if flips[axis] < 0)).transpose(
            order
        )
        assert read.shape == stored.shape
        # Two roads round differently, and may do so on either side of the border of the field of view.
        assert np.mean(np.abs(read - expected) > 1e-5) < 1e-3


@pytest.mark.samples
def test_forty_eight_files_give_one_tensor_and_one_heatmap(samples: Path) -> None:
    files = sorted((samples / "orientations").iterdir())
    assert len(files) == 48
    volumes = [read_image([file], modality=Modality.MR) for file in files]
    first = to_model_grid(volumes[0], MR_GRID)
    heatmap = np.random.default_rng(0).random(first.array.shape, np.float32)
    check = make_grid((20, 20, 20), (6, 6, 6), tuple(np.array(first.grid.affine[:3, 3]) + 70))
    wanted = None
    for volume in volumes:
        image = to_model_grid(volume, MR_GRID)
        assert np.allclose(image.grid.affine, first.grid.affine, atol=1e-4)
        assert np.abs(image.array - first.array).max() < 1e-2
        native = heatmap_to_patient_grid(heatmap, image.grid, volume.grid)
        assert native.shape == volume.voxels.shape
        in_world = sample_on_grid(as_volume(native, volume.grid), check, 0.0)
        wanted = in_world if wanted is None else wanted
        assert np.abs(in_world - wanted).max() < 1e-4
