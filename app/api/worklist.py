"""Earlier answers: search, filter, sort, page through, delete."""

import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Final, Literal, cast

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticKnownError

from app.api.access import CurrentPrincipal
from app.api.answers import PREFIX
from app.api.list_query import ListQuery, once_each
from app.api.openapi import problem_responses
from app.api.predictions import UNKNOWN
from app.api.runtime import CurrentRuntime
from app.api.visibility import PredictionId, only_of
from app.errors import MalformedRequestError
from app.jobs.deleting import delete_case
from app.model_package.manifest import Task
from app.model_package.naming import PACKAGE_NAME, PACKAGE_VERSION
from app.predictions.case_list import CaseListPage
from app.records.worklist import FeedbackState, Page, Selection, SortKey

router = APIRouter(prefix=PREFIX, tags=["worklist"])

MOST_ITEMS = 200
MOST_OFFSET = 2**31
NO_CONTROLS = r"^[^\x00-\x1F\x7F]*$"
MODEL = rf"^{PACKAGE_NAME.pattern}(@{PACKAGE_VERSION.pattern})?$"
DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
"""How a moment of RFC 3339 begins."""

Sort = Literal[
    "created", "-created", "reference", "-reference", "task", "-task", "model", "-model", "label", "-label",
    "favourable", "-favourable",
]  # fmt: skip


def _begins_with_a_day(moment: object) -> object:
    """Pydantic takes a number for seconds since 1970: a day as DICOM writes it, 20261123, would be one in August of that year."""
    if isinstance(moment, str) and not DAY.match(moment):
        raise PydanticKnownError("datetime_parsing", {"error": "expected as RFC 3339 writes it"})
    return moment


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("before year 1 or after year 9999 in UTC") from None


Moment = Annotated[AwareDatetime, BeforeValidator(_begins_with_a_day), AfterValidator(_in_utc)]


class WorklistQuery(ListQuery):
    """Which answers are wanted, and which part of them."""

    limit: Annotated[int, Field(ge=1, le=MOST_ITEMS, description="Most items.")] = 25
    offset: Annotated[int, Field(ge=0, le=MOST_OFFSET, description="Answers before the first item.")] = 0
    q: Annotated[
        str,
        Field(
            max_length=64,
            pattern=NO_CONTROLS,
            description="Beginning of the id, or any part of the reference; upper and lower case of a to z are the same.",
        ),
    ] = ""
    task: Annotated[Task | None, Field(description="What was asked.")] = None
    model: Annotated[
        str | None,
        Field(max_length=80, pattern=MODEL, description="Package that answered: `name` or `name@version`."),
    ] = None
    label: Annotated[str | None, Field(max_length=64, description="The most likely class.")] = None
    feedback: Annotated[
        FeedbackState | None, Field(description="What was said: nothing yet, anything, or one of the two.")
    ] = None
    since: Annotated[Moment | None, Field(description="First moment, with its time zone.")] = None
    until: Annotated[
        Moment | None, Field(description="Moment before which they were made, with its time zone.")
    ] = None
    sort: Annotated[
        Sort,
        Field(
            description="With `-` from the last to the first. What has no value comes last; equals are in order of time."
        ),
    ] = "-created"

    def selection(self, caller: str | None) -> Selection:
        """Which answers are wanted, of those that may be seen."""
        name, _, version = (self.model or "").partition("@")
        return Selection(
            text=self.q,
            task=self.task,
            model_name=name or None,
            model_version=int(version) if version else None,
            label=self.label,
            feedback=self.feedback,
            since=self.since,
            until=self.until,
            caller=caller,
        )

    def page(self) -> Page:
        """Which part of them."""
        key = cast("SortKey", self.sort.removeprefix("-"))
        return Page(self.limit, self.offset, key, descending=self.sort.startswith("-"))


@router.get(
    "",
    operation_id="list_predictions",
    summary="Earlier answers",
    responses=problem_responses(MalformedRequestError),
    dependencies=[Depends(once_each)],
)
def list_predictions(
    runtime: CurrentRuntime, principal: CurrentPrincipal, query: Annotated[WorklistQuery, Query()]
) -> CaseListPage:
    """One page of the answers that match every parameter, the latest first where nothing else is asked; a system sees its own."""
    return runtime.case_list.page(query.selection(only_of(principal)), query.page())


@router.delete(
    "/{prediction_id}",
    operation_id="delete_prediction",
    summary="Delete an answer",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=UNKNOWN,
)
def delete_prediction(runtime: CurrentRuntime, prediction_id: PredictionId) -> None:
    """The answer, what was said of it, its heatmap, and what is kept of its case; for good. A job that is not finished is cancelled."""
    delete_case(prediction_id, runtime.predictions, runtime.jobs.service, runtime.jobs.records)
