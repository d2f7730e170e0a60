"""One phantom case from one seed: patient, image, what the record will not say, outcome.

Every case has a seed of its own, so that a cohort does not depend on the order or the number of workers, and each
part of a case has a stream of its own, so that a change to the images leaves patients and outcomes as they were.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from jaxtyping import UInt8

from app.ehr.reference import AD_SCHEMA, GOS_SCHEMA
from app.ehr.schema import EhrSchema
from app.imaging.volume import Volume
from app.model_package.manifest import Task
from training.phantoms import risk_ad, risk_gos
from training.phantoms.brain_anatomy import Atrophy
from training.phantoms.brain_mr import brain_mr
from training.phantoms.haemorrhage import Haemorrhage, Location
from training.phantoms.head_ct import head_ct
from training.phantoms.mr_scanner import draw_mr_acquisition
from training.phantoms.risk import Columns, draw_class, hide_fields
from training.phantoms.scanner import draw_acquisition

_LOCATIONS: Final[tuple[Location, ...]] = ("lobar", "deep", "infratentorial")


@dataclass(frozen=True)
class CaseSeed:
    """Streams of random numbers of one case; equal for equal (seed, index)."""

    patient: np.random.Generator
    missing: np.random.Generator
    scanner: np.random.Generator
    image: np.random.Generator
    outcome: np.random.Generator
    files: np.random.Generator

    @classmethod
    def of(cls, seed: int, index: int) -> "CaseSeed":
        """Streams of case `index` of the cohort `seed`."""
        children = np.random.SeedSequence(seed, spawn_key=(index,)).spawn(6)
        return cls(*(np.random.default_rng(child) for child in children))


@dataclass(frozen=True)
class PhantomCase:
    """A case before it is written.

    Attributes:
        record: Cells of the table by feature; empty where missing.
        outcome: `1`..`5`, or `cn` | `ad`.
        true_probability: Of GOS >= 4 or of `ad`, given everything.
        truths: What the image shows, in numbers and words.
        volume: The image.
        mask: On the image's voxels.
    """

    record: dict[str, str]
    outcome: str
    true_probability: float
    truths: dict[str, str]
    volume: Volume
    mask: UInt8[np.ndarray, "I J K"]


def draw_case(task: Task, seed: CaseSeed) -> PhantomCase:
    """Draws one case of a task."""
    return _DRAW[task](seed)


def _draw_gos(seed: CaseSeed) -> PhantomCase:
    patients = risk_gos.draw_patients(1, seed.patient)
    probabilities = risk_gos.outcome_probabilities(patients)
    side: Literal["left", "right"] = "left" if patients.left[0] else "right"
    location = _LOCATIONS[int(patients.location[0])]
    ventricles = bool(patients.intraventricular[0])
    bleed = Haemorrhage(location, side, float(patients.volume_ml[0]), ventricles)
    phantom = head_ct(bleed, float(patients.record["age"][0]), draw_acquisition(seed.scanner), seed.image)
    truths = {
        "location": location,
        "side": side,
        "volume_ml": _number(bleed.volume_ml),
        "intraventricular": "yes" if ventricles else "no",
        "mask_volume_ml": _number(phantom.truth_volume_ml),
    }
    return PhantomCase(
        record=record_cells(patients.record, GOS_SCHEMA, risk_gos.MISSING_SHARE, seed.missing),
        outcome=str(int(draw_class(probabilities, seed.outcome)[0]) + 1),
        true_probability=float(probabilities[0, 3:].sum()),
        truths=truths,
        volume=phantom.volume,
        mask=phantom.mask,
    )


def _draw_ad(seed: CaseSeed) -> PhantomCase:
    people = risk_ad.draw_patients(1, seed.patient)
    probability = float(risk_ad.ad_probability(people)[0])
    atrophy = Atrophy(
        float(people.hippocampus_z[0]), float(people.ventricle_scale[0]), float(people.cortical_thinning[0])
    )
    phantom = brain_mr(atrophy, draw_mr_acquisition(seed.scanner), seed.image)
    truths = {
        "hippocampus_z": _number(atrophy.hippocampus_z),
        "ventricle_scale": _number(atrophy.ventricle_scale),
        "cortical_thinning": _number(atrophy.cortical_thinning),
        "hippocampus_ml": _number(phantom.hippocampus_ml),
    }
    return PhantomCase(
        record=record_cells(people.record, AD_SCHEMA, risk_ad.MISSING_SHARE, seed.missing),
        outcome="ad" if seed.outcome.random() < probability else "cn",
        true_probability=probability,
        truths=truths,
        volume=phantom.volume,
        mask=phantom.mask,
    )


_DRAW: Final[Mapping[Task, Callable[[CaseSeed], PhantomCase]]] = {"gos": _draw_gos, "ad": _draw_ad}


def record_cells(
    record: Columns, schema: EhrSchema, shares: Mapping[str, float], rng: np.random.Generator
) -> dict[str, str]:
    """The record as the table holds it: numbers in the schema's unit, categories as words, missing as empty."""
    names = tuple(feature.name for feature in schema.features)
    hidden = hide_fields(names, shares, rng)
    cells = {}
    for feature in schema.features:
        value = float(record[feature.name][0])
        text = feature.categories[int(value)] if feature.categories else _number(value)
        cells[feature.name] = "" if hidden[feature.name] else text
    return cells


def _number(value: float) -> str:
    return f"{value:.6g}"
