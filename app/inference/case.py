"""One case from files and record to the network's answer.

The service, the command line, the golden self-test and the exporter all come through `analyse`, so what was trained,
tested and served can only be the same thing.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from app.ehr.encode import EncodedRecord, encode
from app.imaging.load import LoadedCase, Loader, VolumeTask, load_case
from app.imaging.resample import ModelImage
from app.imaging.volume import Grid, Volume
from app.inference.heatmap_choice import HeatmapChoice
from app.inference.predictor import Outputs, Predictor
from app.model_package.manifest import Heatmap
from app.model_package.package import Package
from app.tracing import span


@dataclass(frozen=True)
class Analysis:
    """A case, answered.

    Attributes:
        package: The package that answered.
        outputs: Its answer.
        record: The record as the network saw it, and what became of each field.
        volume: The image as it was acquired, with its findings and its grid; its voxels are NaN where they were not wanted.
        image: The image as the network saw it.
        heatmap_grid: Where the network's heatmap lies, `outputs.heatmap`.
        shown_on: The grid on which the heatmap is wanted, the patient's or its own; None where it was not asked for.
        heatmap_peak_mm: RAS millimetres of the centre of the highest voxel of the network's own heatmap.
        on_volume: Does something that takes long with the volume as it was acquired, where it was read; see `LoadedCase.do`.
        timing_ms: Milliseconds of `read`, `resample`, `queue`, `inference`, `heatmap` and `total`.
    """

    package: Package
    outputs: Outputs
    record: EncodedRecord
    volume: Volume
    image: ModelImage
    heatmap_grid: Grid
    shown_on: Grid | None
    heatmap_peak_mm: tuple[float, float, float]
    on_volume: Callable[[VolumeTask], None]
    timing_ms: dict[str, float]


def analyse(  # noqa: PLR0913 - the parts of a case, and how to read it
    paths: Sequence[Path],
    record: Mapping[str, object],
    predictor: Predictor,
    heatmap: HeatmapChoice = "native",
    *,
    series: str | None = None,
    loader: Loader = load_case,
    voxels: bool = True,
) -> Analysis:
    """Answer one case.

    Args:
        paths: One NIfTI file, or the files of one DICOM series in any order.
        record: Feature name to value, as a client sends it.
        predictor: Package and session.
        heatmap: On which grid the heatmap is wanted.
        series: Series Instance UID of the DICOM series that is meant; None leaves the choice to the door.
        loader: Where the image is read, in this process or in a worker; the tensor is the same.
        voxels: Whether the analysis is to hold the voxels as acquired; the answer does not need them.

    Returns:
        The answer with all that explains it.

    Raises:
        RecordError: The record cannot be used; told before the image is read.
        ImageError: The image cannot be used.
        UnsupportedFileError: A file is of another kind.
        ServiceError: The model cannot answer now.
        PackageInvalidError: The graph's answer breaks its contract.
    """
    package, began = predictor.package, time.perf_counter()
    encoded = encode(record, package.manifest.ehr)
    with span("read"):
        loaded = loader(paths, package.manifest.image, series, voxels=voxels)
    volume, image = loaded.volume, loaded.image
    with span("infer") as told:
        outputs = predictor.predict(image.array, encoded)
        told.tell(queue_ms=outputs.queue_ms)
    own_grid = heatmap_grid(image.grid, package.manifest.outputs.heatmap)
    shown_on: dict[HeatmapChoice, Grid | None] = {"native": volume.grid, "model": own_grid, "none": None}
    done = time.perf_counter()
    return Analysis(
        package=package,
        outputs=outputs,
        record=encoded,
        volume=replace(volume, findings=(*volume.findings, *image.findings)),
        image=image,
        heatmap_grid=own_grid,
        shown_on=shown_on[heatmap],
        heatmap_peak_mm=peak_mm(outputs.heatmap, own_grid),
        on_volume=loaded.do,
        timing_ms=_timing_ms(loaded, outputs, total_s=done - began),
    )


def heatmap_grid(model_grid: Grid, heatmap: Heatmap) -> Grid:
    """Place the network's heatmap in the patient.

    Args:
        model_grid: Where the network's image lies, index (d, h, w) to RAS millimetres.
        heatmap: The manifest's geometry, heatmap index to model-grid index.

    Returns:
        The grid of the heatmap, index (d', h', w') to RAS millimetres.
    """
    to_model = np.array(heatmap.to_model_grid, np.float64)
    return Grid(shape=heatmap.shape, affine=model_grid.affine @ to_model)


def peak_mm(heatmap: Float32[np.ndarray, "D H W"], grid: Grid) -> tuple[float, float, float]:
    """Locate the centre of a heatmap's highest voxel, in RAS millimetres; the first of equals."""
    index = np.unravel_index(int(heatmap.argmax()), heatmap.shape)
    x, y, z, _ = (grid.affine @ np.array([*index, 1.0])).tolist()
    return x, y, z


def _timing_ms(loaded: LoadedCase, outputs: Outputs, total_s: float) -> dict[str, float]:
    """The stages in the order of the contract; loader and predictor know their own, and the heatmap is brought to its grid as it is written."""
    return {
        "read": 1000 * loaded.read_s,
        "resample": 1000 * loaded.resample_s,
        "queue": outputs.queue_ms,
        "inference": outputs.inference_ms,
        "heatmap": 0.0,
        "total": 1000 * total_s,
    }
