"""What differs between heads: drawn once per phantom, the brain's part from the age."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SkullTraits:
    """What differs between heads.

    Attributes:
        vault_mm: Thickness of the vault.
        scalp_mm: Thickness of the scalp.
        fat: Share of fat in the soft tissue's balance, about -1 (lean) to 1.
        frontal_sinus: Size relative to the average; 0 where it never grew.
        mastoid_air: How far air cells reach, about -1 (sclerotic) to 1.
        opacified: Whether the sinuses hold fluid.
        table_hu: Density of compact bone.
        diploe_hu: Density of the spongy layer.
        muscle_hu: Density of muscle and skin.
    """

    vault_mm: float
    scalp_mm: float
    fat: float
    frontal_sinus: float
    mastoid_air: float
    opacified: bool
    table_hu: float
    diploe_hu: float
    muscle_hu: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "SkullTraits":
        """One head."""
        return cls(
            vault_mm=float(np.clip(rng.normal(6.3, 1.3), 3.5, 10)),
            scalp_mm=float(np.clip(rng.normal(6.5, 1.5), 3.5, 11)),
            fat=float(rng.uniform(-1, 1)),
            frontal_sinus=float(rng.choice([0.0, 1.0], p=[0.1, 0.9]) * rng.uniform(0.5, 1.4)),
            mastoid_air=float(rng.uniform(-1, 1)),
            opacified=bool(rng.random() < 0.15),  # noqa: PLR2004
            table_hu=float(rng.uniform(1000, 1700)),
            diploe_hu=float(rng.uniform(350, 950)),
            muscle_hu=float(rng.uniform(44, 72)),
        )


@dataclass(frozen=True)
class BrainTraits:
    """What differs between brains.

    Attributes:
        ventricle_scale: Width of the ventricles relative to the average of middle age.
        sulcus_mm: Width of the sulci at the surface.
        fissure_mm: Width of the Sylvian fissures and of the gap between brain and skull.
        leukoaraiosis_hu: Drop around the ventricles.
        grey_hu: Density of the cortex and the nuclei.
        white_hu: Density of white matter.
        csf_hu: Density of the fluid.
        dura_hu: Density of falx, tentorium and venous blood.
    """

    ventricle_scale: float
    sulcus_mm: float
    fissure_mm: float
    leukoaraiosis_hu: float
    grey_hu: float
    white_hu: float
    csf_hu: float
    dura_hu: float

    @classmethod
    def draw(cls, age: float, rng: np.random.Generator) -> "BrainTraits":
        """One brain; fluid spaces widen with age, faster after sixty."""
        decades = (age - 50) / 10
        atrophy = float(
            np.clip(0.10 * decades + 0.04 * max(decades - 1, 0) ** 2 + rng.normal(0, 0.12), -0.4, 1.4)
        )
        grey = float(rng.normal(36.5, 2.5))
        return cls(
            ventricle_scale=float(np.clip((1 + 0.55 * atrophy) * np.exp(rng.normal(0, 0.12)), 0.5, 2.1)),
            sulcus_mm=float(np.clip(1.3 + 1.4 * atrophy + rng.normal(0, 0.25), 0.3, 4.0)),
            fissure_mm=float(np.clip(1.6 + 2.0 * atrophy + rng.normal(0, 0.4), 0.4, 5.5)),
            leukoaraiosis_hu=float(np.clip(2.0 + 5.0 * atrophy + rng.normal(0, 2), 0, 11)),
            grey_hu=grey,
            white_hu=grey - float(rng.uniform(5.0, 9.5)),
            csf_hu=float(rng.uniform(3, 11)),
            dura_hu=float(rng.uniform(42, 66)),
        )
