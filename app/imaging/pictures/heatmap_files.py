"""What people and machines are given of a heatmap: one file of it and one picture."""

from dataclasses import dataclass
from functools import partial
from operator import call
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from app.imaging import threads
from app.imaging.pictures.overlay import write_overlay_png
from app.imaging.volume import Grid, Volume
from app.imaging.write import write_heatmap


@dataclass(frozen=True)
class Shown:
    """A heatmap, and where it is to be shown.

    Attributes:
        heatmap: In [0, 1], as the network gave it.
        grid: Where it lies.
        file_grid: The grid of the file: the patient's, or the heatmap's own.
        nifti: The file, `.nii.gz`; its folder exists.
        png: The picture.
        note: What must be read with the picture, below it.
        side_by_side: Whether both are drawn at once, which is worth it where nobody else wants the cores.
    """

    heatmap: Float32[np.ndarray, "D H W"]
    grid: Grid
    file_grid: Grid
    nifti: Path
    png: Path
    note: str = ""
    side_by_side: bool = False


def draw(volume: Volume, shown: Shown) -> None:
    """Write both files.

    Args:
        volume: The patient's image; its own slices are what the picture shows, whatever grid the file is on.
        shown: What is drawn.
    """
    file_grid = None if shown.file_grid is shown.grid else shown.file_grid
    files = (
        partial(write_heatmap, shown.heatmap, shown.grid, shown.nifti, file_grid),
        partial(write_overlay_png, volume, shown.heatmap, shown.grid, shown.png, shown.note),
    )
    if shown.side_by_side:  # they take about as long as each other
        threads.side_by_side(call, files)
    else:
        for write in files:
            write()
