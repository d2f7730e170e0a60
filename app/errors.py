"""Everything that can go wrong, as one tree; each leaf has a stable code and knows nothing of HTTP.

    NeuroFuseError
    ├── RequestError                    the caller sent something that cannot be answered
    │   ├── MalformedRequestError           malformed-request
    │   ├── UploadTooLargeError             upload-too-large
    │   ├── ArchiveTooLargeError            archive-too-large
    │   ├── UnsupportedFileError            unsupported-file
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
    │   ├── JobInterruptedError             job-interrupted
    │   └── DeadlinePassedError             deadline-passed
    └── PackageError                    a model package that must not be served
        ├── PackageInvalidError             package-invalid
        ├── PackageDigestError              package-digest
        ├── PackageExistsError              package-exists
        └── GoldenMismatchError             golden-mismatch

A message says what was expected, what was found and what to do. It goes to the client and to the log, so it never
holds a patient's value: no field content, no file name sent by a client, no DICOM attribute that identifies.
"""

from typing import Any, ClassVar


class NeuroFuseError(Exception):
    """Base of every error raised on purpose.

    Args:
        detail: What was expected, what was found, what to do; free of patient data.
        **fields: Machine-readable extras that become members of the problem document (`features`, `limit`, ...).

    Attributes:
        code: Stable identifier, kebab-case; part of the HTTP contract.
        title: One short sentence, the same for every occurrence of the code.
    """

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "The service failed."

    def __init__(self, detail: str, **fields: Any) -> None:  # noqa: ANN401 - any JSON value
        super().__init__(detail)
        self.detail = detail
        self.fields = fields


class RequestError(NeuroFuseError):
    """The caller sent something that cannot be answered."""


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


class ImageError(RequestError):
    """The file is of a known kind, but not the image we need."""


class CorruptImageError(ImageError):
    """Truncated or contradictory data."""

    code = "corrupt-image"
    title = "The image data is damaged."


class NoUsableSeriesError(ImageError):
    """No series in the upload can be used for the task."""

    code = "no-usable-series"
    title = "No usable image series was found."


class MixedSeriesError(ImageError):
    """The upload holds several series that could be meant."""

    code = "mixed-series"
    title = "The upload holds more than one series."


class MissingSlicesError(ImageError):
    """A hole between slices is too wide to bridge."""

    code = "missing-slices"
    title = "Slices are missing."


class IrregularGeometryError(ImageError):
    """Positions or orientations do not form a volume."""

    code = "irregular-geometry"
    title = "The slices do not form a volume."


class WrongModalityError(ImageError):
    """The image is not of the modality the task needs."""

    code = "wrong-modality"
    title = "The image is of the wrong modality."


class UnreadableImageError(ImageError):
    """Reading met a limit on time or memory, or a decoder ended abnormally."""

    code = "unreadable-image"
    title = "The image cannot be read within the limits."


class NotAHeadError(ImageError):
    """The image certainly shows something else than a head."""

    code = "not-a-head"
    title = "The image does not show a head."


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
    """Nobody may do this here; the operator has not opened it."""

    code = "not-allowed"
    title = "This is not allowed."


class PackageInUseError(RequestError):
    """An alias needs the package, or accepted jobs wait for it."""

    code = "package-in-use"
    title = "The model package is in use."


class NothingToRollBackError(RequestError):
    """The alias has no canary and was never moved."""

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


class JobInterruptedError(ServiceError):
    """The service ended in the middle of the job as often as it may be tried."""

    code = "job-interrupted"
    title = "The job was interrupted too often."


class DeadlinePassedError(ServiceError):
    """The time that a request allows was over before its turn came."""

    code = "deadline-passed"
    title = "The time for an answer is over."


class PackageError(NeuroFuseError):
    """A model package that must not be served."""


class PackageInvalidError(PackageError):
    """The manifest or the files break the package format."""

    code = "package-invalid"
    title = "The model package is invalid."


class PackageDigestError(PackageError):
    """A file differs from its recorded digest."""

    code = "package-digest"
    title = "A file of the model package was changed."


class PackageExistsError(PackageError):
    """A version is never overwritten."""

    code = "package-exists"
    title = "This version of the model package exists already."


class GoldenMismatchError(PackageError):
    """The golden case does not give the stored answer on this provider."""

    code = "golden-mismatch"
    title = "The model package fails its self-test."
