"""The application: parts made by its lifespan, routers, middleware. Nothing global, nothing made at import."""

import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypedDict

import anyio
import anyio.to_thread
from fastapi import Depends, FastAPI

from app import __version__
from app.api import (
    batches,
    feedback,
    health,
    inference_protocol,
    jobs,
    kept_cases,
    models,
    models_admin,
    predict,
    predictions,
    problem_pages,
    sign_in,
    upload_previews,
    worklist,
)
from app.api.access_document import document_access
from app.api.auditing import Auditing
from app.api.guard import Guard, require_admission
from app.api.middleware import RequestScope
from app.api.openapi import publish_document
from app.api.page import page_router
from app.api.problems import install_problem_handlers
from app.api.runtime import Runtime
from app.api.session_cookie import page_address
from app.data_folder.bounded_folders import KeepingLimits
from app.data_folder.case_store import CaseStore
from app.data_folder.layout import DataFolder
from app.data_folder.upload_store import UploadStore
from app.errors import NotReadyError, UnreadableImageError
from app.imaging.load import Loader
from app.imaging.workers.isolation import CLEANER, ImageWorkers
from app.inference.lost_device import end_when_lost
from app.inference.predictor import Predictor
from app.jobs.room import JobRoom
from app.jobs.signals import Signals
from app.jobs.worker import JobWorker
from app.metrics import Metrics
from app.model_package.package import Package
from app.model_package.store import ModelStore
from app.monitoring.certificate import CertificateCollector
from app.monitoring.room import Monitoring, keep_watching
from app.predictions.admission import Admission
from app.predictions.case_list import CaseList
from app.predictions.feedback import FeedbackService
from app.predictions.heatmaps import Heatmaps
from app.predictions.limits import worker_limits
from app.predictions.preview import Previewer
from app.predictions.rehearsal import rehearse
from app.predictions.retention import Retention
from app.predictions.service import PredictionService
from app.predictions.unrecorded import CASES_EVERY_S, HEATMAPS_EVERY_S, Unrecorded
from app.predictions.what_if import KeptCases
from app.records.audit_retention import AuditRetention
from app.records.copying import require_taken_along
from app.records.remote_artefacts import open_artefacts
from app.records.store import RecordStore
from app.scratch_folders import ScratchFolders
from app.security.authenticator import Authenticator
from app.security.sessions import Sessions
from app.security.sign_in import sign_in_of
from app.serving.catalogue import Catalogue
from app.serving.entry import StartPredictor
from app.serving.rollout import Rollout, keep_following
from app.serving.shadow import ShadowComparisons
from app.serving.start import start_as_set
from app.serving.trial import PackageTrial
from app.settings import Settings
from app.sweeping import keep_sweeping
from app.tracing import Tracing

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
DESCRIPTION = """Outcome from a head CT or brain MRI together with the patient's record: what the model expects, how sure
it is, and where it looked. Errors are RFC 9457 problem documents; `GET /problems` lists them. Every answer bears
the header `X-Request-ID`, by which the operator finds it in the log; one that is sent is taken, where it is a UUID."""

NO_READERS = (
    "Expected every process that reads images to answer the package's golden case; one ended, or took too long. Where memory is short, "
    "these processes are ended first: give the service more of it, or set NEUROFUSE_READ_WORKERS lower, and start it anew."
)


class _State(TypedDict):
    runtime: Runtime


def create_app(settings: Settings, start_predictor: StartPredictor | None = None) -> FastAPI:
    """Make one application.

    Args:
        settings: The operator's choices; nothing else is read from the environment.
        start_predictor: How packages are made ready; by default in this process (`app.serving.start`).

    Returns:
        An ASGI application whose packages are loaded in the background once its lifespan begins.
    """
    metrics, tracing = Metrics(), _tracing(settings)
    metrics.registry.register(CertificateCollector(settings.tls_certificate))
    app = FastAPI(
        title="NeuroFuse",
        version=__version__,
        description=DESCRIPTION,
        lifespan=_lifespan(settings, metrics, tracing, start_predictor),
        docs_url=None,  # FastAPI's own pages load their programs from a network; ours is in app.api.page
        redoc_url=None,
        redirect_slashes=False,  # a redirect would be absolute, to the host that the client names
        # Its own would tell whatever collector the environment names of addresses, and of the words of exceptions.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        dependencies=[Depends(require_admission)],
    )
    # The last one added is the outermost.
    app.add_middleware(Guard, application=app, settings=settings)
    app.add_middleware(Auditing)
    app.add_middleware(RequestScope, metrics=metrics, tracing=tracing)
    install_problem_handlers(app)
    resources = (predict, predictions, jobs, batches, kept_cases, worklist, feedback, upload_previews)
    for resource in (*resources, models, models_admin, inference_protocol, sign_in, health, problem_pages):
        app.include_router(resource.router)
    app.include_router(page_router())
    publish_document(app, document_access)
    return app


def _lifespan(
    settings: Settings, metrics: Metrics, tracing: Tracing, start_predictor: StartPredictor | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[_State]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[_State]:
        tracing.begin()
        folder = DataFolder(settings.data)
        with folder.held():
            folder.prepare()
            async with _living(settings, folder, metrics, tracing, start_predictor) as runtime:
                yield {"runtime": runtime}

    return lifespan


@asynccontextmanager
async def _living(
    settings: Settings,
    folder: DataFolder,
    metrics: Metrics,
    tracing: Tracing,
    start_predictor: StartPredictor | None,
) -> AsyncIterator[Runtime]:
    """The living parts, at work while the block runs."""
    database = settings.database_url.get_secret_value() or folder.database
    if isinstance(database, str):
        require_taken_along(folder.database, database)
    records = RecordStore(database, settings.database_connections)
    workers = ImageWorkers(worker_limits(settings), scratch=folder.uploads)
    # Of its own: a job is accepted at once, however long the cases take that are being read.
    cleaner = ImageWorkers(replace(worker_limits(settings), workers=1, name=CLEANER), scratch=folder.uploads)
    start = start_predictor or start_as_set(settings, metrics=metrics)
    trial = PackageTrial(settings)
    catalogue = Catalogue(
        ModelStore(settings.model_store),
        _start_beside(workers, settings, start, records),
        metrics,
        trial=None if start_predictor else trial,  # what runs elsewhere cannot end this process
    )
    monitoring = Monitoring(metrics, records, catalogue, folder, __version__)
    runtime = _runtime(
        settings, metrics, records, catalogue, monitoring, loader=workers, deidentify=cleaner.deidentify
    )

    with (
        closing(tracing),
        closing(records),
        workers,
        cleaner,
        closing(catalogue),
        closing(runtime.shadows),
        closing(runtime.scratch),
        monitoring.shown_in(metrics.registry),
    ):
        async with anyio.create_task_group() as background:
            # Probes answer while packages load; requests for a package that is not ready are refused.
            background.start_soon(anyio.to_thread.run_sync, workers.begin)
            background.start_soon(anyio.to_thread.run_sync, cleaner.begin)
            background.start_soon(end_when_lost)
            background.start_soon(keep_following, runtime.rollout)
            background.start_soon(keep_sweeping, runtime.swept, metrics.sweep_faults)
            background.start_soon(keep_watching, monitoring.watches, metrics.watch_faults)
            background.start_soon(runtime.jobs.run)
            with closing(trial):  # before the threads that wait for it are waited for
                yield runtime
            background.cancel_scope.cancel()


def _tracing(settings: Settings) -> Tracing:
    try:
        return Tracing(settings.otlp_endpoint, __version__)
    except ModuleNotFoundError as error:
        raise NotReadyError(
            "Expected OpenTelemetry for NEUROFUSE_OTLP_ENDPOINT; it is not installed. In a clone: pip install -e '.[tracing]'"
        ) from error


def _runtime(  # noqa: PLR0913 - what it is made of
    settings: Settings,
    metrics: Metrics,
    records: RecordStore,
    catalogue: Catalogue,
    monitoring: Monitoring,
    *,
    loader: Loader,
    deidentify: Callable[[Sequence[Path], Path, bytes], None],
) -> Runtime:
    """The living parts, put together."""
    folder = DataFolder(settings.data)
    cases = CaseStore(folder.cases, KeepingLimits(settings.case_hours * HOUR_S, settings.case_bytes))
    uploads = UploadStore(folder.previews, settings.case_bytes)
    artefacts = open_artefacts(settings.artefacts, folder.root, folder.uploads)
    heatmaps = Heatmaps(artefacts, settings.keep_heatmaps_days * DAY_S or math.inf)
    admission = Admission(
        settings.cases_at_once, settings.queue_places, settings.slow_uploads, metrics.pending
    )
    shadows = ShadowComparisons(catalogue, metrics, lambda: admission.idle)
    predictions = PredictionService(
        records.predictions,
        heatmaps,
        cases,
        metrics,
        loader=loader,
        shadows=shadows,
        watch=monitoring.see,
        alone=lambda: admission.lone,
    )
    retention = Retention(
        predictions, records.predictions, settings.keep_predictions_days * DAY_S or math.inf
    )
    forgetting = AuditRetention(records.audit, settings.keep_audit_days * DAY_S or math.inf)
    worker = JobWorker(records.job_turns, records.jobs, artefacts, catalogue, predictions, Signals(), metrics)
    job_room = JobRoom(settings, records, worker, admission)
    idle, lifetime = timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_hours)
    sessions = Sessions(records.sessions, idle, lifetime)
    authenticator = Authenticator(settings, records.api_keys)
    return Runtime(
        settings=settings,
        metrics=metrics,
        catalogue=catalogue,
        rollout=Rollout(records.plan, catalogue),
        moving=anyio.CapacityLimiter(1),
        shadows=shadows,
        admission=admission,
        predictions=predictions,
        jobs=job_room,
        scratch=ScratchFolders(folder.uploads),
        swept=(
            cases,
            uploads,
            heatmaps,
            retention,
            Unrecorded(cases.ids, cases.delete, records.predictions.recorded, CASES_EVERY_S),
            Unrecorded(heatmaps.ids, heatmaps.delete, records.predictions.recorded, HEATMAPS_EVERY_S),
            job_room.sweep,
            sessions,
            forgetting,
            records.write_ahead_log,  # after all that removes something
        ),
        kept_cases=KeptCases(predictions, cases, catalogue, metrics),
        uploads=uploads,
        previewer=Previewer(uploads, loader, deidentify),
        deidentify=deidentify,
        case_list=CaseList(records.worklist, cases),
        feedback=FeedbackService(predictions, records.feedback),
        authenticator=authenticator,
        sessions=sessions,
        audit=records.audit,
        sign_in=sign_in_of(settings, authenticator, page_address(settings) + sign_in.CALLBACK),
        signing_in=anyio.CapacityLimiter(sign_in.ASKING),
    )


def _start_beside(
    workers: ImageWorkers, settings: Settings, start: StartPredictor, records: RecordStore
) -> StartPredictor:
    """How packages are made ready here: a package is, once a case of it has gone through every worker."""

    def start_beside_workers(package: Package) -> Predictor:
        predictor = start(package)
        try:
            workers.warm()  # begun at the start; here it is waited for
            rehearse(predictor, workers, settings.readers, records.predictions)
        except UnreadableImageError:  # no fault of the package, whose golden case is an image like any other
            raise NotReadyError(NO_READERS) from None
        return predictor

    return start_beside_workers
