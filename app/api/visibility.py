"""Whose cases a caller may see: a clinician those of the whole site, a system those that it sent.

What somebody may not see is not there for them: they get the same 404, word for word, as for an id that never was.
"""

from typing import Annotated, Final

import anyio.to_thread
from fastapi import Depends, Path

from app.api.access import CurrentPrincipal
from app.api.runtime import CurrentRuntime, Runtime
from app.data_folder.upload_store import unknown_upload
from app.records.job_acceptance import unknown_batch
from app.records.jobs import unknown_job
from app.records.predictions import unknown_prediction
from app.security.principal import Principal

EXAMPLES: Final = ["0193c2f4-6a00-7a31-9c2e-5d1f0b7e8a90"]


def id_of(text: str) -> str:
    """An id as it is kept: in capitals it means the same (RFC 9562, section 4), and some databases give it back so."""
    return text.lower()


def caller_of(principal: Principal) -> str:
    """Under which name a case is kept; none where nobody was asked for one."""
    return "" if principal.kind == "local" else principal.subject


def only_of(principal: Principal) -> str | None:
    """The caller whose cases alone may be seen; None where all may."""
    return None if principal.sees_all() else caller_of(principal)


async def _prediction_id(
    runtime: CurrentRuntime,
    principal: CurrentPrincipal,
    prediction_id: Annotated[str, Path(description="The `id` of an answer.", examples=EXAMPLES)],
) -> str:
    """The id of a prediction, or of a job that will be one.

    Raises:
        UnknownPredictionError: The caller, who sees no other's, did not ask for it.
    """
    prediction_id = id_of(prediction_id)
    if not await _may_see(runtime, principal, prediction_id):
        raise unknown_prediction()
    return prediction_id


async def _job_id(
    runtime: CurrentRuntime,
    principal: CurrentPrincipal,
    job_id: Annotated[str, Path(description="Of a job, which its answer has too.", examples=EXAMPLES)],
) -> str:
    """The id of a job.

    Raises:
        UnknownJobError: The caller, who sees no other's, did not send it.
    """
    job_id = id_of(job_id)
    if not await _may_see(runtime, principal, job_id):
        raise unknown_job()
    return job_id


async def _batch_id(
    runtime: CurrentRuntime,
    principal: CurrentPrincipal,
    batch_id: Annotated[str, Path(description="The `id` of a batch.", examples=EXAMPLES)],
) -> str:
    """The id of a batch.

    Raises:
        UnknownBatchError: Somebody else made it.
    """
    batch_id = id_of(batch_id)
    await anyio.to_thread.run_sync(require_own_batch, runtime, principal, batch_id)
    return batch_id


def require_own_batch(runtime: Runtime, principal: Principal, batch_id: str) -> None:
    """Refuse a batch that somebody else made, to whom sees no other's.

    Raises:
        UnknownBatchError: As for one that is not there.
    """
    only = only_of(principal)
    if only is not None and runtime.jobs.batches.get(batch_id).caller != only:
        raise unknown_batch()


async def _upload_id(
    runtime: CurrentRuntime,
    principal: CurrentPrincipal,
    upload_id: Annotated[str, Path(description="The `id` of a preview.", examples=EXAMPLES)],
) -> str:
    """The id of a preview.

    Raises:
        UnknownUploadError: Somebody else sent it.
    """
    upload_id = id_of(upload_id)
    await anyio.to_thread.run_sync(require_own_upload, runtime, principal, upload_id)
    return upload_id


def require_own_upload(runtime: Runtime, principal: Principal, upload_id: str) -> None:
    """Refuse an upload that somebody else sent, to whom sees no other's.

    Raises:
        UnknownUploadError: As for one that is not there.
    """
    only = only_of(principal)
    if only is not None and runtime.uploads.caller(upload_id) != only:
        raise unknown_upload()


async def _may_see(runtime: Runtime, principal: Principal, case_id: str) -> bool:
    only = only_of(principal)
    return only is None or await anyio.to_thread.run_sync(_is_of, runtime, only, case_id)


def _is_of(runtime: Runtime, only: str, case_id: str) -> bool:
    """Whether a caller asked for an answer, or sent its job. One that is not there is nobody's, so that it cannot be told from another's."""
    job = runtime.jobs.records.find(case_id)
    return only in {runtime.predictions.caller(case_id), job and job.caller}


PredictionId = Annotated[str, Depends(_prediction_id)]
"""The path parameter `prediction_id`, of a case that the caller may see."""
JobId = Annotated[str, Depends(_job_id)]
"""The path parameter `job_id`, likewise."""
BatchId = Annotated[str, Depends(_batch_id)]
"""The path parameter `batch_id`, likewise."""
UploadId = Annotated[str, Depends(_upload_id)]
"""The path parameter `upload_id`, likewise."""
