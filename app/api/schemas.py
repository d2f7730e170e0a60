"""Shapes on the wire that are not the answer itself (`app.predictions.answer` is that one)."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from app.model_package.manifest import Manifest, Task
from app.predictions.document import Document
from app.serving.entry import State


class Problem(BaseModel):
    """RFC 9457 problem document; further members depend on the code."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: Annotated[str, Field(description="`/problems/<code>`; fetch it for an explanation.")]
    title: Annotated[str, Field(description="The same for every occurrence of the code.")]
    status: Annotated[int, Field(description="HTTP status.")]
    detail: Annotated[str, Field(description="What was expected, what was found, what to do.")]
    request_id: Annotated[str, Field(description="The header X-Request-ID of this exchange.")]


class ProblemKind(Document):
    """What a problem code means."""

    type: Annotated[str, Field(description="The `type` of problem documents with this code.")]
    code: Annotated[str, Field(description="Stable identifier.")]
    title: Annotated[str, Field(description="Short sentence.")]
    status: Annotated[int, Field(description="HTTP status that comes with it.")]
    meaning: Annotated[str, Field(description="What it says.")]


class Reason(Document):
    """Why a package is not ready."""

    code: Annotated[str, Field(description="Stable identifier, such as `golden-mismatch`.")]
    detail: Annotated[str, Field(description="In words.")]


class ModelState(Document):
    """A package and whether it answers."""

    name: Annotated[str, Field(description="Package name.")]
    version: Annotated[int, Field(description="Package version.")]
    state: Annotated[State, Field(description="Only a `ready` package answers.")]
    reason: Annotated[Reason | None, Field(description="Present where the package failed.")]


class ModelSummary(ModelState):
    """A package in the list of packages; null where its files could not be verified."""

    task: Annotated[Task | None, Field(description="What it answers.")]
    title: Annotated[str | None, Field(description="Words for people.")]
    intended_use: Annotated[str | None, Field(description="What the package may be used for.")]
    sha256: Annotated[str | None, Field(description="Digest of the package.")]
    provider: Annotated[str | None, Field(description="Execution provider in use, once ready.")]
    default: Annotated[bool, Field(description="Whether the bare name means it.")]


class Serving(Document):
    """How a ready package answers several cases at once."""

    lanes: Annotated[int, Field(description="Runs of the graph at the same time.")]
    max_batch: Annotated[int, Field(description="Most cases of one run.")]
    max_wait_ms: Annotated[float, Field(description="Longest time that a run with room waits for others.")]
    run_ms: Annotated[
        dict[int, float], Field(description="Milliseconds of a run by its cases, measured at the start.")
    ]


class ModelDetail(ModelSummary):
    """A package with its manifest."""

    serving: Annotated[Serving | None, Field(description="Once ready, where this process gathers the cases.")]
    manifest: Annotated[Manifest | None, Field(description="Everything the package says of itself.")]


class CanaryShare(Document):
    """A version that is tried with some of an alias's cases."""

    version: Annotated[int, Field(ge=1, description="Its number.")]
    share: Annotated[float, Field(gt=0, lt=1, description="Of the alias's cases that it gets.")]


class AliasState(Document):
    """What `name@alias` means; a bare name means its alias `production`, where it has one."""

    name: Annotated[str, Field(description="Package name.")]
    alias: Annotated[str, Field(description="Such as `production`.")]
    version: Annotated[int, Field(description="What answers.")]
    canary: Annotated[CanaryShare | None, Field(description="What answers a share of the cases instead.")]
    shadow: Annotated[
        int | None, Field(description="What answers the same cases in the background, to be compared.")
    ]
    previous: Annotated[list[int], Field(description="What answered before, the last one first.")]


class ModelList(Document):
    """Every package, and what names mean."""

    models: list[ModelSummary]
    aliases: list[AliasState]


class Readiness(Document):
    """Whether requests will be answered."""

    ready: Annotated[
        bool, Field(description="Whatever a name means passed its self-test on the provider in use.")
    ]
    provider: Annotated[str, Field(description="The provider that was asked for.")]
    models: list[ModelState]


class Liveness(Document):
    """The process answers."""

    alive: bool


RecordSchema = dict[str, Any]
"""A JSON Schema document."""
