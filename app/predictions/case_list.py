"""The worklist: earlier answers, each in one line."""

from datetime import datetime
from typing import Annotated, Final, cast

from pydantic import Field

from app.data_folder.case_store import CaseStore
from app.errors import AnswerUnreadableError
from app.model_package.manifest import Probability, Task
from app.predictions.answer import read_answer
from app.predictions.document import Document
from app.records.feedback import Agreement
from app.records.worklist import Entry, Page, Selection, Worklist

UNREADABLE: Final = AnswerUnreadableError.code
"""In place of a warning, where what is kept of an answer cannot be read."""


class ModelNamed(Document):
    """The package that answered."""

    name: Annotated[str, Field(description="Package name.")]
    version: Annotated[int, Field(description="Package version.")]


class FeedbackGist(Document):
    """What was said of an answer, without the words."""

    agreement: Annotated[Agreement | None, Field(description="With the answer; null where not said.")]
    outcome: Annotated[str | None, Field(description="The true class, once it is known.")]


class ListedCase(Document):
    """One answer of the worklist; `GET /predictions/{id}` has all of it."""

    id: Annotated[str, Field(description="UUID version 7 of the prediction.")]
    created: Annotated[datetime, Field(description="When it was made, UTC.")]
    release: Annotated[
        str | None,
        Field(
            description="Release of NeuroFuse that made it; null where it said none, or the answer cannot be read."
        ),
    ]
    task: Task
    model: ModelNamed
    reference: Annotated[str | None, Field(description="The caller's own case number.")]
    label: Annotated[str, Field(description="The most likely class.")]
    favourable: Annotated[
        Probability | None,
        Field(
            description="Probability of a favourable outcome; null where the task has none, or the answer cannot be read."
        ),
    ]
    probabilities: Annotated[
        dict[str, Probability],
        Field(description="Calibrated probability of every class; empty where the answer cannot be read."),
    ]
    abstained: Annotated[bool, Field(description="The model did not commit itself.")]
    out_of_distribution: Annotated[bool, Field(description="The case lies outside what the model knows.")]
    findings: Annotated[list[str], Field(description="Codes of what was noticed in the image.")]
    warnings: Annotated[
        list[str],
        Field(
            description="Codes of what limits the use of the answer; `answer-unreadable` alone where it is damaged, or of another release."
        ),
    ]
    has_image: Annotated[bool, Field(description="The image is still kept for viewing.")]
    feedback: Annotated[FeedbackGist | None, Field(description="Null while nothing was said.")]


class CaseListPage(Document):
    """A part of the worklist."""

    items: Annotated[list[ListedCase], Field(description="In the order that was asked for.")]
    total: Annotated[int, Field(description="Answers that match, on all pages together.")]
    limit: Annotated[int, Field(description="Most items of this page.")]
    offset: Annotated[int, Field(description="Answers before the first of this page.")]


class CaseList:
    """Lists earlier answers.

    Args:
        worklist: Finds them.
        cases: Knows whose image is still kept.
    """

    def __init__(self, worklist: Worklist, cases: CaseStore) -> None:
        self._worklist = worklist
        self._cases = cases

    def page(self, selection: Selection, page: Page) -> CaseListPage:
        """One page of the answers that are wanted; documents are read for this page only."""
        entries, total = self._worklist.page(selection, page)
        items = [_listed(entry, has_image=self._cases.has_image(entry.prediction.id)) for entry in entries]
        return CaseListPage(items=items, total=total, limit=page.limit, offset=page.offset)


def _listed(entry: Entry, *, has_image: bool) -> ListedCase:
    """A line; the columns of the table alone where the document cannot be read: one such answer hides no other."""
    kept, said = entry.prediction, entry.feedback
    answer = read_answer(kept.document)
    return ListedCase(
        id=kept.id,
        created=kept.created,
        release=answer and answer.release,
        task=cast("Task", kept.task),
        model=ModelNamed(name=kept.model_name, version=kept.model_version),
        reference=kept.reference,
        label=kept.label,
        favourable=answer and answer.prediction.favourable,
        probabilities=answer.prediction.probabilities if answer else {},
        abstained=kept.abstained,
        out_of_distribution=kept.out_of_distribution,
        findings=[finding.code for finding in answer.image.findings] if answer else [],
        warnings=[caution.code for caution in answer.warnings] if answer else [UNREADABLE],
        has_image=has_image,
        feedback=None if said is None else FeedbackGist(agreement=said.agreement, outcome=said.outcome),
    )
