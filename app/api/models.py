"""The packages: what there is, what each one says of itself, and the record it reads."""

from typing import Annotated

from fastapi import APIRouter, Path

from app.api.file_answer import FileAnswer, file_responses
from app.api.openapi import problem_responses
from app.api.runtime import CurrentRuntime
from app.api.schemas import (
    AliasState,
    CanaryShare,
    ModelDetail,
    ModelList,
    ModelState,
    ModelSummary,
    Reason,
    RecordSchema,
    Serving,
)
from app.ehr.json_schema import record_json_schema
from app.errors import MalformedRequestError, NotReadyError, UnknownModelError
from app.inference.batching import BatchedSession
from app.model_package.package import Package
from app.records.aliases import Alias
from app.serving.catalogue import Catalogue
from app.serving.entry import RETRY_AFTER_S, Entry

router = APIRouter(prefix="/models", tags=["models"])

Name = Annotated[str, Path(description="Package name, or `name@alias`.", examples=["gos"])]
Version = Annotated[int, Path(description="Package version.", ge=1, examples=[1])]
CARD_MEDIA_TYPE = "text/markdown"
UNKNOWN = problem_responses(UnknownModelError)


def model_state(entry: Entry) -> ModelState:
    """A package's state on the wire."""
    return ModelState.model_validate(_state_fields(entry))


def _state_fields(entry: Entry) -> dict[str, object]:
    reason = Reason(code=entry.code, detail=entry.detail or "") if entry.code else None
    return {
        "name": entry.reference.name,
        "version": entry.reference.version,
        "state": entry.state,
        "reason": reason,
    }


def _summary_fields(entry: Entry, catalogue: Catalogue) -> dict[str, object]:
    package, meaning = entry.package, catalogue.routing.meaning(entry.reference.name)
    return {
        **_state_fields(entry),
        "task": package.manifest.task if package else None,
        "title": package.manifest.title if package else None,
        "intended_use": package.manifest.intended_use if package else None,
        "sha256": package.sha256 if package else None,
        "provider": entry.predictor.session.provider if entry.predictor else None,
        "default": meaning is not None and meaning.reference == entry.reference,
    }


def _verified(entry: Entry) -> Package:
    if entry.package is None:
        raise NotReadyError(
            f"Expected package {entry.reference} to be verified; it is {entry.state}. See GET /models.",
            retry_after_s=RETRY_AFTER_S,
        )
    return entry.package


def _detail(entry: Entry, catalogue: Catalogue) -> ModelDetail:
    return ModelDetail.model_validate(
        {**_summary_fields(entry, catalogue), "manifest": entry.manifest, "serving": _serving(entry)}
    )


def _serving(entry: Entry) -> Serving | None:
    session = entry.predictor.session if entry.predictor else None
    if not isinstance(session, BatchedSession):
        return None
    policy = session.policy
    return Serving(
        lanes=session.lanes,
        max_batch=policy.max_batch,
        max_wait_ms=1000 * policy.max_wait_s,
        run_ms={size: 1000 * run_s for size, run_s in policy.run_s.items()},
    )


def model_list(catalogue: Catalogue) -> ModelList:
    """Every package of a process, and what names mean there."""
    return ModelList(
        models=[model_summary(entry, catalogue) for entry in catalogue.entries()],
        aliases=[alias_state(alias) for _, alias in sorted(catalogue.routing.aliases.items())],
    )


def model_summary(entry: Entry, catalogue: Catalogue) -> ModelSummary:
    """A package in the list, on the wire."""
    return ModelSummary.model_validate(_summary_fields(entry, catalogue))


def alias_state(alias: Alias) -> AliasState:
    """An alias on the wire."""
    canary = CanaryShare(version=alias.canary.version, share=alias.canary.share) if alias.canary else None
    return AliasState(
        name=alias.name,
        alias=alias.alias,
        version=alias.version,
        canary=canary,
        shadow=alias.shadow,
        previous=list(reversed(alias.previous)),
    )


@router.get("", operation_id="list_models", summary="Every package and its state")
async def list_models(runtime: CurrentRuntime) -> ModelList:
    """Packages by name and version, one that failed with its reason; and aliases."""
    return model_list(runtime.catalogue)


@router.get("/{name}", operation_id="get_model", summary="The version that a name means", responses=UNKNOWN)
async def get_model(runtime: CurrentRuntime, name: Name) -> ModelDetail:
    """State and manifest of the version that answers."""
    return _detail(runtime.catalogue.entry(name), runtime.catalogue)


@router.get(
    "/{name}/ehr-schema",
    operation_id="get_record_schema",
    summary="The record a package reads, as JSON Schema",
    responses=problem_responses(UnknownModelError, NotReadyError),
)
async def get_record_schema(runtime: CurrentRuntime, name: Name) -> RecordSchema:
    """JSON Schema (2020-12) of the part `ehr` of `POST /predict`, for the version that the name means."""
    return record_json_schema(_verified(runtime.catalogue.entry(name)).manifest.ehr)


@router.get(
    "/{name}/{version}",
    operation_id="get_model_version",
    summary="One version of a package",
    responses=problem_responses(UnknownModelError, MalformedRequestError),
)
async def get_model_version(runtime: CurrentRuntime, name: Name, version: Version) -> ModelDetail:
    """State and manifest of this version."""
    return _detail(runtime.catalogue.entry(f"{name}@{version}"), runtime.catalogue)


@router.head("/{name}/{version}/card", include_in_schema=False)
@router.get(
    "/{name}/{version}/card",
    operation_id="get_model_card",
    summary="The model card of a package",
    response_class=FileAnswer,
    responses=problem_responses(UnknownModelError, NotReadyError, MalformedRequestError)
    | file_responses(CARD_MEDIA_TYPE),
)
def get_model_card(runtime: CurrentRuntime, name: Name, version: Version) -> FileAnswer:
    """For people: what the package is for, what it was trained on, how well it does. Markdown in UTF-8."""
    card = _verified(runtime.catalogue.entry(f"{name}@{version}")).card_path
    return FileAnswer(card, media_type=CARD_MEDIA_TYPE)
