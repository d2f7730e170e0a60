"""Everything that is kept in the database, opened and closed together."""

from pathlib import Path

from app.records.aliases import PlanRecords
from app.records.database import open_database
from app.records.feedback import FeedbackRecords
from app.records.predictions import PredictionRecords
from app.records.worklist import Worklist


class RecordStore:
    """The tables of one database.

    Args:
        path: The database file; its folder must exist.

    Attributes:
        predictions: The answers.
        feedback: What was said of them.
        worklist: Their list.
        plan: What package names mean.
    """

    def __init__(self, path: Path) -> None:
        engine = open_database(path)
        self.predictions = PredictionRecords(engine)
        self.feedback = FeedbackRecords(engine)
        self.worklist = Worklist(engine)
        self.plan = PlanRecords(engine)

    def close(self) -> None:
        """Give every connection back."""
        self.predictions.close()
