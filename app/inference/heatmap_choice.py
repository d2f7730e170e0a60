"""Which heatmap a case gets."""

from typing import Literal

HeatmapChoice = Literal["native", "model", "none"]
"""On the patient's own grid, on the network's grid, or not at all."""
