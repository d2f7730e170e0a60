"""Feedback as a table for statistics: RFC 4180, safe to open in a spreadsheet."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from app.predictions.answer import read_answer
from app.records.feedback import Feedback, FeedbackRecords
from app.records.predictions import KeptPrediction

FORMULA_START: Final = re.compile(r"(^|[;\t\r\n])(?=[=+\-@\t\r])")
"""Where a spreadsheet would begin a formula (OWASP, CSV Injection): also behind what some take for the end of a cell, such as `;` where commas are decimal."""
PROBABILITY: Final = "probability_"


def feedback_csv(records: FeedbackRecords) -> Iterator[str]:
    """The table, piece by piece, never whole in memory.

    One row for every answer with feedback, in order of time; one column for every class of every package among them,
    empty where the package of the row has no such class, or the answer cannot be read.

    Args:
        records: Where feedback is kept.
    """
    labels = _labels(records)
    header = ["id", "created", "reference", "release", "model", "version", "sha256", "label"]
    header += [f"{PROBABILITY}{label}" for label in labels]
    yield _lines([[*header, "agreement", "reason", "outcome", "updated"]])
    for batch in records.batches():
        yield _lines([_row(kept, said, labels) for kept, said in batch])


def _labels(records: FeedbackRecords) -> list[str]:
    """Every class of every package, each once; a package's classes are those of any of its answers that can be read."""
    labels: dict[str, None] = {}
    unknown: set[str] = set()
    for kept in records.one_of_each_package():
        found = _probabilities(kept)
        labels.update(dict.fromkeys(found))
        if not found:
            unknown.add(kept.model_sha256)
    for batch in records.batches() if unknown else ():
        for kept, _ in batch:
            if kept.model_sha256 in unknown and (found := _probabilities(kept)):
                labels.update(dict.fromkeys(found))
                unknown.remove(kept.model_sha256)
    return list(labels)


def _row(kept: KeptPrediction, said: Feedback, labels: Sequence[str]) -> list[str]:
    answer = read_answer(kept.document)
    probabilities = answer.prediction.probabilities if answer else {}
    return [
        kept.id,
        _moment(kept.created),
        cell(kept.reference),
        (answer.release if answer else None) or "",
        cell(kept.model_name),
        str(kept.model_version),
        kept.model_sha256,
        cell(kept.label),
        *(repr(probabilities[label]) if label in probabilities else "" for label in labels),
        cell(said.agreement),
        cell(said.reason),
        cell(said.outcome),
        _moment(said.updated),
    ]


def cell(text: str | None) -> str:
    """Text as a cell that no spreadsheet computes: what could be a formula gets an apostrophe in front."""
    return FORMULA_START.sub(r"\1'", text or "")


def _probabilities(kept: KeptPrediction) -> Mapping[str, float]:
    answer = read_answer(kept.document)
    return answer.prediction.probabilities if answer else {}


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _lines(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
