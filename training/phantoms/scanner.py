"""How a head lies in the scanner and how the scanner cuts it: drawn once per case, known exactly afterwards.

Frames: the head frame is RAS+ mm with its origin near the anterior commissure (as in the MNI atlases); the world is
RAS+ mm with the gantry's axis at x = y = 0. Slices are stored as DICOM does: i to Left, j to Posterior, k to Superior.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int16

from app.imaging.geometry import stack_slices
from app.imaging.volume import Grid, Modality, Volume

Triple = tuple[float, float, float]
MATRICES = (192, 224, 256, 320, 512)
MATRIX_SHARES = (0.36, 0.22, 0.30, 0.07, 0.05)
"""Small ones favoured: a cohort of thousands is made on two cores, and a network sees 2 mm voxels."""
TILTED_SHARE = 0.45
FACE_SHARE = 0.35
CUT_VERTEX_SHARE = 0.12
FINE_GAP_MM, COARSE_GAP_MM, MEETING_GAP_MM = 4.0, 7.0, 1.2
"""Along the normal, as a General Electric head protocol of two blocks has them."""
HEAD_BOTTOM_MM = -66.0
"""The lowest part of the cerebellum in the head frame."""
HEAD_TOP_MM = 90.0
"""The scalp at the vertex in the head frame."""


@dataclass(frozen=True)
class Acquisition:
    """One protocol and one position of the head.

    Attributes:
        matrix: Rows and columns.
        pixel_spacing_mm: Within the slice, both directions.
        slice_thickness_mm: What is averaged along the slice's normal.
        slice_centres_mm: World z where each slice cuts the gantry's axis, from inferior to superior; uneven if the
            base of the skull is cut finer than the vault.
        gantry_tilt_degrees: Positive where the anterior edge of a slice lies higher.
        head_rotation_degrees: About the world's x (nodding), y (leaning), z (turning).
        head_offset_mm: World position of the head frame's origin.
        noise_hu: Standard deviation of the quantum noise in the middle of the head.
        blur_mm: Width of the reconstruction kernel.
        holder: Whether the shell of a head holder is in the field of view.
    """

    matrix: int
    pixel_spacing_mm: float
    slice_thickness_mm: float
    slice_centres_mm: tuple[float, ...]
    gantry_tilt_degrees: float
    head_rotation_degrees: Triple
    head_offset_mm: Triple
    noise_hu: float
    blur_mm: float
    holder: bool

    @property
    def uneven(self) -> bool:
        """Whether the gaps between slices differ, which no affine can say."""
        gaps = np.diff(self.slice_centres_mm)
        return bool(np.ptp(gaps) > 0.01)  # noqa: PLR2004 - millimetres; rounding of positions stays far below

    @property
    def step_i(self) -> Float64[np.ndarray, "3"]:
        """World millimetres from one column to the next: to the Left."""
        return np.array([-self.pixel_spacing_mm, 0.0, 0.0])

    @property
    def step_j(self) -> Float64[np.ndarray, "3"]:
        """World millimetres from one row to the next: to Posterior, and down when the gantry is tilted."""
        tilt = np.radians(self.gantry_tilt_degrees)
        return self.pixel_spacing_mm * np.array([0.0, -np.cos(tilt), -np.sin(tilt)])

    @property
    def normal(self) -> Float64[np.ndarray, "3"]:
        """Unit normal of the slices, upwards."""
        normal = np.cross(self.step_i, self.step_j)
        return np.asarray(normal / np.linalg.norm(normal))

    @property
    def slice_origins(self) -> Float64[np.ndarray, "K 3"]:
        """World position of voxel (0, 0, k)."""
        centres = np.zeros((len(self.slice_centres_mm), 3))
        centres[:, 2] = self.slice_centres_mm
        return np.asarray(centres - (self.matrix - 1) / 2 * (self.step_i + self.step_j))

    @property
    def head_to_world(self) -> Float64[np.ndarray, "4 4"]:
        """Rigid map of head frame millimetres to world millimetres."""
        matrix = np.eye(4)
        matrix[:3, :3] = _rotation(self.head_rotation_degrees)
        matrix[:3, 3] = self.head_offset_mm
        return matrix


def draw_acquisition(rng: np.random.Generator, *, uneven: bool = False) -> Acquisition:
    """A protocol as hospitals use them; the whole brain is covered but, now and then, for its vertex.

    Args:
        rng: Source of chance.
        uneven: Finer slices through the base than through the vault; such a series can only be written as DICOM.
    """
    tilt = float(rng.uniform(3, 24) * rng.choice([1, 1, 1, -1])) if rng.random() < TILTED_SHARE else 0.0
    matrix = int(rng.choice(MATRICES, p=MATRIX_SHARES))
    rotation = (float(rng.normal(0, 8)), float(rng.normal(0, 4)), float(rng.normal(0, 6)))
    offset = (float(rng.normal(0, 5)), float(rng.normal(14, 5)), float(rng.uniform(-150, 150)))
    thickness = (
        FINE_GAP_MM
        if uneven
        else float(rng.choice([2.5, 3.0, 4.0, 5.0, 6.0, 7.0], p=[0.03, 0.07, 0.2, 0.5, 0.1, 0.1]))
    )
    return Acquisition(
        matrix=matrix,
        pixel_spacing_mm=round(float(rng.uniform(222, 256)) / matrix, 6),
        slice_thickness_mm=thickness,
        slice_centres_mm=_slice_centres(thickness, tilt, _bounds(tilt, rotation, offset, rng), uneven=uneven),
        gantry_tilt_degrees=round(tilt, 1),
        head_rotation_degrees=rotation,
        head_offset_mm=offset,
        noise_hu=float(rng.uniform(1.5, 7.5)),
        blur_mm=float(rng.uniform(0.7, 1.8)),
        holder=bool(rng.random() < 0.8),  # noqa: PLR2004
    )


def volume_of(acquisition: Acquisition, voxels: Int16[np.ndarray, "I J K"]) -> Volume:
    """The series as the door would hand it over: true positions, and the patient's grid.

    The grid of an even series is the stored lattice with its shear, as a NIfTI file says it; of an uneven one it is
    the lattice that the reader of DICOM makes.
    """
    step_i, step_j, origins = acquisition.step_i, acquisition.step_j, acquisition.slice_origins
    grid = _stored_grid(acquisition, origins)
    if acquisition.uneven:
        grid = stack_slices(step_i, step_j, origins, (acquisition.matrix, acquisition.matrix)).grid
    return Volume(voxels, step_i, step_j, origins, grid, Modality.CT)


def _stored_grid(acquisition: Acquisition, origins: Float64[np.ndarray, "K 3"]) -> Grid:
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = acquisition.step_i, acquisition.step_j
    affine[:3, 2] = (origins[-1] - origins[0]) / (len(origins) - 1)
    affine[:3, 3] = origins[0]
    return Grid((acquisition.matrix, acquisition.matrix, len(origins)), affine)


def _bounds(tilt: float, rotation: Triple, offset: Triple, rng: np.random.Generator) -> tuple[float, float]:
    """World z of the lowest slice, low enough for the cerebellum's back, and of the end above the vertex."""
    slope = np.tan(np.radians(tilt))
    low = _lowest(rotation) - slope * (offset[1] - 60) - rng.uniform(0, 12)
    if rng.random() < FACE_SHARE:
        low -= rng.uniform(10, 60)
    high = HEAD_TOP_MM - slope * (offset[1] - 20) + rng.uniform(-4, 14)
    if rng.random() < CUT_VERTEX_SHARE:
        high -= rng.uniform(8, 25)
    return float(offset[2] + low), float(offset[2] + high)


def _slice_centres(
    thickness: float, tilt: float, bounds: tuple[float, float], *, uneven: bool
) -> tuple[float, ...]:
    """World z of the slices: evenly spaced, or two blocks of 4 and 7 mm."""
    along_table = 1 / float(np.cos(np.radians(tilt)))
    low, high = bounds
    centres = np.arange(low, high, thickness * along_table)
    if uneven:
        base = np.arange(low, low + 0.45 * (high - low), FINE_GAP_MM * along_table)
        # The blocks are planned apart: where they meet, the gap is whatever is left over.
        centres = np.concatenate(
            [base, np.arange(base[-1] + MEETING_GAP_MM, high, COARSE_GAP_MM * along_table)]
        )
    return tuple(float(z) for z in np.round(centres, 4))


def _lowest(rotation: Triple) -> float:
    """Lowest point of the cerebellum relative to the head's origin after rotation, mm."""
    points = np.array([[x, y, HEAD_BOTTOM_MM] for x in (-35.0, 35.0) for y in (-80.0, -40.0)])
    return float((points @ _rotation(rotation).T)[:, 2].min())


def _rotation(degrees: Triple) -> Float64[np.ndarray, "3 3"]:
    """Rz Ry Rx for right-handed angles about x, y, z."""
    (ax, ay, az) = np.radians(degrees)
    rx = np.array([[1, 0, 0], [0, np.cos(ax), -np.sin(ax)], [0, np.sin(ax), np.cos(ax)]])
    ry = np.array([[np.cos(ay), 0, np.sin(ay)], [0, 1, 0], [-np.sin(ay), 0, np.cos(ay)]])
    rz = np.array([[np.cos(az), -np.sin(az), 0], [np.sin(az), np.cos(az), 0], [0, 0, 1]])
    return np.asarray(rz @ ry @ rx)
