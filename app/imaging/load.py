"""Files to the model grid: the one road from an upload to a tensor, whether it runs in this process or in a worker."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.imaging.limits import DEFAULT_LIMITS, ReadLimits
from app.imaging.model_grid import ModelGrid
from app.imaging.read import read_image
from app.imaging.resample import ModelImage, to_model_grid
from app.imaging.volume import Volume, without_voxels

VolumeTask = Callable[[Volume], None]


@dataclass(frozen=True)
class LoadedCase:
    """An image, read and placed.

    Attributes:
        volume: As it was acquired; where its voxels were not asked for, they are NaN.
        image: As the network sees it.
        read_s: Seconds spent reading.
        resample_s: Seconds spent on the way to the model grid.
        elsewhere: Does something with the volume in a process where images are loaded; None where that is this one.
    """

    volume: Volume
    image: ModelImage
    read_s: float
    resample_s: float
    elsewhere: Callable[[VolumeTask], None] | None = None

    def do(self, task: VolumeTask) -> None:
        """Do something that takes long with the volume, whose voxels were asked for: where it was loaded, so that nobody here waits for it.

        Args:
            task: A function of `app.imaging`, or a `partial` of one.

        Raises:
            NeuroFuseError: As the loader.
            OSError: Files cannot be written; all else that a task raises is a defect.
        """
        if self.elsewhere is None:
            task(self.volume)
        else:
            self.elsewhere(task)


class Loader(Protocol):
    """Where images are loaded: `load_case` in this process, `app.imaging.workers.isolation.ImageWorkers` in processes beside it."""

    def __call__(
        self,
        paths: Sequence[Path],
        spec: ModelGrid,
        series: str | None = None,
        *,
        voxels: bool = True,
    ) -> LoadedCase:
        """Load one case; see `load_case`."""


class TellingLoader(Protocol):
    """A loader that shows the volume before it is resampled, as `load_case` does."""

    def __call__(
        self,
        paths: Sequence[Path],
        spec: ModelGrid,
        series: str | None,
        *,
        limits: ReadLimits,
        seen: Callable[[Volume], object],
    ) -> LoadedCase:
        """Load one case; see `load_case`."""


def load_case(
    paths: Sequence[Path],
    spec: ModelGrid,
    series: str | None = None,
    *,
    limits: ReadLimits = DEFAULT_LIMITS,
    seen: Callable[[Volume], object] = lambda _volume: None,
    voxels: bool = True,
) -> LoadedCase:
    """Reads the one image among files and brings it to the model grid.

    Args:
        paths: Files by any names in any order.
        spec: The grid of the package that is to answer; its modality is the one needed.
        series: Series Instance UID of the DICOM series that is meant; None leaves the choice to `app.imaging.dicom.series`.
        limits: Bounds on files, bytes and voxels.
        seen: Called once with the volume, as soon as it is read; the volume must stay as it is.
        voxels: Whether the voxels as acquired are wanted too: they are most of what is read, and an answer needs only the
            model grid.

    Raises:
        RequestError: Always one of its leaves, whatever the bytes are.
    """
    began = time.perf_counter()
    volume = read_image(paths, modality=spec.modality, limits=limits, series=series)
    read = time.perf_counter()
    seen(volume)
    image = to_model_grid(volume, spec)
    kept = volume if voxels else without_voxels(volume, volume.voxels.shape)
    return LoadedCase(kept, image, read_s=read - began, resample_s=time.perf_counter() - read)
