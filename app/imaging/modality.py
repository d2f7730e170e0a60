"""CT or MR; apart from the volume, as a command line names the choices without loading what reads one."""

from enum import StrEnum


class Modality(StrEnum):
    """What made the image; decides what a voxel value means."""

    CT = "CT"
    """Voxels are Hounsfield units."""
    MR = "MR"
    """Voxels are in the scanner's arbitrary unit."""
