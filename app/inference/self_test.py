"""The package's own example, made where it is exported and repeated where it is served."""

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import JsonValue

from app.imaging.load import Loader, load_case
from app.inference.case import Analysis, analyse
from app.inference.predictor import Predictor
from app.model_package.golden import GoldenCase, check, read_golden_case
from app.model_package.package import Package

PROBABILITY_TOLERANCE = 1e-3
"""Between execution providers in float32; between PyTorch and the graph the exporter asks for 1e-4."""


def self_test(predictor: Predictor, loader: Loader = load_case) -> Analysis:
    """Run the golden case of a package and compare the answer with the stored one.

    Args:
        predictor: The package, on the session that is to serve it.
        loader: Where its image is read; who asks again and again may remember it.

    Returns:
        The answer, whose timings are those of a first request.

    Raises:
        GoldenMismatchError: The answer differs; the package must not be served on this provider.
        PackageInvalidError: The golden case cannot be read.
        NeuroFuseError: The case could not be answered.
    """
    case = read_golden_case(predictor.package)
    analysis = analyse(case.paths(predictor.package), case.record, predictor, heatmap="none", loader=loader)
    outputs = analysis.outputs
    check(case, outputs.probabilities, outputs.favourable, analysis.heatmap_peak_mm)
    return analysis


def make_golden_case(
    predictor: Predictor,
    images: Sequence[str],
    record: Mapping[str, JsonValue],
    tolerance: float = PROBABILITY_TOLERANCE,
) -> GoldenCase:
    """Answer a case from raw files and keep the answer as the package's golden case.

    Args:
        predictor: A sealed package that has no golden case yet.
        images: Names of files that lie in the package's `golden/` already.
        record: As a client would send it.
        tolerance: Largest difference allowed in a probability.

    Returns:
        The case; write it to `golden/case.json` and seal the package again.
    """
    package = predictor.package
    paths = [package.golden_folder / name for name in images]
    analysis = analyse(paths, record, predictor, heatmap="none")
    return GoldenCase(
        images=tuple(images),
        record=dict(record),
        task=package.manifest.task,
        probabilities=analysis.outputs.probabilities,
        favourable=analysis.outputs.favourable,
        heatmap_peak_mm=analysis.heatmap_peak_mm,
        tolerance=tolerance,
        peak_tolerance_mm=_voxel_diagonal_mm(package),
    )


def _voxel_diagonal_mm(package: Package) -> float:
    """Distance from a heatmap voxel to its neighbour across the corner: as far as rounding may move a peak."""
    to_model = np.array(package.manifest.outputs.heatmap.to_model_grid, np.float64)[:3, :3]
    step_mm = np.array(package.manifest.image.spacing_mm) * to_model.sum(axis=1)
    return float(np.linalg.norm(step_mm))
