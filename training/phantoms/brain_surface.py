"""The brain's surface: its smooth hull, and the sulci and fissures that fold it.

A sulcus is where a random smooth field changes sign: its zero set is a family of curved sheets that cut the cortex
as real sulci do. The field is read radially projected onto the hull, so the sheets stand upright on the surface.
"""

from typing import Final

import numpy as np

from training.phantoms.implicit import (
    Field,
    Lattice,
    ellipsoid_depth,
    interpolate,
    smooth_noise,
    tube_depth,
)

Axes = tuple[Field, Field, Field]
COARSE_MM: Final = 2.6
FOLD_WAVELENGTH_MM: Final = 24.0
FLATTEST_SLOPE: Final = 0.12
"""Per mm; keeps a flat stretch of the random field from becoming a very thick gyrus or a wide sulcus."""
FOLIA: Final = 44
CENTRE: Final = (0.0, -16.0, 8.0)


def hull_depth(axes: Axes) -> Field:
    """Depth below the smooth surface of cerebrum, cerebellum and brainstem together."""
    return np.asarray(
        np.maximum.reduce([cerebrum_depth(axes), cerebellum_depth(axes), brainstem_depth(axes)]), np.float32
    )


def cerebrum_depth(axes: Axes) -> Field:
    """Depth below the smooth hull of both hemispheres with their temporal lobes."""
    x, _, z = axes
    upper = ellipsoid_depth(axes, (0, -16, 12), (69, 88, 68))
    temporal = ellipsoid_depth((np.abs(x), axes[1], z), (44, -10, -22), (23, 46, 23))
    return np.asarray(np.maximum(np.minimum(upper, z - _floor(axes[1])), temporal), np.float32)


def cerebellum_depth(axes: Axes) -> Field:
    """Depth below the smooth hull of the cerebellum, which ends at the tentorium."""
    below = _floor(axes[1]) - np.float32(2.5) - axes[2]
    return np.asarray(np.minimum(ellipsoid_depth(axes, (0, -63, -38), (50, 31, 26)), below), np.float32)


def brainstem_depth(axes: Axes) -> Field:
    """Depth below the surface of midbrain, pons, medulla and upper cord."""
    pons = tube_depth(axes, ((0, -20, -6), (0, -26, -32)), (13.0, 14.5))
    medulla = tube_depth(axes, ((0, -30, -36), (0, -44, -66)), (12.0, 7.0))
    cord = tube_depth(axes, ((0, -44, -66), (0, -48, -160)), (6.5, 5.5))
    return np.asarray(np.maximum.reduce([pons, medulla, cord]), np.float32)


def folded_depth(lattice: Lattice, thinning: float, rng: np.random.Generator) -> Field:
    """Depth below the folded surface of the whole brain, mm; negative in CSF.

    Args:
        lattice: A lattice around the brain.
        thinning: `Atrophy.cortical_thinning`; widens every sulcus and draws the hull from the skull.
        rng: Source of the folds.
    """
    high = tuple(
        start + (n - 1) * lattice.step for start, n in zip(lattice.origin, lattice.shape, strict=True)
    )
    coarse = Lattice.covering(lattice.origin, (high[0], high[1], high[2]), COARSE_MM)
    axes = coarse.axes()
    hull = interpolate(cerebrum_depth(axes), coarse, lattice)
    sulcus = np.abs(interpolate(_fold_field(coarse, rng), coarse, lattice))
    sulcus += interpolate(_unfolded(coarse, rng), coarse, lattice)
    cerebrum = np.minimum(hull - 0.7 * thinning, sulcus - (0.25 + 0.75 * thinning))
    for fissure, width in (
        (_midline(lattice, rng), 0.5 + 0.4 * thinning),
        (_sylvian(lattice), 0.8 + 0.6 * thinning),
    ):
        np.minimum(cerebrum, fissure - np.float32(width), out=cerebrum)
    cerebellum = _folia(lattice, interpolate(cerebellum_depth(axes), coarse, lattice))
    # The brainstem is white up to its surface: three times the depth takes its rim past the cortex.
    stem = 3 * interpolate(brainstem_depth(axes), coarse, lattice)
    return np.asarray(np.maximum(np.maximum(cerebrum, cerebellum), stem), np.float32)


def _floor(y: Field) -> Field:
    """Height of the skull base in front and of the tentorium behind."""
    return np.asarray(np.minimum(-24 + 0.4 * np.maximum(-y - 15, 0), -9).astype(np.float32), np.float32)


def _fold_field(coarse: Lattice, rng: np.random.Generator) -> Field:
    """Signed distance to the nearest sulcal sheet, roughly mm."""
    offsets = [axis - np.float32(c) for axis, c in zip(coarse.axes(), CENTRE, strict=True)]
    radius = np.sqrt(offsets[0] ** 2 + offsets[1] ** 2 + (1.2 * offsets[2]) ** 2)
    outward = (np.maximum(radius, 20) / 75) ** np.float32(-0.8)
    positions = [offset * outward + np.float32(c) for offset, c in zip(offsets, CENTRE, strict=True)]
    noise = smooth_noise(coarse, FOLD_WAVELENGTH_MM, rng, positions)
    slopes = np.gradient(noise, coarse.step)
    steepness = np.sqrt(slopes[0] ** 2 + slopes[1] ** 2 + slopes[2] ** 2)
    return np.asarray(noise / np.maximum(steepness, FLATTEST_SLOPE), np.float32)


def _unfolded(coarse: Lattice, rng: np.random.Generator) -> Field:
    """Distance into what sulci do not reach: deep white matter, and the middle of the base with its nuclei."""
    axes = coarse.axes()
    reach = np.float32(rng.uniform(15, 19)) + np.float32(4) * smooth_noise(coarse, 45.0, rng)
    core = ellipsoid_depth(axes, (0, -14, -6), (38, 46, 26))
    return np.asarray(np.maximum(np.maximum(cerebrum_depth(axes) - reach, core), 0), np.float32)


def _midline(lattice: Lattice, rng: np.random.Generator) -> Field:
    """Distance to the interhemispheric fissure, which ends above the corpus callosum."""
    x, y, z = lattice.axes()
    phase, height = rng.uniform(0, 2 * np.pi), rng.uniform(0, 1.5)
    bend = np.float32(height) * np.sin(y / np.float32(18) + z / np.float32(30) + np.float32(phase))
    callosum = np.sqrt(((y + 10) / 44) ** 2 + ((z - 6) / 24) ** 2)
    return np.asarray(np.abs(x - bend) + 24 * np.maximum(1.0 - callosum, 0).astype(np.float32), np.float32)


def _sylvian(lattice: Lattice) -> Field:
    """Distance to the fissure between temporal lobe and the lobes above it, both sides."""
    x, y, z = lattice.axes()
    height = np.abs(z - (-4 + 0.22 * (-y)))
    ends = np.maximum(np.abs(y + 8) - 30, 0) + 0.5 * np.maximum(y - 5, 0)
    return np.asarray((height + ends).astype(np.float32) + np.maximum(36 - np.abs(x), 0), np.float32)


def _folia(lattice: Lattice, hull: Field) -> Field:
    """Depth in the cerebellum, whose leaves fan out around its core; doubled, as its coat is half as thick."""
    window, where = lattice.window((-55, -98, -70), (55, -28, -5))
    x, y, z = window.axes()
    dy, dz = y + 48, z + 36
    angle = np.arctan2(dz, dy) + np.float32(0.012) * np.abs(x)
    spacing = np.sqrt(dy**2 + dz**2) * np.float32(2 / FOLIA)
    leaf = np.abs(np.sin(np.float32(FOLIA / 2) * angle)) * spacing
    inner = hull[where]
    depth = 2 * hull
    depth[where] = 2 * np.minimum(inner, leaf + np.maximum(inner - 11, 0) - np.float32(0.2))
    return depth
