"""A case that goes wrong in a worker costs that case: a clear refusal, and nothing left in memory or on disk."""

import gc
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from app.errors import ArchiveTooLargeError, MixedSeriesError, NotReadyError, UnreadableImageError
from app.imaging import write
from app.imaging.limits import MEBIBYTE, ReadLimits
from app.imaging.load import LoadedCase, load_case
from app.imaging.pictures import overlay, overview
from app.imaging.pictures.heatmap_files import Shown, draw
from app.imaging.pictures.overview import write_head_overview_png
from app.imaging.volume import Modality, has_voxels
from app.imaging.workers.isolation import ImageWorkers, WorkerFaultError, WorkerLimits
from app.imaging.write import write_image
from tests.imaging.acting import act_or_load
from tests.imaging.making import CT_GRID, MR_GRID, Series
from tests.support.waiting import wait_until

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="what is looked at is in /proc")
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - looked at, not written to

TIMEOUT_S = 6.0
LIMITS = WorkerLimits(workers=2, timeout_s=TIMEOUT_S, memory_bytes=512 * MEBIBYTE)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def workers(scratch: Path) -> Iterator[ImageWorkers]:
    """One pool for all tests: each must leave it able to work."""
    with ImageWorkers(LIMITS, scratch, act_or_load) as running:
        running.warm()
        yield running


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return Series().write(tmp_path_factory.mktemp("series"))


def same(a: LoadedCase, b: LoadedCase) -> bool:
    """Whether two cases are equal to the last bit, the order of their axes in memory included."""
    arrays = [(a.volume.voxels, b.volume.voxels), (a.image.array, b.image.array)]
    return (
        all(np.array_equal(x, y) and (x.dtype, x.strides) == (y.dtype, y.strides) for x, y in arrays)
        and np.array_equal(a.volume.slice_origins, b.volume.slice_origins)
        and np.array_equal(a.image.grid.affine, b.image.grid.affine)
        and (a.volume.findings, a.image.findings) == (b.volume.findings, b.image.findings)
    )


def described(workers: ImageWorkers) -> dict[str, Any]:
    """What a worker says of itself."""
    with pytest.raises(MixedSeriesError) as caught:
        workers([Path("describe")], CT_GRID)
    return caught.value.fields


def files_below(folder: Path) -> list[Path]:
    """What a case left; an empty folder waits for the next case."""
    return [path for path in folder.rglob("*") if not path.is_dir()]


def test_a_worker_gives_what_this_process_would(workers: ImageWorkers, series: list[Path]) -> None:
    assert same(workers(series, CT_GRID), load_case(series, CT_GRID))


def test_a_nifti_keeps_its_own_order_of_axes(workers: ImageWorkers, head_mr: Path) -> None:
    assert same(workers([head_mr], MR_GRID), load_case([head_mr], MR_GRID))


@pytest.mark.parametrize("isolated", [True, False])
def test_voxels_that_are_not_wanted_stay_behind_and_all_else_is_the_same(
    workers: ImageWorkers, series: list[Path], *, isolated: bool
) -> None:
    whole = load_case(series, CT_GRID)
    case = (workers if isolated else load_case)(series, CT_GRID, voxels=False)
    assert not has_voxels(case.volume)
    assert case.volume.voxels.shape == whole.volume.voxels.shape
    assert np.isnan(case.volume.voxels).all(), "no black image, which would be one"
    assert same(replace(case, volume=replace(case.volume, voxels=whole.volume.voxels)), whole)


def test_an_array_that_came_back_can_be_written_to(workers: ImageWorkers, series: list[Path]) -> None:
    case = workers(series, CT_GRID)
    case.volume.voxels[0, 0, 0] = 7
    assert case.volume.voxels[0, 0, 0] == 7


def test_limits_and_the_wanted_series_reach_the_worker(workers: ImageWorkers, tmp_path: Path) -> None:
    wanted, other = Series(), Series()
    paths = [*wanted.write(tmp_path / "a"), *other.write(tmp_path / "b")]
    bounded = ImageWorkers(WorkerLimits(workers=1, reading=ReadLimits(max_voxels=1000)))
    with bounded, pytest.raises(ArchiveTooLargeError, match="at most 1000 voxels"):
        bounded(paths, CT_GRID, wanted.series_uid)
    case = workers(paths, CT_GRID, series=wanted.series_uid)
    assert case.volume.modality is Modality.CT


@pytest.mark.parametrize(
    ("act", "words", "fields"),
    [
        ("crash", "ended abnormally", {}),
        ("litter_and_die", "ended abnormally", {}),
        pytest.param(
            "hoard", f"within {LIMITS.memory_bytes} bytes", {"limit": LIMITS.memory_bytes}, marks=on_linux
        ),
        ("lack", f"within {LIMITS.memory_bytes} bytes", {"limit": LIMITS.memory_bytes}),
    ],
)
def test_the_worst_costs_one_case_and_leaves_nothing(
    workers: ImageWorkers, scratch: Path, series: list[Path], act: str, words: str, fields: dict[str, Any]
) -> None:
    with pytest.raises(UnreadableImageError, match=words) as caught:
        workers([Path(act)], CT_GRID)
    assert caught.value.fields == fields
    assert files_below(scratch) == []
    assert same(workers(series, CT_GRID), load_case(series, CT_GRID))


@on_linux
def test_a_case_is_read_also_where_no_thread_can_begin(scratch: Path, series: list[Path]) -> None:
    with ImageWorkers(LIMITS, scratch, act_or_load) as workers:
        assert same(workers([Path("crowd"), *series], CT_GRID), load_case(series, CT_GRID))


def test_a_case_that_hangs_is_ended_and_holds_up_no_other(
    workers: ImageWorkers, scratch: Path, series: list[Path]
) -> None:
    here = load_case(series, CT_GRID)
    with ThreadPoolExecutor() as threads:
        hanging = threads.submit(workers, [Path("hang")], CT_GRID)
        for _ in range(3):
            assert same(workers(series, CT_GRID), here)
        with pytest.raises(UnreadableImageError, match="within 6 seconds") as caught:
            hanging.result()
    assert caught.value.fields == {"limit": TIMEOUT_S}
    assert files_below(scratch) == []


def test_a_named_error_comes_back_as_it_was_raised(workers: ImageWorkers) -> None:
    with pytest.raises(ArchiveTooLargeError) as caught:
        workers([Path("refuse")], CT_GRID)
    assert caught.value.detail == str(caught.value) == "Expected less, found more. Send less."
    assert caught.value.fields == {"limit": 7, "known": ["a", "b"]}
    assert caught.value.__cause__ is None  # no text of a traceback, which may quote a file


def test_a_defect_is_logged_by_type_and_place_without_its_words(workers: ImageWorkers) -> None:
    with capture_logs() as lines, pytest.raises(WorkerFaultError) as caught:
        workers([Path("fail")], CT_GRID)
    (line,) = lines
    assert (line["event"], line["error_type"]) == ("image-worker-fault", "LookupError")
    assert line["where"][-1].endswith(" fail")
    assert "Secret" not in f"{line}{caught.value!r}{caught.value.__cause__!r}"


def test_a_worker_holds_nothing_of_the_service_and_of_training(workers: ImageWorkers) -> None:
    modules = set(described(workers)["modules"])
    own = {".".join(name.split(".")[:2]) for name in modules if name.startswith("app.")}
    assert own == {"app.cpus", "app.errors", "app.expendable", "app.heap", "app.imaging"}
    assert modules.isdisjoint(
        {"fastapi", "uvicorn", "onnxruntime", "sqlalchemy", "structlog", "torch", "training"}
    )


def test_a_worker_writes_no_core_and_unfolds_below_the_folder_of_its_case(
    workers: ImageWorkers, scratch: Path
) -> None:
    found = described(workers)
    assert found["core_limit"] == (0, 0)
    assert Path(found["temporary_folder"]).parent == scratch


@on_linux
def test_the_kernel_takes_a_worker_before_the_service(workers: ImageWorkers) -> None:
    assert described(workers)["out_of_memory_score"] == 1000


def test_a_worker_is_replaced_after_its_share_of_cases() -> None:
    with ImageWorkers(WorkerLimits(workers=1, tasks_per_worker=1), loader=act_or_load) as workers:
        first = described(workers)["pid"]
        wait_until(lambda: described(workers)["pid"] != first)


def test_workers_that_are_killed_while_idle_are_replaced(series: list[Path]) -> None:
    others = own_children()
    with ImageWorkers(LIMITS) as workers:
        workers(series, CT_GRID)
        for child in own_children() - others:
            os.kill(child, signal.SIGKILL)
        assert same(workers(series, CT_GRID), load_case(series, CT_GRID))


def own_children() -> set[int]:
    return {child.pid for child in multiprocessing.active_children() if child.pid is not None}


def test_closing_ends_every_worker_and_what_it_works_on(series: list[Path]) -> None:
    before = own_children()
    workers = ImageWorkers(WorkerLimits(workers=2), loader=act_or_load)
    with ThreadPoolExecutor() as threads:
        hanging = threads.submit(workers, [Path("hang")], CT_GRID)
        workers(series, CT_GRID)
        workers.close()
        with pytest.raises(NotReadyError):
            hanging.result()
    assert own_children() <= before
    with pytest.raises(NotReadyError):
        workers(series, CT_GRID)


def shown(case: LoadedCase, folder: Path) -> Shown:
    """A heatmap with one hot voxel, wanted on the patient's grid."""
    heatmap = np.zeros_like(case.image.array)
    heatmap[tuple(size // 2 for size in heatmap.shape)] = 1
    return Shown(
        heatmap, case.image.grid, case.volume.grid, folder / "heatmap.nii.gz", folder / "heatmap.png"
    )


@on_linux
def test_what_is_made_of_an_image_is_made_in_a_worker_and_is_what_would_be_made_here(
    workers: ImageWorkers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A heatmap's files, a kept image and the picture of a preview, of an image whose voxels lie on no single lattice."""
    tilted = Series(tilt_degrees=18.5).write(tmp_path / "series")
    here, there = load_case(tilted, CT_GRID), workers(tilted, CT_GRID)
    for case, name in ((here, "here"), (there, "there")):
        folder = tmp_path / name
        folder.mkdir()
        case.do(partial(draw, shown=shown(case, folder)))
        case.do(partial(write_image, path=folder / "image.nii.gz"))
        case.do(partial(write_head_overview_png, spec=CT_GRID, path=folder / "overview.png"))
        for module in (write, overlay, overview):
            monkeypatch.setattr(module, "sample_on_grid", None)  # here nobody can any more
    written = sorted(path.name for path in (tmp_path / "there").iterdir())
    assert written == ["heatmap.nii.gz", "heatmap.png", "image.nii.gz", "overview.png"]
    for file in written:
        assert (tmp_path / "there" / file).read_bytes() == (tmp_path / "here" / file).read_bytes()


@on_linux
def test_memory_stays_until_nobody_can_draw_from_it_and_no_longer(
    workers: ImageWorkers, series: list[Path], tmp_path: Path
) -> None:
    gc.collect()  # what tests before left in cycles
    held = open_memory()
    case = workers(series, CT_GRID)
    do, volume, task = case.elsewhere, case.volume, partial(draw, shown=shown(case, tmp_path))
    del case
    assert len(open_memory() - held) == 2, "one for who draws, one that the array holds itself"
    assert do is not None
    do(task)
    del do
    assert len(open_memory() - held) == 1
    del volume
    assert open_memory() == held


@on_linux
def test_a_heatmap_that_cannot_be_drawn_costs_its_case_and_closed_workers_draw_none(
    series: list[Path], tmp_path: Path
) -> None:
    with ImageWorkers(WorkerLimits(workers=1)) as workers:
        case = workers(series, CT_GRID)
        with pytest.raises(FileNotFoundError):
            case.do(partial(draw, shown=shown(case, tmp_path / "absent")))
        case.do(partial(draw, shown=shown(case, tmp_path)))
    with pytest.raises(NotReadyError):
        case.do(partial(draw, shown=shown(case, tmp_path)))


@on_linux
def test_memory_is_gone_with_the_last_array_and_has_no_name(
    workers: ImageWorkers, series: list[Path]
) -> None:
    gc.collect()  # what tests before left in cycles
    held, named = memory_files(), named_memory()
    case = workers(series, CT_GRID)
    voxels = case.volume.voxels
    del case
    gc.collect()
    assert len(memory_files() - held) == 1
    del voxels
    gc.collect()
    assert memory_files() == held
    assert named_memory() <= named


@on_linux
def test_a_case_that_fails_holds_no_memory(workers: ImageWorkers) -> None:
    held = memory_files()
    for act in ("crash", "refuse"):
        with pytest.raises((UnreadableImageError, ArchiveTooLargeError)):
            workers([Path(act)], CT_GRID)
    assert memory_files() == held


def named_memory() -> set[Path]:
    """What lies in the shared memory of this machine, but for what its other programs make and drop: semaphores, and databases' own."""
    return {path for path in SHARED_MEMORY.iterdir() if not path.name.startswith(("sem.", "PostgreSQL."))}


def open_memory() -> set[str]:
    """Anonymous memory this process could give to a worker by a path."""
    return {number for number, target in open_files() if "memfd:" in target}


def open_files() -> Iterator[tuple[str, str]]:
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one this folder was read by
            yield descriptor.name, str(descriptor.readlink())


def memory_files() -> set[str]:
    """Anonymous memory this process has mapped, by inode."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return {line.split()[4] for line in lines if "/memfd:" in line}
