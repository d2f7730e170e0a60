"""Everything that can go wrong, as one tree; each leaf has a stable code and knows nothing of HTTP.

    NeuroFuseError
    ├── RequestError                    the caller sent something that cannot be answered
    │   ├── MalformedRequestError           malformed-request
    │   ├── UploadTooLargeError             upload-too-large
    │   ├── ArchiveTooLargeError            archive-too-large
    │   ├── UnsupportedFileError            unsupported-file
    │   ├── UnsupportedEncodingError        unsupported-encoding
    │   ├── ImageError                  the file is readable in kind, but not as the image we need
    │   │   ├── CorruptImageError           corrupt-image
    │   │   ├── NoUsableSeriesError         no-usable-series
    │   │   ├── MixedSeriesError            mixed-series
    │   │   ├── MissingSlicesError          missing-slices
    │   │   ├── IrregularGeometryError      irregular-geometry
    │   │   ├── WrongModalityError          wrong-modality
    │   │   ├── UnreadableImageError        unreadable-image
    │   │   └── NotAHeadError               not-a-head
    │   ├── RecordError                 the EHR fields
    │   │   ├── EhrInvalidError             ehr-invalid
    │   │   └── EhrInsufficientError        ehr-insufficient
    │   ├── FeedbackInvalidError            feedback-invalid
    │   ├── WebhookRefusedError             webhook-refused
    │   ├── NotAuthenticatedError           not-authenticated
    │   ├── NotAllowedError                 not-allowed
    │   ├── RateLimitedError                rate-limited
    │   ├── CrossSiteError                  cross-site
    │   ├── SignInFailedError               sign-in-failed
    │   ├── PackageInUseError               package-in-use
    │   ├── NothingToRollBackError          nothing-to-roll-back
    │   ├── PackageRefusedError             package-refused
    │   ├── JobStateError               the job is in another state than the request needs
    │   │   ├── JobFinishedError            job-finished
    │   │   ├── JobCancelledError           job-cancelled
    │   │   ├── BatchClosedError            batch-closed
    │   │   ├── IdempotencyKeyInUseError    idempotency-key-in-use
    │   │   └── IdempotencyKeyReusedError   idempotency-key-reused
    │   └── LookupFailedError           a name that leads nowhere
    │       ├── UnknownModelError           unknown-model
    │       ├── UnknownPredictionError      unknown-prediction
    │       ├── UnknownUploadError          unknown-upload
    │       ├── UnknownJobError             unknown-job
    │       ├── UnknownBatchError           unknown-batch
    │       └── CaseExpiredError            case-expired
    ├── ServiceError                    the service cannot answer now
    │   ├── NotReadyError                   not-ready
    │   ├── OverloadedError                 overloaded
    │   ├── StorageUnavailableError         storage-unavailable
    │   ├── ProviderUnavailableError        provider-unavailable
    │   ├── JobInterruptedError             job-interrupted
    │   ├── AnswerUnreadableError           answer-unreadable
    │   └── DeadlinePassedError             deadline-passed
    └── PackageError                    a model package that must not be served
        ├── PackageInvalidError             package-invalid
        ├── PackageDigestError              package-digest
        ├── PackageExistsError              package-exists
        └── GoldenMismatchError             golden-mismatch

A message says what was expected, what was found and what to do. It goes to the client and to the log, so it never
holds a patient's value: no field content, no file name sent by a client, no DICOM attribute that identifies.
"""

from app.errors.base import NeuroFuseError as NeuroFuseError
from app.errors.base import RequestError as RequestError
from app.errors.images import CorruptImageError as CorruptImageError
from app.errors.images import ImageError as ImageError
from app.errors.images import IrregularGeometryError as IrregularGeometryError
from app.errors.images import MissingSlicesError as MissingSlicesError
from app.errors.images import MixedSeriesError as MixedSeriesError
from app.errors.images import NotAHeadError as NotAHeadError
from app.errors.images import NoUsableSeriesError as NoUsableSeriesError
from app.errors.images import UnreadableImageError as UnreadableImageError
from app.errors.images import WrongModalityError as WrongModalityError
from app.errors.packages import GoldenMismatchError as GoldenMismatchError
from app.errors.packages import PackageDigestError as PackageDigestError
from app.errors.packages import PackageError as PackageError
from app.errors.packages import PackageExistsError as PackageExistsError
from app.errors.packages import PackageInvalidError as PackageInvalidError


class MalformedRequestError(RequestError):
    """The request is not of the form the contract asks for."""

    code = "malformed-request"
    title = "The request is not of the expected form."


class UploadTooLargeError(RequestError):
    """The upload passes the limit on bytes or files."""

    code = "upload-too-large"
    title = "The upload is too large."


class ArchiveTooLargeError(RequestError):
    """An archive or compressed file unfolds to more than the limit."""

    code = "archive-too-large"
    title = "The archive unfolds to more than is allowed."


class UnsupportedFileError(RequestError):
    """The file is of a kind that is not read here."""

    code = "unsupported-file"
    title = "The file is of a kind that is not read here."


class UnsupportedEncodingError(RequestError):
    """The body is packed in a way that is not unpacked here."""

    code = "unsupported-encoding"
    title = "The request is packed in a way that is not read here."


class RecordError(RequestError):
    """The EHR fields cannot be used."""


class EhrInvalidError(RecordError):
    """A feature is unknown, of the wrong type, unit or category, or outside its plausible range."""

    code = "ehr-invalid"
    title = "The record has fields that cannot be used."


class EhrInsufficientError(RecordError):
    """Too few features are known for this package."""

    code = "ehr-insufficient"
    title = "The record has too few fields."


class FeedbackInvalidError(RequestError):
    """The outcome in a feedback is not a class of the package that answered."""

    code = "feedback-invalid"
    title = "The feedback names a class that the answer does not have."


class NotAuthenticatedError(RequestError):
    """The request does not say, or not rightly, on whose behalf it comes."""

    code = "not-authenticated"
    title = "The request is not authenticated."


class NotAllowedError(RequestError):
    """Whoever asks may not do this here, or nobody may: the operator has not opened it."""

    code = "not-allowed"
    title = "This is not allowed."


class CrossSiteError(RequestError):
    """A browser sent it on behalf of another site."""

    code = "cross-site"
    title = "The request comes from another site."


class SignInFailedError(RequestError):
    """The OpenID provider did not say who signs in, or not in a way that can be relied on."""

    code = "sign-in-failed"
    title = "The sign-in failed."


class RateLimitedError(RequestError):
    """The caller has sent more requests in a minute than the operator allows; `Retry-After` says when to go on."""

    code = "rate-limited"
    title = "Too many requests."


class PackageInUseError(RequestError):
    """An alias needs the package, or accepted jobs wait for it."""

    code = "package-in-use"
    title = "The model package is in use."


class NothingToRollBackError(RequestError):
    """The alias has no canary and no version before."""

    code = "nothing-to-roll-back"
    title = "There is nothing to go back to."


class PackageRefusedError(RequestError):
    """The model package cannot be made ready; nothing was changed, `reason` says why."""

    code = "package-refused"
    title = "The model package is refused."


class WebhookRefusedError(RequestError):
    """The address to be told is not one that the operator allows."""

    code = "webhook-refused"
    title = "The webhook's address is not allowed."


class JobStateError(RequestError):
    """The job is in another state than the request needs."""


class JobFinishedError(JobStateError):
    """The job is finished, so it cannot be cancelled."""

    code = "job-finished"
    title = "The job is finished."


class JobCancelledError(JobStateError):
    """The job was cancelled, so it has no answer."""

    code = "job-cancelled"
    title = "The job was cancelled."


class BatchClosedError(JobStateError):
    """The batch was closed and takes no more cases."""

    code = "batch-closed"
    title = "The batch is closed."


class IdempotencyKeyInUseError(JobStateError):
    """The first request with this Idempotency-Key is still being answered."""

    code = "idempotency-key-in-use"
    title = "The first request with this key is not finished."


class IdempotencyKeyReusedError(JobStateError):
    """The Idempotency-Key was used for another request."""

    code = "idempotency-key-reused"
    title = "The key belongs to another request."


class LookupFailedError(RequestError):
    """A name leads nowhere."""


class UnknownModelError(LookupFailedError):
    """No such package, version, alias or task."""

    code = "unknown-model"
    title = "There is no such model."


class UnknownPredictionError(LookupFailedError):
    """No such prediction is kept."""

    code = "unknown-prediction"
    title = "There is no such prediction."


class UnknownUploadError(LookupFailedError):
    """No such upload is kept, or its time is over."""

    code = "unknown-upload"
    title = "There is no such upload."


class UnknownJobError(LookupFailedError):
    """No job with this id was accepted, or its time is over."""

    code = "unknown-job"
    title = "There is no such job."


class UnknownBatchError(LookupFailedError):
    """No batch with this id was made, or its time is over."""

    code = "unknown-batch"
    title = "There is no such batch."


class CaseExpiredError(LookupFailedError):
    """The answer is kept, but not, or no longer, the image, the record or the heatmap that is needed."""

    code = "case-expired"
    title = "The case is no longer kept."


class ServiceError(NeuroFuseError):
    """The service cannot answer now."""


class NotReadyError(ServiceError):
    """The package is not loaded, or its self-test has not passed."""

    code = "not-ready"
    title = "The service is not ready."


class OverloadedError(ServiceError):
    """More is asked than can be answered now."""

    code = "overloaded"
    title = "The service is overloaded."


class StorageUnavailableError(ServiceError):
    """The database, or the object store of heatmaps and uploads, does not answer now."""

    code = "storage-unavailable"
    title = "The database or the object store does not answer."


class ProviderUnavailableError(ServiceError):
    """The OpenID provider does not answer now, or not as the standard says."""

    code = "provider-unavailable"
    title = "The OpenID provider does not answer."


class JobInterruptedError(ServiceError):
    """The service ended in the middle of the job as often as it may be tried."""

    code = "job-interrupted"
    title = "The job was interrupted too often."


class AnswerUnreadableError(ServiceError):
    """The answer is kept, but it is damaged, or another release kept it."""

    code = "answer-unreadable"
    title = "The answer cannot be read."


class DeadlinePassedError(ServiceError):
    """The time that a request allows was over before its turn came."""

    code = "deadline-passed"
    title = "The time for an answer is over."
