"""training.prepare: the cache holds what the service would compute, once, and never a stale array."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import nibabel
import numpy as np
import pytest

from app.ehr.schema import EhrSchema
from app.imaging.model_grid import PREPROCESSING_VERSION, ModelGrid
from app.imaging.read import read_image, read_mask
from app.imaging.resample import to_model_grid
from app.imaging.volume import Modality
from training.cohort import Case, CohortError
from training.phantoms.cohort import CaseRequest, make_case
from training.prepare import Target, prepare

GRID = ModelGrid(
    modality=Modality.CT, shape=(8, 22, 18), spacing_mm=(20, 10, 10), orientation="RAS", crop="head-top",
    channels=1, intensity_unit="HU", fill=-1024.0,
)  # fmt: skip
TARGET = Target(GRID, mask_labels=(1,))
SCHEMA = EhrSchema(features=(), minimum_features=0)


def write_head(folder: Path, hu: int = 40) -> Case:
    """An egg of brain in a shell of bone, with a bleed on one side and its mask."""
    x, y, z = np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in (48, 56, 30)), indexing="ij")
    radius = np.sqrt((x / 19) ** 2 + (y / 23) ** 2 + (z / 13) ** 2)
    voxels = np.where(radius < 1, hu, -1000).astype(np.int16)
    voxels[(radius > 0.9) & (radius < 1)] = 900
    mask = ((x - 8) ** 2 + y**2 + z**2 < 30).astype(np.uint8)
    affine = np.diag([4.0, 4.0, 5.0, 1.0])
    nibabel.Nifti1Image(voxels, affine).to_filename(folder / "image.nii.gz")
    nibabel.Nifti1Image(mask, affine).to_filename(folder / "mask.nii.gz")
    return Case("p1", (folder / "image.nii.gz",), (folder / "mask.nii.gz",), "train", {}, 3, 0.6)


def test_cached_arrays_are_those_of_the_service(tmp_path: Path) -> None:
    case = write_head(tmp_path)
    prepared = prepare([case], SCHEMA, TARGET, tmp_path / "cache", workers=1)
    served = to_model_grid(read_image(case.image, modality=Modality.CT), GRID)
    np.testing.assert_array_equal(prepared.image(0), served.array)
    assert prepared.labels.tolist() == [3]
    assert prepared.true_probability.tolist() == pytest.approx([0.6])


def test_the_mask_lies_on_the_image_it_belongs_to(tmp_path: Path) -> None:
    case = write_head(tmp_path)
    prepared = prepare([case], SCHEMA, TARGET, tmp_path / "cache", workers=1)
    mask = prepared.mask(0)
    assert mask is not None
    voxel_mm3 = float(np.prod(GRID.spacing_mm))
    stored_mm3 = np.count_nonzero(read_mask(case.masks[0]).voxels) * 4 * 4 * 5
    assert mask.sum() / 255 * voxel_mm3 == pytest.approx(stored_mm3, rel=0.2)
    centre = np.average(np.indices(mask.shape).reshape(3, -1), axis=1, weights=mask.ravel())
    assert (
        centre[2] > (GRID.shape[2] - 1) / 2 + 2
    )  # to the patient's right of the middle: x grows along the last axis


def test_a_second_run_reads_the_cache_and_a_changed_file_does_not(tmp_path: Path) -> None:
    case = write_head(tmp_path)
    first = prepare([case], SCHEMA, TARGET, tmp_path / "cache", workers=1)
    written = first.images[0].stat().st_mtime_ns
    assert (
        prepare([case], SCHEMA, TARGET, tmp_path / "cache", workers=1).images[0].stat().st_mtime_ns == written
    )
    changed = prepare([write_head(tmp_path, hu=60)], SCHEMA, TARGET, tmp_path / "cache", workers=1)
    assert changed.images[0] != first.images[0]
    assert not np.array_equal(changed.image(0), first.image(0))


def test_what_another_release_or_other_labels_made_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, cache = write_head(tmp_path), tmp_path / "cache"
    first = prepare([case], SCHEMA, TARGET, cache, workers=1)
    others = prepare([case], SCHEMA, Target(GRID, mask_labels=(2,)), cache, workers=1)
    marked, bare = first.mask(0), others.mask(0)
    assert marked is not None
    assert bare is not None
    assert marked.any()
    assert not bare.any()
    monkeypatch.setattr("training.prepare.PREPROCESSING_VERSION", PREPROCESSING_VERSION + 1)
    assert prepare([case], SCHEMA, TARGET, cache, workers=1).images != first.images


@pytest.mark.parametrize("left", [0, 500])
def test_a_prepared_array_that_a_power_cut_cut_off_is_named(tmp_path: Path, left: int) -> None:
    prepared = prepare([write_head(tmp_path)], SCHEMA, TARGET, tmp_path / "cache", workers=1)
    path = prepared.images[0]
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(CohortError, match=rf"{path.name}.* is damaged or gone; delete it"):
        prepared.image(0)


def test_processes_give_the_same_arrays_as_one(tmp_path: Path) -> None:
    case = write_head(tmp_path)
    alone = prepare([case], SCHEMA, TARGET, tmp_path / "one", workers=1)
    many = prepare([case], SCHEMA, TARGET, tmp_path / "two", workers=2)
    np.testing.assert_array_equal(alone.image(0), many.image(0))


def test_rows_that_share_an_image_may_be_prepared_at_the_same_time(tmp_path: Path) -> None:
    case = write_head(tmp_path)
    for attempt in range(3):
        cache = tmp_path / f"cache{attempt}"
        prepared = prepare([case] * 48, SCHEMA, TARGET, cache, workers=6)
        assert len(set(prepared.images)) == 1
        assert {path.suffix for path in cache.iterdir()} == {".npy"}, "nothing half written is left"


@contextmanager
def files_of_4_kib_at_most() -> Iterator[None]:
    """As on a full disk, writing fails in the middle of a file; Python leaves the signal that comes with it aside."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_is_named_and_no_half_written_file_is_left_on_it(tmp_path: Path) -> None:
    case = write_head(tmp_path)
    with (
        files_of_4_kib_at_most(),
        pytest.raises(CohortError, match=r"expected room for prepared images.*--cache"),
    ):
        prepare([case], SCHEMA, TARGET, tmp_path / "cache", workers=1)
    assert not [path for path in (tmp_path / "cache").iterdir() if path.suffix == ".part"]


def test_an_interruption_leaves_no_half_written_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(file: BinaryIO, _array: np.ndarray) -> None:
        file.write(b"half of it")
        raise KeyboardInterrupt

    case = write_head(tmp_path)
    monkeypatch.setattr(np, "save", cut_off)
    with pytest.raises(KeyboardInterrupt):
        prepare([case], SCHEMA, TARGET, tmp_path / "cache", workers=1)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_cache_where_no_folder_can_be_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    with pytest.raises(CohortError, match="name another folder with --cache"):
        prepare([write_head(tmp_path)], SCHEMA, TARGET, tmp_path / "cache", workers=1)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_image_that_cannot_be_read_leads_to_the_check_that_tells_its_row(
    tmp_path: Path, workers: int
) -> None:
    (tmp_path / "text.nii.gz").write_text("no image")
    case = Case("p1", (tmp_path / "text.nii.gz",), (), "train", {}, 3, None)
    with pytest.raises(CohortError, match=r"cannot be prepared, unsupported-file: .*training check"):
        prepare([case], SCHEMA, TARGET, tmp_path / "cache", workers=workers)


def test_an_image_that_the_disk_does_not_give_leads_to_the_check_too(tmp_path: Path) -> None:
    (tmp_path / "broken.nii").symlink_to("/proc/self/mem")  # whose first byte is an error of reading
    case = Case("p1", (tmp_path / "broken.nii",), (), "train", {}, 3, None)
    with pytest.raises(CohortError, match=r"it is there, and cannot be read: .*training check"):
        prepare([case], SCHEMA, TARGET, tmp_path / "cache", workers=1)


def test_a_case_without_a_mask_has_none(tmp_path: Path) -> None:
    case = write_head(tmp_path)
    bare = Case("p2", case.image, (), "train", {}, 0, None)
    prepared = prepare([bare], SCHEMA, TARGET, tmp_path / "cache", workers=1)
    assert prepared.mask(0) is None
    assert np.isnan(prepared.true_probability[0])


def test_only_the_labels_asked_for_belong_to_the_region(tmp_path: Path) -> None:
    case = write_head(tmp_path)
    other = prepare([case], SCHEMA, Target(GRID, mask_labels=(2,)), tmp_path / "cache", workers=1)
    mask = other.mask(0)
    assert mask is not None
    assert mask.max() == 0


def test_files_that_were_read_as_a_volume_are_read_anew_as_slices(tmp_path: Path) -> None:
    """A cohort whose folders of slices are named slice by slice later, on a grid of as many."""
    request = CaseRequest("gos", 5, 0, dicom_share=1.0)
    for name in ("images", "masks", "rows"):
        (tmp_path / name).mkdir()
    series = sorted((tmp_path / make_case(request, tmp_path)["image"]).iterdir())
    files = tuple(series[len(series) // 2 - 3 : len(series) // 2 + 3])
    target = Target(GRID.model_copy(update={"shape": (6, 22, 18)}), mask_labels=(1,))
    volume = Case("p1", files, (), "train", {}, 3, None)
    before, after = (
        prepare([case], SCHEMA, target, tmp_path / "cache", workers=1).image(0)
        for case in (volume, replace(volume, few_slices=True))
    )
    assert not np.array_equal(before, after)
