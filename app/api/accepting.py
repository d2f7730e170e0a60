"""A case that is accepted as a job: judged as far as can be done without reading its image, then kept until it is answered."""

import shutil
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Final

import anyio.to_thread
from fastapi import Request

from app.api.case_form import case_of, chosen
from app.api.form_receiver import Form
from app.api.preferences import Wishes
from app.api.runtime import Runtime
from app.api.uploads import upload_folder
from app.api.visibility import caller_of, id_of, require_own_batch, require_own_upload
from app.data_folder.upload_store import KeptUpload
from app.ehr.encode import encode
from app.errors import MalformedRequestError, NotAllowedError, NotReadyError
from app.imaging.deidentify.dicom import series_uid
from app.imaging.deidentify.upload import new_key
from app.inference.ticket import Urgency
from app.jobs.request import fingerprint
from app.jobs.service import Wanted
from app.predictions.case import Case
from app.records.jobs import Job
from app.serving.entry import Entry, require_ready

JOB_PARTS: Final = frozenset({"webhook", "batch"})


def refuse_job_parts(form: Form) -> None:
    """Judge the form of a request that is no job.

    Raises:
        MalformedRequestError: It has parts that only a job has.
    """
    for part in sorted(form.fields.keys() & JOB_PARTS):
        raise MalformedRequestError(
            f"Expected the part `{part}` only with `Prefer: respond-async`; the request is answered at once.",
            part=part,
        )


def named_upload(form: Form, request: Request, runtime: Runtime) -> AbstractContextManager[KeptUpload | None]:
    """The kept upload that the form names, held while the block runs.

    Raises:
        UnknownUploadError: None with this id is kept, or somebody else sent it.
    """
    if "upload" not in form.fields:
        return nullcontext()
    upload_id = id_of(form.fields["upload"])
    require_own_upload(runtime, request.state.principal, upload_id)
    return runtime.uploads.using(upload_id)


async def accept(form: Form, wishes: Wishes, request: Request, runtime: Runtime) -> tuple[Job, bool]:
    """Accept a case as a job.

    Args:
        form: As received.
        wishes: How it is to be treated.
        request: It came with.
        runtime: The living parts.

    Returns:
        The job, and whether it is new: it is not where the same request came before, under the same key.

    Raises:
        NeuroFuseError: All that can be said without looking at a voxel, as the answer to the request itself.
    """
    caller = caller_of(request.state.principal)
    digest = await anyio.to_thread.run_sync(fingerprint, form.fields, form.images)
    # Before all else is judged: what was accepted once stays so, though its package or its upload has gone since.
    earlier = await anyio.to_thread.run_sync(runtime.jobs.service.earlier, caller, wishes.key, digest)
    if earlier is not None:
        return earlier, False
    try:
        return await _accept_new(form, digest, wishes, request, runtime)
    except NotReadyError:
        # Its package may have been unloaded since it was chosen: what the name means now answers. Where that is the same one, this says so.
        return await _accept_new(form, digest, wishes, request, runtime)


async def _accept_new(
    form: Form, digest: str, wishes: Wishes, request: Request, runtime: Runtime
) -> tuple[Job, bool]:
    """As `accept`, of a request that did not come before.

    Raises:
        NotReadyError: The package is not ready, or no longer once all else is.
    """
    entry, urgency = await anyio.to_thread.run_sync(_model, form, wishes, request, runtime)
    predictor = require_ready(entry)
    webhook = form.fields.get("webhook")
    with named_upload(form, request, runtime) as upload:
        case = case_of(form, upload, caller_of(request.state.principal))
        encode(case.record, predictor.package.manifest.ehr)
        wanted = Wanted(
            case=case,
            model=entry.reference,
            urgency=urgency,
            fingerprint=digest,
            key=wishes.key,
            webhook_url=None if webhook is None else runtime.jobs.addresses.judge(webhook),
            batch_id=_batch_of(form),
        )
        async with upload_folder(runtime.scratch) as folder:
            if upload is None:
                key = new_key()
                await anyio.to_thread.run_sync(runtime.deidentify, case.images, folder, key)
                wanted = replace(wanted, case=_in_kept_files(case, key))
            else:
                await anyio.to_thread.run_sync(_copy, case.images, folder)
            job = await anyio.to_thread.run_sync(runtime.jobs.service.accept, wanted, folder)
    return job, job.id == case.id


def _in_kept_files(case: Case, key: bytes) -> Case:
    """The series that is meant, by the name that stands for its own."""
    return case if case.series is None else replace(case, series=series_uid(case.series, key))


def _model(form: Form, wishes: Wishes, request: Request, runtime: Runtime) -> tuple[Entry, Urgency]:
    """The package that answers, and whose turn comes first: as the batch says, or the request."""
    batch_id = _batch_of(form)
    if batch_id is None:
        return chosen(form, runtime.catalogue, wishes.key or request.state.request_id), wishes.ticket.urgency
    if form.fields.keys() & {"task", "model"}:
        raise MalformedRequestError(
            "Expected no part `task` or `model` beside `batch`, which names the package already.",
            part="batch",
        )
    require_own_batch(runtime, request.state.principal, batch_id)
    batch = runtime.jobs.batches.get(batch_id)
    if batch.caller != caller_of(request.state.principal):
        # Its table shows every case in it to whoever made it, who may see fewer than whoever sends this one.
        raise NotAllowedError("Expected a batch of your own; somebody else made this one. Make another one.")
    return runtime.catalogue.entry(f"{batch.model_name}@{batch.model_version}"), Urgency(batch.priority)


def _batch_of(form: Form) -> str | None:
    return id_of(form.fields["batch"]) if "batch" in form.fields else None


def _copy(images: Iterable[Path], folder: Path) -> None:
    """The files of a kept upload are its own: it may be asked again."""
    for image in images:
        shutil.copyfile(image, folder / image.name)
