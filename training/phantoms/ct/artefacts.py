"""What the scanner adds: shading by hard rays, streaks at the base, quantum noise with the kernel's grain, the holder."""

import numpy as np
from jaxtyping import Float32
from scipy.ndimage import gaussian_filter

from training.phantoms.ct.raster import Raster
from training.phantoms.ct.shapes import Points
from training.phantoms.scanner import Acquisition

Field = Float32[np.ndarray, "..."]


def shading(p: Points, cavity: Field, streaks: Field, rng: np.random.Generator) -> Field:
    """Beam hardening inside the skull, HU: bright under the vault, dark bands between the petrous bones.

    Args:
        p: Positions in the head frame, mm.
        cavity: Depth below the inner table, mm.
        streaks: Smooth noise at the points.
        rng: Source of the strengths.
    """
    rim, dark, stripes = rng.uniform(0, 9), rng.uniform(0, 14), rng.uniform(1, 9)
    cap = np.exp(np.minimum(-cavity, 0) / np.float32(4.5)) * np.float32(rim)
    base = np.exp(-np.square((p.z + 38) / 13))
    between = base * np.exp(-np.square((p.y + 28) / 11) - np.square(p.x / 38))
    tilt = np.float32(rng.normal(0, 0.02)) * p.x + np.float32(rng.normal(0, 0.02)) * p.y
    return np.asarray(
        cap - np.float32(dark) * between + np.float32(stripes) * base * streaks + tilt, np.float32
    )


def quantum_noise(acquisition: Acquisition, shape: tuple[int, int], rng: np.random.Generator) -> Field:
    """One slice of noise of unit variance with the grain of the kernel.

    Args:
        acquisition: Its blur decides the grain.
        shape: Pixels (i, j).
        rng: Source.
    """
    sigma = 0.42 * acquisition.blur_mm / acquisition.pixel_spacing_mm
    white = rng.standard_normal(shape, dtype=np.float32)
    if sigma < 0.2:  # noqa: PLR2004 - narrower than a pixel: nothing to smooth
        return white
    grain = gaussian_filter(white, sigma, truncate=2.5)
    return np.asarray(grain / np.float32(grain.std()), np.float32)


def noise_scale(p: Points, cavity: Field, raster: Raster) -> Float32[np.ndarray, "K A B"]:
    """Noise relative to mid-brain at the nodes: more at the base where rays cross most bone, least in air."""
    base = 1 + 0.7 * np.exp(-np.square((p.z + 42) / 22))
    inside = np.clip((cavity + 30) / 40, 0.45, 1)
    return raster.middle(np.asarray(base * inside, np.float32))


def holder_hu(acquisition: Acquisition, rng: np.random.Generator) -> Field:
    """HU above air of head holder and cushion, the same in all slices, [I, J]; zeros without a holder."""
    size = acquisition.matrix
    if not acquisition.holder:
        return np.zeros((size, size), np.float32)
    along = (np.arange(size, dtype=np.float32) - np.float32((size - 1) / 2)) * np.float32(
        acquisition.pixel_spacing_mm
    )
    x, y = -along[:, None], -along[None, :]  # Left and Posterior grow with i and j
    width, depth, middle = rng.uniform(88, 104), rng.uniform(100, 125), rng.uniform(-5, 12)
    power = rng.uniform(2.2, 5)
    radius = (np.abs(x / width) ** power + np.abs((y - middle) / depth) ** power) ** (1 / power)
    distance = np.abs(radius - 1) * width
    cut = rng.uniform(-20, 45)
    shell = np.clip(rng.uniform(0.8, 2.0) - distance + 0.5, 0, 1) * rng.uniform(500, 1250)
    cushion = (
        np.clip((1 - radius) * width / 3, 0, 1) * np.clip((radius - 0.82) * 30, 0, 1) * rng.uniform(0, 70)
    )
    return np.asarray((shell + cushion) * np.clip((cut - y) / 3, 0, 1), np.float32)
