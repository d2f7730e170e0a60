"""Packages in motion: load, unload, aliases with canary and shadow, roll back. For administrators."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Annotated, Final, TypeVar

import anyio.to_thread
from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from app import errors
from app.api.auditing import note
from app.api.json_body import BoundedJson
from app.api.models import Version, alias_state, model_list, model_summary
from app.api.openapi import problem_responses
from app.api.runtime import CurrentRuntime, Runtime
from app.api.schemas import AliasState, CanaryShare, ModelList, ModelSummary
from app.model_package.naming import Reference
from app.predictions.document import Document
from app.records.aliases import Alias, Canary
from app.serving.plan_edits import AliasChange
from app.serving.routing import ALIAS_PATTERN

FOUND: Final = (errors.MalformedRequestError, errors.UnknownModelError)
REFUSED: Final = (*FOUND, errors.PackageRefusedError)
IN_USE: Final = (*FOUND, errors.PackageInUseError)

router = APIRouter(prefix="/admin/models", tags=["administration"], route_class=BoundedJson)

Name = Annotated[str, Path(description="Package name.", examples=["gos"])]
AliasName = Annotated[
    str, Path(description="Begins with a letter.", pattern=f"^{ALIAS_PATTERN}$", examples=["production"])
]
Result = TypeVar("Result")


class AliasWish(Document):
    """What an alias is to mean, as a whole: what is absent it has no longer."""

    version: Annotated[int, Field(ge=1, description="What answers.")]
    canary: Annotated[CanaryShare | None, Field(description="What answers a share of the cases.")] = None
    shadow: Annotated[int | None, Field(ge=1, description="What is compared in the background.")] = None


class AliasTrial(Document):
    """What an alias is to try; what is absent stays as it is."""

    canary: Annotated[
        CanaryShare | None, Field(description="What answers a share of the cases; null for none.")
    ] = None
    shadow: Annotated[
        int | None, Field(ge=1, description="What is compared in the background; null for none.")
    ] = None


def _canary(share: CanaryShare | None) -> Canary | None:
    return Canary(share.version, share.share) if share else None


def _told(request: Request, moved: Alias) -> AliasState:
    """The answer; the audit trail is told what the alias means from now on, of which the path says nothing."""
    parts = [str(Reference(moved.name, moved.version))]
    if moved.canary is not None:
        parts.append(f"canary {moved.canary.share:g} {Reference(moved.name, moved.canary.version)}")
    if moved.shadow is not None:
        parts.append(f"shadow {Reference(moved.name, moved.shadow)}")
    note(request, str(moved), ", ".join(parts))
    return alias_state(moved)


async def _apart(runtime: Runtime, act: Callable[[], Result]) -> Result:
    """Loading takes seconds: one after the other, in a thread that nothing else waits for."""
    return await anyio.to_thread.run_sync(act, limiter=runtime.moving)


@router.get(
    "",
    operation_id="look_into_store",
    summary="Every package in the store",
    responses=problem_responses(),
)
async def look_into_store(runtime: CurrentRuntime) -> ModelList:
    """As `GET /models`, after a look into the store: what came since is listed as `unloaded`."""
    await anyio.to_thread.run_sync(runtime.catalogue.look)
    return model_list(runtime.catalogue)


@router.post(
    "/{name}/{version}/load",
    operation_id="load_model",
    summary="Serve a version",
    responses=problem_responses(*REFUSED),
)
async def load_model(runtime: CurrentRuntime, name: Name, version: Version) -> ModelSummary:
    """Answers once it is verified, opened, warm and tested, and every name that means it by now means it; or refuses it and changes nothing."""
    entry = await _apart(runtime, partial(runtime.rollout.load, Reference(name, version)))
    return model_summary(entry, runtime.catalogue)


@router.post(
    "/{name}/{version}/unload",
    operation_id="unload_model",
    summary="Serve a version no longer",
    responses=problem_responses(*IN_USE),
)
async def unload_model(runtime: CurrentRuntime, name: Name, version: Version) -> ModelSummary:
    """Cases that it is answering are answered; then its memory is given back. The package stays in the store."""
    entry = await _apart(runtime, partial(runtime.rollout.unload, Reference(name, version)))
    return model_summary(entry, runtime.catalogue)


@router.put(
    "/{name}/aliases/{alias}",
    operation_id="put_alias",
    summary="Say what an alias means",
    responses=problem_responses(*REFUSED, errors.UploadTooLargeError),
)
async def put_alias(
    request: Request, runtime: CurrentRuntime, name: Name, alias: AliasName, wish: AliasWish
) -> AliasState:
    """Loads what it needs, then switches at once. A canary gets its share by a hash of the case's `reference`, else of its request id."""
    wanted = Alias(name, alias, wish.version, _canary(wish.canary), wish.shadow)
    return _told(request, await _apart(runtime, partial(runtime.rollout.point, wanted)))


@router.patch(
    "/{name}/aliases/{alias}",
    operation_id="try_with_alias",
    summary="Change the canary or the shadow of an alias",
    responses=problem_responses(*REFUSED, errors.UploadTooLargeError),
)
async def try_with_alias(
    request: Request, runtime: CurrentRuntime, name: Name, alias: AliasName, trial: AliasTrial
) -> AliasState:
    """Loads what it needs, then changes what is named and nothing else: a version to which somebody moved the alias meanwhile stays."""
    what: AliasChange = {}
    if "canary" in trial.model_fields_set:
        what["canary"] = _canary(trial.canary)
    if "shadow" in trial.model_fields_set:
        what["shadow"] = trial.shadow
    return _told(request, await _apart(runtime, partial(runtime.rollout.try_out, name, alias, what)))


@router.post(
    "/{name}/aliases/{alias}/rollback",
    operation_id="roll_alias_back",
    summary="Go back to what answered before",
    responses=problem_responses(*REFUSED, errors.NothingToRollBackError),
)
async def roll_alias_back(
    request: Request, runtime: CurrentRuntime, name: Name, alias: AliasName
) -> AliasState:
    """Ends the canary, where there is one; else goes back by one version. Either way every case has one and the same version again."""
    return _told(request, await _apart(runtime, partial(runtime.rollout.roll_back, name, alias)))


@router.delete(
    "/{name}/aliases/{alias}",
    operation_id="delete_alias",
    summary="Forget an alias",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=problem_responses(*FOUND),
)
async def delete_alias(runtime: CurrentRuntime, name: Name, alias: AliasName) -> None:
    """Its versions stay loaded. Without `production`, a bare name means the latest version in service again."""
    await _apart(runtime, partial(runtime.rollout.remove, name, alias))
