"""The brain and its fluid spaces as depth functions: ventricles, cisterns, sulci, grey nuclei, dura, venous sinuses.

Positions are those of an average brain in the MNI frame, read off atlases; every case bends them by smooth noise.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from training.phantoms.ct.noise import Noise, Waves
from training.phantoms.ct.shapes import Points, oval, tube, union
from training.phantoms.ct.traits import BrainTraits
from training.phantoms.haemorrhage import Push

Field = Float32[np.ndarray, "..."]
SULCUS_WAVELENGTH_MM = 26.0
INNER_FACE_MM = 20.0
SULCUS_MM = SULCUS_WAVELENGTH_MM / (2 * np.pi)
"""Noise divided by its typical slope is a distance near its zero crossings."""


@dataclass(frozen=True)
class BrainFields:
    """At the nodes; depths in mm, positive inside.

    Attributes:
        ventricles: Lateral, third and fourth ventricle.
        fluid: Any fluid but the sulci: ventricles, cisterns, fissures, the gap below the skull.
        sulcus: Signed distance from the middle of the nearest sulcus, mm.
        sulcus_half: Half the width of the sulcus, mm; negative where there is none.
        ribbon: How far from a sulcus' middle the cortex reaches, mm; negative where there is none.
        nuclei: Inside the basal ganglia, the thalami or the cerebellar cortex, or near the surface of the brain.
        midline: Signed distance from the falx, mm.
        falx: Inside the plane region of the falx (depth within the plane), mm.
        fissure: Half the width of the gap between the hemispheres, mm; negative where there is none.
        tent: Height above the tentorium, mm.
        dense: Inside the venous sinuses.
        periventricular: Weight 0 to 1 of the white matter around the ventricles.
        surface: Depth below the brain's surface, mm.
    """

    ventricles: Field
    fluid: Field
    sulcus: Field
    sulcus_half: Field
    ribbon: Field
    nuclei: Field
    midline: Field
    falx: Field
    fissure: Field
    tent: Field
    dense: Field
    periventricular: Field
    surface: Field


def brain_fields(push: Push, cavity: Field, traits: BrainTraits, noise: Noise, folding: Waves) -> BrainFields:
    """Everything inside the inner table.

    Args:
        push: Positions as they were before the bleed, bent by the case's own shape, and how fluid spaces narrowed.
        cavity: Depth below the inner table, mm.
        traits: What differs between brains.
        noise: Source of irregular fields at the same points.
        folding: Its zero crossings are the sulci.
    """
    p, squeeze = push.before, push.squeeze_mm
    m = p.mirrored
    ventricles = _ventricles(p, m, traits, noise) - squeeze
    surface = cavity - np.maximum(_subdural_gap(p, traits, noise) - squeeze, np.float32(0.2))
    tent = tentorium_height(p)
    sulcus, half, ribbon = _sulci(
        p, surface, tent, traits, folding.at(_radial(p)) + 0.25 * noise(13), noise(40)
    )
    falx, fissure = _midline_sheets(p, cavity, tent, traits)
    spaces = union(_cisterns(p, m, traits, noise), _sylvian(m, traits, noise)) - np.float32(0.7) * squeeze
    fluid = union(ventricles, spaces, -surface)
    cortex_reach = np.float32(3.4) - surface
    return BrainFields(
        ventricles=ventricles,
        fluid=fluid,
        sulcus=sulcus,
        sulcus_half=half - np.float32(0.4) * squeeze,
        ribbon=ribbon,
        nuclei=union(_nuclei(m), cortex_reach, _folia(p, tent, noise)),
        midline=p.x,
        falx=falx,
        fissure=fissure,
        tent=tent,
        dense=_venous_sinuses(p, m, cavity),
        periventricular=np.exp(-np.square(np.minimum(ventricles + 1, 0) / np.float32(9))),
        surface=surface,
    )


def tentorium_height(p: Points) -> Field:
    """Height above the tentorium, mm: a tent whose ridge falls from the incisura to the back of the skull.

    What lies in front of the petrous ridges and the clivus counts as above.
    """
    aside = np.abs(p.x)
    front = p.y + np.float32(2) + np.float32(0.85) * np.clip(aside - 12, 0, 42)
    ridge = np.float32(4) + np.float32(0.24) * (np.clip(p.y, -110, -20) + 45)
    sides = np.float32(0.36) * np.sqrt(p.x * p.x + 36)
    return np.asarray(np.maximum(p.z - (ridge - sides), front), np.float32)


def _ventricles(p: Points, m: Points, traits: BrainTraits, noise: Noise) -> Field:
    """Lateral, third and fourth ventricle."""
    size = traits.ventricle_scale
    lateral = union(
        tube(m, ((8.0, 30, 3), (10.5, 12, 17)), (3.4 * size, 5.0 * size)),
        tube(m, ((10.5, 12, 18), (17, -28, 23)), (5.0 * size, 4.6 * size)),
        tube(m, ((17, -28, 22), (26, -45, 12)), (5.0 * size, 7.0 * size)),
        tube(m, ((26, -45, 11), (23, -76, 7)), (5.5 * size, 2.0 * size)),
        tube(m, ((27, -43, 8), (36, -26, -11)), (4.0 * size, 2.2 * size)),
        tube(m, ((36, -26, -11), (30, -6, -20)), (2.2 * size, 2.4 * size)),
    )
    # The septum between the frontal horns, the corpus callosum above.
    lateral = np.minimum(lateral, np.abs(p.x) - np.float32(0.7)) + 0.9 * noise(24)
    third = oval(p, (0, -13, 2), (1.2 + 1.9 * size, 17, 12))
    fourth = oval(p, (0, -48, -33), (7.5 * size**0.5, 6.0 * size**0.5, 12))
    return union(lateral, third, fourth)


def _subdural_gap(p: Points, traits: BrainTraits, noise: Noise) -> Field:
    """Fluid between brain and skull, mm; widest over the frontal lobes."""
    frontal = np.clip((p.y + 10) / 80, 0, 1)
    gap = traits.fissure_mm * (0.35 + 0.4 * frontal + 0.3 * noise(50))
    return np.asarray(gap, np.float32)


def _sylvian(m: Points, traits: BrainTraits, noise: Noise) -> Field:
    """The lateral fissure with the plane of the insula."""
    width = traits.fissure_mm
    ramps = union(
        tube(m, ((24, 6, -17), (42, 10, -9)), (0.8 + 0.7 * width, 0.8 + 0.8 * width)),
        tube(m, ((44, 14, -4), (47, -18, 10)), (0.8 + 0.9 * width, 0.6 + 0.8 * width)),
        tube(m, ((46, 8, 0), (68, 2, -2)), (0.6 + 0.9 * width, 0.8 + 0.9 * width)),
        tube(m, ((47, -18, 10), (66, -32, 18)), (0.6 + 0.8 * width, 0.6 + 0.7 * width)),
        tube(m, ((44, 20, 4), (58, 30, 10)), (0.5 + 0.7 * width, 0.3 + 0.5 * width)),
        oval(m, (42, -2, 3), (0.8 + 0.9 * width, 25, 14)),
    )
    return np.asarray(ramps + 1.6 * noise(15) - np.float32(0.9), np.float32)


def _cisterns(p: Points, m: Points, traits: BrainTraits, noise: Noise) -> Field:
    """Fluid around the brainstem and below the cerebellum."""
    extra = traits.fissure_mm - 1.6
    midbrain = oval(p, (0, -24, -10), (18 + 0.5 * extra, 17 + 0.5 * extra, 16))
    stem = union(oval(p, (0, -25, -10), (15.5, 13.5, 24)), oval(p, (0, -29, -32), (17, 13, 17)))
    # Open behind and beside the midbrain, closed here and there by what lies against it.
    around = np.minimum(midbrain, -stem) + 1.4 * noise(22) - np.float32(0.5)
    return union(
        oval(p, (0, 3, -17), (13 + extra, 10, 6)),
        tube(m, ((9, 6, -17), (24, 9, -17)), (3.2, 1.5)),
        around,
        oval(p, (0, -39, -1), (11 + extra, 4.5 + 0.5 * extra, 7)),
        np.minimum(oval(p, (0, -12, -36), (18, 5.5, 22)), -stem),
        tube(m, ((16, -18, -38), (30, -26, -40)), (3.2, 2.2)),
        oval(p, (0, -80, -62), (13 + extra, 12, 8 + extra)),
        np.minimum(
            oval(p, (0, -46, -64), (22, 16, 16)), -tube(p, ((0, -36, -40), (0, -48, -95)), (8.5, 5.5))
        ),
        np.minimum(-70 - p.z, -tube(p, ((0, -40, -60), (0, -54, -150)), (6.5, 5.0))),
    )


def _radial(p: Points) -> Points:
    """Points pulled to one sphere: a field read there hardly changes with depth, so its folds stand upright."""
    radius = np.sqrt(p.x * p.x + (p.y + 18) ** 2 + p.z * p.z) + 1
    pull = (np.float32(75) / radius) ** np.float32(0.75)
    return Points(p.x * pull, (p.y + 18) * pull, p.z * pull)


def _sulci(
    p: Points, surface: Field, tent: Field, traits: BrainTraits, folds: Field, uneven: Field
) -> tuple[Field, Field, Field]:
    """Folded sheets of fluid that stand on the surface of the hemispheres and end in its depth."""
    # The hemispheres' inner faces are folded too, but not deep enough to reach the ventricles.
    aside = np.abs(p.x)
    from_surface = np.minimum(surface, aside + 3 + 30 * (aside > INNER_FACE_MM))
    reach = np.where(tent > 0, 1 - from_surface / np.maximum(17 + 6 * uneven, 6), -1)
    half = np.where(reach > 0, 0.5 * traits.sulcus_mm * np.minimum(0.35 + reach, 1), 2.5 * reach)
    ribbon = np.where(reach > 0, 3.2 + half, 3.2 + 30 * reach)
    sulcus = np.float32(SULCUS_MM) * folds
    return sulcus, np.asarray(half, np.float32), np.asarray(ribbon, np.float32)


def _midline_sheets(p: Points, cavity: Field, tent: Field, traits: BrainTraits) -> tuple[Field, Field]:
    """Extent of the falx inside the midline plane, and the half width of the fissure there."""
    callosum = np.sqrt(np.square((p.y + 8) / 42) + np.square((p.z - 4) / 25))
    outside = (callosum - 1) * np.float32(30)
    falx = np.minimum(outside - 6 - np.clip(p.y, -20, 60) * np.float32(0.3), tent)
    open_mm = np.float32(0.35 + 0.33 * traits.fissure_mm) + np.float32(0.012) * np.clip(p.y + 20, 0, 80)
    near_vault = np.clip(1 - cavity / 40, 0, 1) * np.float32(0.4)
    fissure = np.where(np.minimum(outside, tent) > 0, open_mm + near_vault, np.float32(-1))
    return falx.astype(np.float32), fissure.astype(np.float32)


def _nuclei(m: Points) -> Field:
    """Putamen, caudate head and body, thalamus, insular cortex."""
    return union(
        oval(m, (27, 3, 2), (5.0, 15, 9)),
        oval(m, (14, 15, 8), (4.5, 8, 9)),
        tube(m, ((15, 6, 17), (21, -20, 22)), (3, 1.5)),
        oval(m, (11, -18, 8), (8, 13, 8)),
        oval(m, (36, 0, 3), (2.4, 19, 11)),
        oval(m, (26, -18, -17), (6, 16, 5)),
    )


def _folia(p: Points, tent: Field, noise: Noise) -> Field:
    """Cerebellar cortex: grey nearly everywhere, white in the middle of each hemisphere."""
    core = oval(p.mirrored, (22, -58, -36), (13, 13, 8))
    grey = -core + 2.5 * noise(16)
    stem = oval(p, (0, -27, -28), (21, 17, 36))
    return np.asarray(np.minimum(np.minimum(grey, -tent), -stem), np.float32)


def _venous_sinuses(p: Points, m: Points, cavity: Field) -> Field:
    """Superior sagittal, straight, transverse and sigmoid sinus."""
    wedge = np.minimum(np.float32(5) - np.abs(p.x) * np.float32(1.2) - cavity, cavity + 1)
    above = np.maximum(p.z - 20, -p.y - 80)
    return union(
        np.minimum(wedge, above),
        tube(p, ((0, -46, 6), (0, -94, -10)), (1.8, 2.4)),
        tube(m, ((2, -99, -14), (50, -76, -22)), (4.0, 3.6)),
        tube(m, ((50, -76, -22), (54, -48, -42)), (3.6, 3.6)),
    )
