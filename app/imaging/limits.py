"""How much an upload may hold before reading stops. Every number guards memory or time, none guards meaning."""

from dataclasses import dataclass

MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30


@dataclass(frozen=True)
class ReadLimits:
    """Bounds that hold before and while files are read.

    Attributes:
        max_files: Files in one upload, and members of one archive.
        max_archive_bytes: Bytes an archive may unfold to: the sum its directory declares, to which its members are held.
        max_archive_ratio: Unfolded over packed bytes of a whole archive. Checked beyond `ratio_free_bytes`, because a
            small archive of empty slices may truly shrink a thousandfold (deflate's own limit is 1032).
        ratio_free_bytes: Unfolded bytes below which the ratio does not matter.
        max_voxels: Voxels of one image; 2**28 is a 512 x 512 series of 1024 slices.
    """

    max_files: int = 20_000
    max_archive_bytes: int = 2 * GIBIBYTE
    max_archive_ratio: float = 200.0
    ratio_free_bytes: int = 64 * MEBIBYTE
    max_voxels: int = 1 << 28


DEFAULT_LIMITS = ReadLimits()
