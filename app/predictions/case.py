"""What is asked: an image, a record, and how the answer is wanted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from app.identifiers import uuid7
from app.inference.heatmap_choice import HeatmapChoice

ExplainChoice = Literal["none", "ehr"]
"""Whether the answer says what each feature of the record does to it."""


@dataclass(frozen=True)
class Case:
    """What is asked.

    Attributes:
        images: The image files, in any order and by any name.
        record: Feature name to value.
        heatmap: On which grid the heatmap is wanted.
        series: Series Instance UID of the DICOM series that is meant; None leaves the choice to the door.
        explain: Whether the contribution of each feature is wanted.
        keep_image: Whether the image is kept for viewing, where answers are kept.
        reference: The caller's own case number, kept with the answer.
        caller: Who asks, kept with the answer; empty where nobody was asked for a name.
        id: The id that the answer will have, UUID version 7; two cases that ask the same are equal without it.
    """

    images: tuple[Path, ...]
    record: Mapping[str, object]
    heatmap: HeatmapChoice = "native"
    series: str | None = None
    explain: ExplainChoice = "none"
    keep_image: bool = False
    reference: str | None = None
    caller: str = ""
    id: str = field(default_factory=lambda: str(uuid7()), compare=False)
