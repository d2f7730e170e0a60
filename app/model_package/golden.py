"""The golden case: one image and record inside the package, with the answer that the package must give to them.

It is run on the machine and the execution provider that will serve (`app.inference.self_test`): a package is ready
only after it has answered as it did where it was made.
"""

import math
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, JsonValue, PositiveFloat, ValidationError

from app.errors import GoldenMismatchError, PackageInvalidError
from app.model_package.manifest import Probability, Task
from app.model_package.package import GOLDEN_CASE, Package

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]


class GoldenCase(BaseModel):
    """A case and its answer, `golden/case.json`.

    Attributes:
        images: Names of the image files in `golden/`: one NIfTI, or the files of a DICOM series.
        record: The record as a client would send it.
        task: The package's task.
        probabilities: Expected probability of each class.
        favourable: Expected probability of the favourable outcome; null where the package has none.
        heatmap_peak_mm: Centre of the heatmap's highest voxel, RAS millimetres.
        tolerance: Largest difference allowed in a probability.
        peak_tolerance_mm: Largest distance allowed of the peak; a heatmap voxel, since rounding may let a neighbour win.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    images: tuple[FileName, ...] = Field(min_length=1)
    record: dict[str, JsonValue]
    task: Task
    probabilities: dict[str, Probability]
    favourable: Probability | None
    heatmap_peak_mm: tuple[float, float, float]
    tolerance: PositiveFloat
    peak_tolerance_mm: PositiveFloat

    def paths(self, package: Package) -> list[Path]:
        """Locate the images of the case in its package."""
        return [package.golden_folder / name for name in self.images]


def read_golden_case(package: Package) -> GoldenCase:
    """Read the golden case of a package.

    Raises:
        PackageInvalidError: It breaks the format, or an image is not in the package.
    """
    try:
        case = GoldenCase.model_validate_json((package.path / GOLDEN_CASE).read_bytes())
    except (OSError, ValidationError) as error:
        raise PackageInvalidError(f"{GOLDEN_CASE} cannot be read as a golden case") from error
    absent = [path.name for path in case.paths(package) if not path.is_file()]
    if absent or case.task != package.manifest.task:
        raise PackageInvalidError(f"{GOLDEN_CASE} is of another task, or its images are absent: {absent}")
    return case


def check(
    case: GoldenCase,
    probabilities: dict[str, float],
    favourable: float | None,
    peak_mm: tuple[float, float, float],
) -> None:
    """Compare an answer with the stored one.

    Args:
        case: The golden case.
        probabilities: Answer of this machine, by class label.
        favourable: Its probability of the favourable outcome, None where the package has none.
        peak_mm: RAS millimetres of the heatmap's highest voxel on this machine.

    Raises:
        GoldenMismatchError: A class, a probability or the peak differs by more than the case allows.
    """
    found, expected = _answer(probabilities, favourable), _answer(case.probabilities, case.favourable)
    if found.keys() != expected.keys():
        raise GoldenMismatchError(
            f"the golden case expects {sorted(expected)}, the model gave {sorted(found)}"
        )
    worst = float(np.max([abs(found[name] - expected[name]) for name in expected]))
    distance = math.dist(peak_mm, case.heatmap_peak_mm)
    # NaN compares false with everything: ask for agreement, not for the absence of disagreement.
    if not (worst <= case.tolerance and distance <= case.peak_tolerance_mm):
        raise GoldenMismatchError(
            f"the golden case differs by {worst:.2g} in probability (allowed {case.tolerance:.2g}) and {distance:.3g} mm "
            f"in the heatmap's peak (allowed {case.peak_tolerance_mm:.3g}); do not serve this package on this provider"
        )


def _answer(probabilities: dict[str, float], favourable: float | None) -> dict[str, float]:
    return probabilities if favourable is None else probabilities | {"favourable": favourable}
