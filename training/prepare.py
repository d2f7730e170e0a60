"""From a cohort's files to arrays on the model grid, once: the same `app.imaging` and `app.ehr` calls the service makes.

Each case becomes two small files in the cache, named by a digest of everything they depend on: the image on the model
grid (float32) and the mask's share of each voxel (uint8, 255 = all of it). A changed file (by its
path, size and time: `training.files.stamps`), grid or preprocessing version changes the name, so that a stale array is not read.
"""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64, UInt8
from rich.progress import track

from app.ehr.encode import encode
from app.ehr.schema import EhrSchema
from app.errors import RequestError
from app.imaging.model_grid import PREPROCESSING_VERSION, READING_REVISION, ModelGrid
from app.imaging.one_slice import place_slice_grid, read_slice, read_slice_mask
from app.imaging.read import read_image, read_mask
from app.imaging.resample import sample_on_grid, to_model_grid
from app.imaging.volume import Grid, Volume
from training.cohort import Case, CohortError
from training.files.stamps import file_stamp
from training.processes.reading_processes import reading_processes


@dataclass(frozen=True)
class Target:
    """What the files are brought to.

    Attributes:
        grid: The model grid.
        mask_labels: Values of a mask that belong to the region; the others count as background.
    """

    grid: ModelGrid
    mask_labels: tuple[int, ...]


@dataclass(frozen=True)
class PreparedSet:
    """One split, ready for a network.

    Attributes:
        images: Cached model-grid images, one .npy [D, H, W] float32 per case.
        masks: Cached mask shares [D, H, W] uint8, or None where the case has no mask.
        values: [N, F] as the ONNX graph takes them.
        missing: [N, F], 1 where missing.
        labels: [N] class indices.
        true_probability: [N], NaN where unknown.
    """

    images: tuple[Path, ...]
    masks: tuple[Path | None, ...]
    values: Float32[np.ndarray, "N F"]
    missing: Float32[np.ndarray, "N F"]
    labels: Int64[np.ndarray, " N"]
    true_probability: Float32[np.ndarray, " N"]

    def __len__(self) -> int:
        return len(self.images)

    def image(self, index: int) -> Float32[np.ndarray, "D H W"]:
        """The image of one case on the model grid."""
        return _loaded(self.images[index])

    def mask(self, index: int) -> UInt8[np.ndarray, "D H W"] | None:
        """The mask of one case on the model grid, 255 where a voxel lies wholly inside."""
        path = self.masks[index]
        return None if path is None else _loaded(path)

    @property
    def has_marks(self) -> bool:
        """Whether any mask has a voxel that counts, or there is none to have one."""
        masks = [path for path in self.masks if path]
        return not masks or any(_loaded(path).any() for path in masks)


def prepare(
    cases: Sequence[Case], schema: EhrSchema, target: Target, cache: Path, workers: int
) -> PreparedSet:
    """Bring a split onto the model grid, reading only what the cache lacks.

    Args:
        cases: Patients of one split.
        schema: The record.
        target: The model grid, and which mask labels count.
        cache: Folder of cached arrays; shared by all runs.
        workers: Processes; 1 works in this one.

    Raises:
        CohortError: A file cannot be read as the image or mask it should be, or the disk takes no more.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _no_room(error) from error
    work = partial(_cached_case, target=target, cache=cache)
    if workers > 1:
        with reading_processes(workers) as pool:
            files = list(track(pool.map(work, cases), "Preparing", total=len(cases)))
    else:
        files = [work(case) for case in track(cases, "Preparing")]
    records = [encode(case.record, schema) for case in cases]
    return PreparedSet(
        images=tuple(image for image, _ in files),
        masks=tuple(mask for _, mask in files),
        values=np.stack([record.values for record in records]),
        missing=np.stack([record.missing for record in records]),
        labels=np.array([case.label for case in cases], dtype=np.int64),
        true_probability=np.array(
            [np.nan if case.true_probability is None else case.true_probability for case in cases],
            dtype=np.float32,
        ),
    )


def _loaded(path: Path) -> np.ndarray:
    try:
        array: np.ndarray = np.load(path)
    except (OSError, EOFError, ValueError):  # a power cut may leave a name without its content
        raise CohortError(
            f"a prepared image or mask ({path.name}) is damaged or gone; delete it from the cache, if it is there, and give the command again"
        ) from None
    return array


def _cached_case(case: Case, target: Target, cache: Path) -> tuple[Path, Path | None]:
    digest = _digest(case, target)
    image_file = cache / f"{digest}.image.npy"
    mask_file = cache / f"{digest}.mask.npy" if case.masks else None
    if not image_file.is_file() or (mask_file and not mask_file.is_file()):
        try:
            _compute_case(case, target, image_file, mask_file)
        except RequestError as error:
            raise _unusable(f"{error.code}: {error.detail}") from None
        except OSError as error:
            raise _unusable(
                f"it is there, and cannot be read: {error.strerror or 'an error of reading'}."
            ) from None
    return image_file, mask_file


def _compute_case(case: Case, target: Target, image_file: Path, mask_file: Path | None) -> None:
    if case.few_slices:
        image, grids = _stacked_slices(case, target.grid)
    else:
        whole = to_model_grid(read_image(case.image, modality=target.grid.modality), target.grid)
        image, grids = whole.array, [whole.grid]
    if mask_file:
        read = read_slice_mask if case.few_slices else read_mask
        parts = [_share(read(mask), grid, target) for mask, grid in zip(case.masks, grids, strict=True)]
        _write_atomically(mask_file, np.concatenate(parts))
    _write_atomically(image_file, image)


def _share(mask: Volume, grid: Grid, target: Target) -> UInt8[np.ndarray, "D H W"]:
    """How much of each voxel the region fills, 255 = all of it."""
    region = replace(mask, voxels=np.isin(mask.voxels, target.mask_labels).astype(np.uint8))
    share: UInt8[np.ndarray, "D H W"] = np.round(
        np.clip(sample_on_grid(region, grid, fill=0.0), 0, 1) * 255
    ).astype(np.uint8)
    return share


def _stacked_slices(case: Case, grid: ModelGrid) -> tuple[Float32[np.ndarray, "D H W"], list[Grid]]:
    """Each slice on the grid's rows and columns, in the order of the table's columns, and where these lie."""
    if len(case.image) != grid.shape[0]:
        raise CohortError(
            f"the cohort has {len(case.image)} slices of each patient, the grid of the configuration {grid.shape[0]}; "
            f"set shape = [{len(case.image)}, {grid.shape[1]}, {grid.shape[2]}] in [grid]"
        )
    slices = [read_slice(file, modality=grid.modality) for file in case.image]
    grids = [place_slice_grid(one, grid) for one in slices]
    planes = [sample_on_grid(one, place, grid.fill) for one, place in zip(slices, grids, strict=True)]
    return np.concatenate(planes), grids


def _write_atomically(path: Path, array: np.ndarray) -> None:
    # A name of its own: two rows with one image, or runs in several containers on one cache, may write the same array at once.
    partial_file = path.with_suffix(f".{secrets.token_hex(8)}.part")
    try:
        with partial_file.open("wb") as file:
            np.save(file, array)
        partial_file.replace(path)
    except OSError as error:
        raise _no_room(error) from error
    finally:
        partial_file.unlink(missing_ok=True)


def _unusable(why: str) -> CohortError:
    return CohortError(
        f"a patient's image or mask cannot be prepared, {why} Which row it is, `python -m training check` tells; what is prepared is kept"
    )


def _no_room(error: OSError) -> CohortError:
    return CohortError(
        f"expected room for prepared images, found a disk that takes none ({error.strerror or 'full'}); free space there, or name "
        "another folder with --cache; what is prepared is kept"
    )


def _digest(case: Case, target: Target) -> str:
    files = [*case.image, *case.masks]
    stamp = [(str(file.resolve()), *file_stamp(file)) for file in files]
    versions = [PREPROCESSING_VERSION, READING_REVISION]
    key = [*versions, target.grid.model_dump(mode="json"), target.mask_labels, stamp]
    if case.few_slices:  # the same files may be read as a volume, too, on a grid of as many slices
        key.append("slices")
    return hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]
