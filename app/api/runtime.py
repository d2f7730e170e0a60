"""What the routes work with; made once by the application's lifespan and handed to every request."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, cast

from anyio import CapacityLimiter
from fastapi import Depends, Request

from app.data_folder.upload_store import UploadStore
from app.jobs.room import JobRoom
from app.metrics import Metrics
from app.predictions.admission import Admission
from app.predictions.case_list import CaseList
from app.predictions.feedback import FeedbackService
from app.predictions.preview import Previewer
from app.predictions.service import PredictionService
from app.predictions.what_if import KeptCases
from app.records.audit import AuditTrail
from app.scratch_folders import ScratchFolders
from app.security.authenticator import Authenticator
from app.security.sessions import Sessions
from app.security.sign_in import SignIn
from app.serving.catalogue import Catalogue
from app.serving.rollout import Rollout
from app.serving.shadow import ShadowComparisons
from app.settings import Settings
from app.sweeping import Swept


@dataclass(frozen=True)
class Runtime:
    """The living parts of one application.

    Attributes:
        settings: The operator's choices.
        metrics: Of this application.
        authenticator: Knows who shows what.
        catalogue: Packages and their states.
        rollout: Moves them.
        moving: Lets one move after the other have a thread.
        shadows: Compares versions in the background.
        admission: The bounded queue.
        predictions: The use case.
        jobs: Cases that are answered later.
        scratch: Folders for uploads while they are answered.
        swept: All that is kept for its time.
        kept_cases: Cases that are kept for a while, asked again.
        uploads: Uploads that are kept for a while.
        previewer: Reads uploads before they are asked about.
        deidentify: Writes what may be kept of an upload: files, folder, key.
        case_list: The worklist.
        feedback: What clinicians say of answers.
        sessions: Who is signed in on the page.
        sign_in: How people do; None where no OpenID provider is set.
        signing_in: Lets few wait for that provider at the same time, in threads apart.
        audit: Who did what.
    """

    settings: Settings
    metrics: Metrics
    authenticator: Authenticator
    catalogue: Catalogue
    rollout: Rollout
    moving: CapacityLimiter
    shadows: ShadowComparisons
    admission: Admission
    predictions: PredictionService
    jobs: JobRoom
    scratch: ScratchFolders
    swept: Sequence[Swept]
    kept_cases: KeptCases
    uploads: UploadStore
    previewer: Previewer
    deidentify: Callable[[Sequence[Path], Path, bytes], None]
    case_list: CaseList
    feedback: FeedbackService
    sessions: Sessions
    sign_in: SignIn | None
    signing_in: CapacityLimiter
    audit: AuditTrail


async def _runtime(request: Request) -> Runtime:
    return cast("Runtime", request.state.runtime)


CurrentRuntime = Annotated[Runtime, Depends(_runtime)]
