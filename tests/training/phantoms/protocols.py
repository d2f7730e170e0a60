"""Acquisitions of known geometry for tests of CT phantoms: coarse, hence quick."""

from training.phantoms.scanner import Acquisition, Triple


def protocol(
    *,
    tilt: float = 0.0,
    rotation: Triple = (0.0, 0.0, 0.0),
    noise_hu: float = 3.0,
    low: float = -72.0,
    matrix: int = 144,
    gap: float = 5.0,
) -> Acquisition:
    """Slices of 5 mm from below the cerebellum to above the vertex."""
    count = int((100 - low) / gap)
    return Acquisition(
        matrix=matrix,
        pixel_spacing_mm=240 / matrix,
        slice_thickness_mm=gap,
        slice_centres_mm=tuple(low + gap * k for k in range(count)),
        gantry_tilt_degrees=tilt,
        head_rotation_degrees=rotation,
        head_offset_mm=(0.0, 14.0, 0.0),
        noise_hu=noise_hu,
        blur_mm=1.2,
        holder=True,
    )
