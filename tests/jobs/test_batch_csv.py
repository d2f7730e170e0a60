"""The table of a batch has a row for every answer, also one whose document cannot be read any more."""

import csv
import io
import json
from datetime import UTC, datetime

from app.api.predict_document import ANSWER
from app.inference.ticket import Urgency
from app.jobs.batch_csv import batch_csv, labels_of
from app.records.jobs import Job

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
SOUND = json.dumps(ANSWER)
DAMAGED = SOUND[:-9]


def job(job_id: str) -> Job:
    return Job(job_id, "done", Urgency.BATCH, "gos", 1, None, NOW, NOW, 3)


def test_an_answer_that_cannot_be_read_is_a_failed_row_and_hides_no_other() -> None:
    parts = [[(job("a"), DAMAGED), (job("b"), SOUND)], [(job("c"), SOUND)]]
    labels = labels_of(parts)
    assert labels == list(ANSWER["prediction"]["probabilities"])
    rows = list(csv.DictReader(io.StringIO("".join(batch_csv(parts, labels)), newline=""), strict=True))
    assert [(row["id"], row["status"], row["code"]) for row in rows] == [
        ("a", "failed", "answer-unreadable"), ("b", "answered", ""), ("c", "answered", ""),
    ]  # fmt: skip
    assert "Send the case again" in rows[0]["detail"]
    assert rows[1]["p_gos_4"] == "0.400000"


def test_a_batch_without_an_answer_that_can_be_read_names_no_class() -> None:
    assert labels_of([[(job("a"), DAMAGED), (job("b"), None)]]) == []
