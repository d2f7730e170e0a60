"""A case that is accepted as a job: judged as far as can be done without reading its image, then kept until it is answered."""

import shutil
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread
from fastapi import Request
from fastapi.responses import JSONResponse

from app.api.answers import accepted, outcome, pause_s
from app.api.case_form import case_of, chosen
from app.api.form_receiver import Form
from app.api.runtime import Runtime
from app.api.uploads import upload_folder
from app.api.visibility import caller_of, id_of, only_of, require_own_batch, require_own_upload
from app.ehr.encode import encode
from app.errors import IdempotencyKeyInUseError, MalformedRequestError, NotAllowedError, NotReadyError
from app.imaging.deidentify import new_key
from app.imaging.deidentify_dicom import series_uid
from app.inference.ticket import AbandonedError, Ticket, Urgency
from app.jobs.request import fingerprint
from app.jobs.service import Wanted
from app.predictions.answer import Answer
from app.predictions.entry import Entry, require_ready
from app.predictions.explain import Case
from app.predictions.upload_store import KeptUpload
from app.records.jobs import OPEN, Job

RESPOND_ASYNC: Final = "respond-async"
APPLIED: Final = {"Preference-Applied": RESPOND_ASYNC}
JOB_PARTS: Final = frozenset({"webhook", "batch"})
LOOK_EVERY_S: Final = 1.0


@dataclass(frozen=True)
class Wishes:
    """How a request is to be treated, from its headers.

    Attributes:
        ticket: Its urgency, and until when the answer is of use.
        urgency: Of the job; a job that says nothing waits for everybody else.
        key: The client's own name for it.
        later: Whether it is answered at once, to ask for the answer later.
    """

    ticket: Ticket
    urgency: Urgency
    key: str | None
    later: bool

    @property
    def is_job(self) -> bool:
        """A key makes a job too: only what is written down can be answered the same after a crash."""
        return self.later or self.key is not None


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
    require_own_upload(runtime, only_of(request.state.principal), upload_id)
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
        return chosen(form, runtime.catalogue, wishes.key or request.state.request_id), wishes.urgency
    if form.fields.keys() & {"task", "model"}:
        raise MalformedRequestError(
            "Expected no part `task` or `model` beside `batch`, which names the package already.",
            part="batch",
        )
    require_own_batch(runtime, only_of(request.state.principal), batch_id)
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


async def answer_of(
    job: Job, is_new: bool, wishes: Wishes, request: Request, runtime: Runtime
) -> Answer | JSONResponse:
    """What a request is answered whose case was accepted as a job.

    Raises:
        IdempotencyKeyInUseError: The first request of this key is still being answered.
        AbandonedError: The client has gone; the job goes on.
        DeadlinePassedError: The time that the request allows is over; the job goes on.
    """
    if not wishes.later and not is_new and job.state in OPEN:
        raise IdempotencyKeyInUseError(
            "Expected the first request with this Idempotency-Key to be finished; it is not. Come back later.",
            retry_after_s=pause_s(job),
        )
    if wishes.later and wishes.ticket.deadline_s is None:
        return await anyio.to_thread.run_sync(_accepted, job, runtime)
    job = await _end_of(job, wishes, request, runtime)
    if job.state in OPEN:
        return await anyio.to_thread.run_sync(_accepted, job, runtime)
    return await anyio.to_thread.run_sync(outcome, job, request, runtime)


def _accepted(job: Job, runtime: Runtime) -> JSONResponse:
    return accepted(job, runtime, **APPLIED)


async def _end_of(job: Job, wishes: Wishes, request: Request, runtime: Runtime) -> Job:
    """The job once it has ended, or, where a later answer will do, when the time to wait is over."""
    deadline_s = wishes.ticket.deadline_s
    with runtime.jobs.signals.end_of(job.id) as ended:
        while job.state in OPEN:
            if wishes.later and deadline_s is not None and time.monotonic() >= deadline_s:
                return job
            wishes.ticket.check()
            if await request.is_disconnected():
                raise AbandonedError
            with anyio.move_on_after(_pause_s(deadline_s)):
                await ended.wait()
            job = await anyio.to_thread.run_sync(runtime.jobs.service.get, job.id)
    return job


def _pause_s(deadline_s: float | None) -> float:
    return LOOK_EVERY_S if deadline_s is None else min(LOOK_EVERY_S, max(0.0, deadline_s - time.monotonic()))
