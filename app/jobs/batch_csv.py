"""The results of a batch as a table, row by row, never whole in memory: RFC 4180, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from app.predictions.answer import read_answer, unreadable_answer
from app.predictions.feedback_csv import cell
from app.predictions.result_lines import Line, answered, columns_of, failed, failed_with
from app.records.jobs import Job

Part = Sequence[tuple[Job, str | None]]


def batch_csv(parts: Iterable[Part], labels: Sequence[str]) -> Iterator[str]:
    """The table, piece by piece.

    Args:
        parts: Jobs with the documents of their answers.
        labels: The classes of the package.
    """
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns_of(labels), restval="", lineterminator="\r\n")
    writer.writeheader()
    for part in parts:
        writer.writerows(line for job, document in part if (line := _line(job, document)) is not None)
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


def labels_of(parts: Iterable[Part]) -> list[str]:
    """The classes that the first answer names which can be read; none where there is no such answer."""
    for part in parts:
        for _, document in part:
            if document is not None and (answer := read_answer(document)) is not None:
                return list(answer.prediction.probabilities)
    return []


def _line(job: Job, document: str | None) -> Line | None:
    name, case = cell(job.reference or job.id), job.fingerprint or ""
    if document is not None:
        answer = read_answer(document)
        if answer is None:
            return failed(name, case, unreadable_answer())
        return answered(name, case, answer)
    if (problem := job.problem) is not None:
        return failed_with(name, case, problem.code, problem.detail, problem.fields)
    return None
