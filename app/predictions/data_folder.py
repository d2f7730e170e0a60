"""What lies where below the data folder, beside the artefacts. One process works in one data folder."""

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DataFolder:
    """The folder of `NEUROFUSE_DATA`.

    Attributes:
        root: The folder itself.
    """

    root: Path

    @property
    def database(self) -> Path:
        """The record store."""
        return self.root / "records.sqlite3"

    @property
    def cases(self) -> Path:
        """Cases that are kept for a while, by prediction (`app.predictions.case_store`)."""
        return self.root / "cases"

    @property
    def previews(self) -> Path:
        """Uploads that were previewed, kept for a while (`app.predictions.upload_store`)."""
        return self.root / "previews"

    @property
    def uploads(self) -> Path:
        """Uploads of requests that are being answered, one folder each; on a disk, never in memory."""
        return self.root / "uploads"

    def prepare(self) -> None:
        """Create what is absent and remove uploads that a killed process left: they are patients' images."""
        shutil.rmtree(self.uploads, ignore_errors=True)
        for folder in (self.root, self.cases, self.previews, self.uploads):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
