"""MRI scanners: contrast, coil, noise, scale, lattice and cropping, drawn once per case and known exactly afterwards.

Frames: the head frame is RAS+ mm with its origin near the anterior commissure; the world is RAS+ mm of the scanner.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int16
from scipy.spatial.transform import Rotation

from app.imaging.volume import Grid, Modality, Volume
from training.phantoms.head_tissue import Contrast
from training.phantoms.implicit import Point

HEAD_LOW: Final[Point] = (-88.0, -124.0, -152.0)
HEAD_HIGH: Final[Point] = (88.0, 110.0, 100.0)
"""The box that holds every phantom head, head frame, mm."""
NECK_RANGE_MM: Final = (-145.0, -75.0)
"""Height of the lowest part of the field of view in the head frame."""
THICK_SHARE: Final = 0.2
OBLIQUE_SHARE: Final = 0.5
WATER_EXCITATION_SHARE: Final = 0.3
DEFACED_SHARE: Final = 0.25
STRIPPED_SHARE: Final = 0.08
AXIS_CODES: Final = ("RAS", "LPS", "LAS", "PSR", "PIR", "ASL", "LIP", "RSA")
WHITE_SIGNAL: Final = 500.0
INT16_MAX: Final = 32767
DIRECTIONS: Final = {
    code: sign * np.eye(3)[axis]
    for axis, pair in enumerate(("RL", "AP", "SI"))
    for code, sign in zip(pair, (1.0, -1.0), strict=True)
}
"""Unit vector of each axis code, RAS+."""


@dataclass(frozen=True)
class MrAcquisition:
    """How one scanner looks at a head.

    Attributes:
        contrast: Signal of the tissues.
        spacing_mm: Of the voxels along the stored axes i, j, k.
        axis_codes: Direction of the stored axes, such as `LPS`.
        tilt: Rotation of the lattice against those axes (oblique acquisition), rotation vector in radians.
        pose: Rotation of the head against the scanner, rotation vector in radians.
        offset_mm: Position of the head frame's origin in the scanner.
        lowest_mm: Where the field of view ends below, head frame.
        snr: White matter over noise.
        bias: Log amplitude of the coil's shading.
        scale: Scanner's unit over `WHITE_SIGNAL`.
        defaced: The face was removed before sharing.
        stripped: Only the brain was kept.
    """

    contrast: Contrast
    spacing_mm: tuple[float, float, float]
    axis_codes: str
    tilt: Float64[np.ndarray, "3"]
    pose: Float64[np.ndarray, "3"]
    offset_mm: Float64[np.ndarray, "3"]
    lowest_mm: float
    snr: float
    bias: float
    scale: float
    defaced: bool
    stripped: bool


def draw_mr_acquisition(rng: np.random.Generator) -> MrAcquisition:
    """Draws a scanner, a protocol and how the head lay in it."""
    oblique = rng.random() < OBLIQUE_SHARE
    return MrAcquisition(
        contrast=_draw_contrast(rng),
        spacing_mm=_draw_spacing(rng),
        axis_codes=str(rng.choice(AXIS_CODES)),
        tilt=rng.normal(0, np.radians(6), 3) * oblique,
        pose=rng.normal(0, np.radians((6, 4, 5)), 3),
        offset_mm=rng.normal(0, 12, 3),
        lowest_mm=float(rng.uniform(*NECK_RANGE_MM)),
        snr=float(np.exp(rng.uniform(np.log(9), np.log(45)))),
        bias=float(rng.uniform(0.03, 0.25)),
        scale=float(np.exp(rng.uniform(np.log(0.2), np.log(20)))),
        defaced=bool(rng.random() < DEFACED_SHARE),
        stripped=bool(rng.random() < STRIPPED_SHARE),
    )


def lay_grid(acquisition: MrAcquisition, size: Float64[np.ndarray, "3"]) -> Grid:
    """The scanner's lattice: along the chosen axes, tilted, centred on the field of view."""
    low = np.array([HEAD_LOW[0], HEAD_LOW[1], acquisition.lowest_mm]) * size - 4
    high = np.array(HEAD_HIGH) * size + 4
    directions = np.stack([DIRECTIONS[code] for code in acquisition.axis_codes], axis=1)
    extent = np.abs(directions.T @ (high - low))
    i, j, k = (int(np.ceil(mm / step)) for mm, step in zip(extent, acquisition.spacing_mm, strict=True))
    steps = Rotation.from_rotvec(acquisition.tilt).as_matrix() @ directions * acquisition.spacing_mm
    centre = (low + high) / 2 + acquisition.offset_mm
    affine = np.eye(4)
    affine[:3, :3] = steps
    affine[:3, 3] = centre - steps @ ((np.array([i, j, k]) - 1) / 2)
    return Grid((i, j, k), affine)


def index_from_world(
    acquisition: MrAcquisition, size: Float64[np.ndarray, "3"], origin: Point, step: float
) -> Float64[np.ndarray, "4 4"]:
    """Affine from scanner millimetres to voxels of a lattice in the head frame.

    Args:
        acquisition: How the head lies.
        size: Of this head over the phantom's, along x, y, z.
        origin: Of the lattice, mm.
        step: Of the lattice, mm.
    """
    turn = Rotation.from_rotvec(acquisition.pose).as_matrix().T
    to_index = np.eye(4)
    to_index[:3, :3] = turn / (size[:, None] * step)
    to_index[:3, 3] = -to_index[:3, :3] @ acquisition.offset_mm - np.asarray(origin) / step
    return to_index


def measure(
    clean: Float32[np.ndarray, "I J K"], acquisition: MrAcquisition, rng: np.random.Generator
) -> Int16[np.ndarray, "I J K"]:
    """Coil shading, Rician noise (Gudbjartsson 1995) and the scanner's integer unit."""
    for axis, n in enumerate(clean.shape):
        along = np.linspace(-1, 1, n)
        slope, bow = rng.normal(0, acquisition.bias, 2)
        shape = [1, 1, 1]
        shape[axis] = n
        clean *= np.exp(slope * along + bow * along**2).astype(np.float32).reshape(shape)
    sigma = np.float32(1 / acquisition.snr)
    magnitude = _noise(clean.shape, sigma, rng)
    magnitude += clean
    magnitude *= magnitude
    magnitude += _noise(clean.shape, sigma, rng) ** 2
    np.sqrt(magnitude, out=magnitude)
    if acquisition.stripped or acquisition.defaced:
        magnitude *= clean > 0
    counts = magnitude * np.float32(WHITE_SIGNAL * acquisition.scale)
    return np.asarray(np.minimum(counts, INT16_MAX), np.int16)


def _noise(
    shape: tuple[int, ...], sigma: np.float32, rng: np.random.Generator
) -> Float32[np.ndarray, "I J K"]:
    noise = rng.standard_normal(shape, dtype=np.float32)
    noise *= sigma
    return noise


def regular_volume(voxels: Int16[np.ndarray, "I J K"], grid: Grid) -> Volume:
    """The image as the door would hand it over."""
    step_i, step_j, step_k, origin = (grid.affine[:3, column] for column in range(4))
    origins = origin + np.arange(grid.shape[2])[:, None] * step_k
    return Volume(voxels, step_i, step_j, origins, grid, Modality.MR)


def _draw_contrast(rng: np.random.Generator) -> Contrast:
    water_excitation = rng.random() < WATER_EXCITATION_SHARE
    return Contrast(
        grey=float(rng.uniform(0.60, 0.80)),
        csf=float(rng.uniform(0.12, 0.32)),
        bone=float(rng.uniform(0.03, 0.12)),
        marrow=float(rng.uniform(0.2, 0.8)),
        fat=float(rng.uniform(0.2, 0.5) if water_excitation else rng.uniform(0.9, 1.7)),
        muscle=float(rng.uniform(0.35, 0.6)),
    )


def _draw_spacing(rng: np.random.Generator) -> tuple[float, float, float]:
    """Mostly isotropic 3D; sometimes thick slices along the last axis."""
    if rng.random() < THICK_SHARE:
        in_plane = float(rng.uniform(1.15, 1.5))
        return in_plane, in_plane, float(rng.uniform(2.0, 5.0))
    edge = float(rng.uniform(1.3, 1.75))
    return edge, edge, float(edge * rng.choice([1.0, 1.0, 0.95, 1.1]))
