"""Everything that is kept in the database, opened and closed together."""

from pathlib import Path

from app.records.aliases import PlanRecords
from app.records.api_keys import ApiKeyRecords
from app.records.audit import AuditTrail
from app.records.batches import BatchRecords
from app.records.database import DEFAULT_CONNECTIONS, open_database
from app.records.feedback import FeedbackRecords
from app.records.job_turns import JobTurns
from app.records.jobs import JobRecords
from app.records.predictions import PredictionRecords
from app.records.sessions import SessionRecords
from app.records.sqlite_log import WriteAheadLog
from app.records.webhooks import WebhookRecords
from app.records.worklist import Worklist


class RecordStore:
    """The tables of one database.

    Args:
        place: File of SQLite, whose folder must exist; or `postgresql://...`.
        connections: Most connections of this process to a PostgreSQL server.

    Attributes:
        engine: Theirs.
        predictions: The answers.
        feedback: What was said of them.
        worklist: Their list.
        plan: What package names mean.
        jobs: What is to be answered in its own time.
        job_turns: The same, for those who answer.
        batches: Jobs that belong together.
        webhooks: Who is to be told that they are finished.
        sessions: Who is signed in on the page.
        api_keys: What lets software in.
        audit: Who did what.
        write_ahead_log: Of SQLite; what was deleted is swept out of it.
    """

    def __init__(self, place: Path | str, connections: int = DEFAULT_CONNECTIONS) -> None:
        self.engine = engine = open_database(place, connections)
        self.predictions = PredictionRecords(engine)
        self.feedback = FeedbackRecords(engine)
        self.worklist = Worklist(engine)
        self.plan = PlanRecords(engine)
        self.jobs = JobRecords(engine)
        self.job_turns = JobTurns(engine)
        self.batches = BatchRecords(engine)
        self.webhooks = WebhookRecords(engine)
        self.sessions = SessionRecords(engine)
        self.api_keys = ApiKeyRecords(engine)
        self.audit = AuditTrail(engine)
        self.write_ahead_log = WriteAheadLog(place)

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()
