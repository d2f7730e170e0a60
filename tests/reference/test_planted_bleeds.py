"""Carrying over to reality: bleeds planted into a real head CT are found, and larger ones lower the favourable outcome.

The network has seen phantoms only. The image is real (28 slices, tilted gantry, uneven gaps, calcifications, an old
infarct, a head holder); the bleed is the generator's, since no real haemorrhage in HU may be redistributed.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import Float64
from scipy import ndimage

from app.ehr.encode import encode
from app.imaging.read import read_image
from app.imaging.resample import sample_on_grid, to_model_grid
from app.imaging.volume import Grid, Modality, Volume
from app.inference.case import heatmap_grid, peak_mm
from app.inference.predictor import Predictor
from training.phantoms.haemorrhage import Haemorrhage
from training.phantoms.planting import plant_haemorrhage

VOLUMES_ML = (5.0, 20.0, 60.0)
PLACES = 4
RECORD = {"age": 66, "sex": "male", "gcs": 12}
pytestmark = [pytest.mark.slow]


@dataclass(frozen=True)
class Answer:
    """What the model said of one planted bleed."""

    place: int
    volume_ml: float
    favourable: float
    inside: bool


@pytest.fixture(scope="module")
def answers(gos: Predictor, samples: Path) -> list[Answer]:
    volume = read_image(sorted((samples / "ct-head-ge").iterdir()), modality=Modality.CT)
    places = places_in_the_brain(volume, gos)
    return [
        answer(gos, volume, place, places[place], volume_ml)
        for place in range(PLACES)
        for volume_ml in VOLUMES_ML
    ]


def places_in_the_brain(volume: Volume, predictor: Predictor) -> list[Float64[np.ndarray, "3"]]:
    """World positions with 10 mm of brain (15 to 50 HU) around, spread over the upper 90 mm of the head."""
    image = to_model_grid(volume, predictor.package.manifest.image)
    brain = ndimage.binary_opening((image.array > 15) & (image.array < 50), iterations=1)
    deep = ndimage.binary_erosion(brain, np.ones((3, 7, 7), dtype=bool))
    depth = image.array.shape[0]
    deep[: depth - 18] = False  # skull base, face and neck
    rng = np.random.default_rng(1)
    cells = rng.permutation(np.argwhere(deep))[:PLACES]
    return [(image.grid.affine @ [*cell, 1.0])[:3] for cell in cells]


def answer(
    predictor: Predictor, volume: Volume, place: int, centre_mm: Float64[np.ndarray, "3"], volume_ml: float
) -> Answer:
    manifest = predictor.package.manifest
    bleed = Haemorrhage("lobar", "left", volume_ml, intraventricular=False)
    x, y, z = centre_mm.tolist()
    planted, mask = plant_haemorrhage(volume, bleed, (x, y, z), np.random.default_rng(place))
    image = to_model_grid(planted, manifest.image)
    outputs = predictor.predict(image.array, encode(RECORD, manifest.ehr))
    peak = peak_mm(outputs.heatmap, heatmap_grid(image.grid, manifest.outputs.heatmap))
    assert outputs.favourable is not None
    return Answer(place, volume_ml, outputs.favourable, inside=covered(volume, mask, np.array(peak)) >= 0.5)


def covered(volume: Volume, mask: np.ndarray, point_mm: Float64[np.ndarray, "3"]) -> float:
    """Share of a 2 mm cube around a point that lies in the mask."""
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = point_mm
    blood = replace(volume, voxels=(mask > 0).astype(np.uint8))
    return float(sample_on_grid(blood, Grid((1, 1, 1), affine), fill=0.0)[0, 0, 0])


def test_the_heatmap_peak_lies_in_the_bleed(answers: list[Answer]) -> None:
    inside = [one.inside for one in answers]
    assert np.mean(inside) >= 0.8, f"{sum(inside)} of {len(inside)}"


def test_the_favourable_outcome_falls_with_volume(answers: list[Answer]) -> None:
    means = [np.mean([one.favourable for one in answers if one.volume_ml == volume]) for volume in VOLUMES_ML]
    assert all(smaller > larger for smaller, larger in pairwise(means)), means
