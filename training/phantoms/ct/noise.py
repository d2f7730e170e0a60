"""Smooth random fields as sums of plane waves: anywhere in space, and nearly free on a lattice.

On a lattice a plane wave is the product of three one-dimensional waves, so that a whole field is one matrix product.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float32, Float64

from training.phantoms.ct.shapes import Points

Field = Float32[np.ndarray, "..."]
WAVES = 28
"""Enough for a sum that looks random and is near to Gaussian."""
BAND = (0.6, 1.45)
"""Range of the waves' frequencies relative to the one asked for."""


class Noise(Protocol):
    """Smooth noise of unit variance on a fixed set of points; every call draws a new field."""

    def __call__(self, wavelength_mm: float) -> Field:
        """A field whose crests are about `wavelength_mm` apart."""
        ...


@dataclass(frozen=True)
class Waves:
    """A random field of unit variance, zero mean and one typical wavelength.

    Attributes:
        vectors: [M, 3] radians per mm.
        phases: [M] radians.
    """

    vectors: Float64[np.ndarray, "M 3"]
    phases: Float64[np.ndarray, " M"]

    @classmethod
    def draw(cls, rng: np.random.Generator, wavelength_mm: float) -> "Waves":
        """A field whose crests are about `wavelength_mm` apart in any direction."""
        directions = rng.normal(size=(WAVES, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        frequency = 2 * np.pi / wavelength_mm * rng.uniform(*BAND, (WAVES, 1))
        return cls(directions * frequency, rng.uniform(0, 2 * np.pi, WAVES))

    def at(self, p: Points) -> Field:
        """The field at scattered points."""
        total = np.zeros_like(p.x)
        for (a, b, c), phase in zip(
            self.vectors.astype(np.float32), self.phases.astype(np.float32), strict=True
        ):
            angle = a * p.x
            angle += b * p.y
            angle += c * p.z
            angle += phase
            total += np.cos(angle, out=angle)
        total *= np.float32(np.sqrt(2 / WAVES))
        return total

    def on_lattice(
        self,
        origins: Float64[np.ndarray, "S 3"],
        along_a: Float64[np.ndarray, "A 3"],
        along_b: Float64[np.ndarray, "B 3"],
    ) -> Float32[np.ndarray, "S A B"]:
        """The field at origins[s] + along_a[a] + along_b[b]."""
        # exp(i (u + v + w)) = exp(iu) exp(iv) exp(iw): no cosine is taken of a point of the lattice.
        starts = np.exp(1j * (origins @ self.vectors.T + self.phases)).astype(np.complex64)
        rows = np.exp(1j * (along_a @ self.vectors.T)).astype(np.complex64)
        columns = np.exp(-1j * (along_b @ self.vectors.T)).astype(np.complex64)
        left = starts[:, None] * rows[None]  # [S, A, M]
        # The real part of a sum of products is one real matrix product of the interleaved parts.
        total = left.view(np.float32) @ columns.view(np.float32).T
        total *= np.float32(np.sqrt(2 / WAVES))
        return np.asarray(total, np.float32)
