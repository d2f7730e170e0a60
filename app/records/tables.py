"""Tables of the record store; `migrations/` builds them, a test keeps the two equal."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import DateTime, Dialect, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from app.records.job_problem import ProblemText, StoredProblem

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

UUID_LENGTH = 36
SHA256_LENGTH = 64
REFERENCE_LENGTH = 64
STATE_LENGTH = 16
KEY_LENGTH = 255
API_KEY_ID_LENGTH = 16
TRACEPARENT_LENGTH = 55
"""Of version 00 (W3C Trace Context, section 3.2)."""

Kept = TypeVar("Kept", bound="DataclassInstance")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite keeps no time zone, so it is taken off on the way in and put back on the way out."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Aware to naive UTC."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Naive UTC to aware."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Metadata of every table."""


def kept_as(kind: type[Kept], row: Base) -> Kept:
    """A row as a value that outlives its session: of a dataclass whose members are columns of the table."""
    return kind(**{member.name: getattr(row, member.name) for member in fields(kind)})


class PredictionRow(Base):
    """One answer that was given.

    Attributes:
        id: UUID version 7, so rows lie in order of time.
        created: When the answer was made.
        model_name: Package that answered.
        model_version: Its version.
        model_sha256: Its digest: what produced this result stays provable.
        document: The answer as JSON text, byte for byte as it was given.
        reference: The caller's own case number.
        task: From the document, as all that follow: what the worklist filters and sorts by.
        label: The most likely class.
        favourable: Probability of a favourable outcome; null where the task has none.
        abstained: Whether the model did not commit itself.
        out_of_distribution: Whether the case was flagged.
        caller: Who asked, as `app.security.principal.Principal.subject`; empty where that is not known.
    """

    __tablename__ = "predictions"
    # Every column of the worklist: to filter, sort and count, no document is read.
    __table_args__ = (
        Index(
            "ix_predictions_worklist",
            "created",
            "id",
            "reference",
            "model_name",
            "model_version",
            "task",
            "label",
            "favourable",
            "abstained",
            "out_of_distribution",
        ),
        Index("ix_predictions_caller", "caller", "created"),
    )

    id: Mapped[str] = mapped_column(String(UUID_LENGTH), primary_key=True)
    created: Mapped[datetime] = mapped_column(UtcDateTime())
    model_name: Mapped[str] = mapped_column(Text())
    model_version: Mapped[int]
    model_sha256: Mapped[str] = mapped_column(String(SHA256_LENGTH))
    document: Mapped[str] = mapped_column(Text())
    reference: Mapped[str | None] = mapped_column(String(REFERENCE_LENGTH))
    task: Mapped[str] = mapped_column(Text())
    label: Mapped[str] = mapped_column(Text())
    favourable: Mapped[float | None]
    abstained: Mapped[bool]
    out_of_distribution: Mapped[bool]
    caller: Mapped[str] = mapped_column(Text(), server_default="")


class FeedbackRow(Base):
    """What a clinician said of an answer; it goes when the answer goes.

    Attributes:
        prediction_id: The answer.
        agreement: `agree` or `disagree`.
        reason: In the clinician's words; may say anything of a patient.
        outcome: The true class, once it is known.
        updated: When it was last changed.
    """

    __tablename__ = "feedback"

    prediction_id: Mapped[str] = mapped_column(
        String(UUID_LENGTH), ForeignKey(PredictionRow.id, ondelete="CASCADE"), primary_key=True
    )
    agreement: Mapped[str | None] = mapped_column(Text())
    reason: Mapped[str | None] = mapped_column(Text())
    outcome: Mapped[str | None] = mapped_column(Text())
    updated: Mapped[datetime] = mapped_column(UtcDateTime())


class BatchRow(Base):
    """Cases that were sent together, each a job.

    Attributes:
        id: UUID version 7.
        model_name: Package that answers every one of them.
        model_version: Its version, resolved when the batch was made.
        priority: Of its jobs, as in `JobRow`.
        webhook_url: Who is told when a closed batch is finished.
        created: When it was made.
        closed: When it was said that no more cases come.
        caller: Who made it, as in `PredictionRow`.
        idempotency_key: The caller's own name for the request that made it.
        fingerprint: Digest of that request, as in `JobRow`.
    """

    __tablename__ = "batches"
    __table_args__ = (Index("ix_batches_idempotency_key", "caller", "idempotency_key", unique=True),)

    id: Mapped[str] = mapped_column(String(UUID_LENGTH), primary_key=True)
    model_name: Mapped[str] = mapped_column(Text())
    model_version: Mapped[int]
    priority: Mapped[int]
    webhook_url: Mapped[str | None] = mapped_column(Text())
    created: Mapped[datetime] = mapped_column(UtcDateTime())
    closed: Mapped[datetime | None] = mapped_column(UtcDateTime())
    caller: Mapped[str] = mapped_column(Text(), server_default="")
    idempotency_key: Mapped[str | None] = mapped_column(String(KEY_LENGTH))
    fingerprint: Mapped[str | None] = mapped_column(String(SHA256_LENGTH))


class JobRow(Base):
    """One accepted case that is, or was, answered in its own time.

    Attributes:
        id: UUID version 7; the answer will have it too.
        state: `queued`, `running`, `done`, `failed` or `cancelled`.
        priority: Rank, the lowest first.
        model_name: Package that answers.
        model_version: Its version, resolved when the job was accepted.
        request: What is asked, as JSON text: a patient's. Null once the job is finished.
        reference: The caller's own case number.
        caller: Who sent it; idempotency keys of two callers are two.
        idempotency_key: The caller's own name for this request.
        fingerprint: Digest of the request, so that a key cannot be used for another one.
        attempt: How often it was begun; guards every later write of that attempt, so it never goes down.
        chances: How often it may still be begun.
        due: Not begun before.
        owner: The runner that works on it.
        lease_until: When that runner counts as dead.
        cancelling: Whether it is to be dropped.
        problem: Why it failed.
        webhook_url: Who is told when it is finished.
        batch_id: The batch it belongs to.
        created: When it was accepted.
        started: When it was last begun.
        finished: When it reached its last state.
        traceparent: The span of the request that it came with, where requests were traced (W3C Trace Context).
    """

    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("caller", "idempotency_key", name="uq_jobs_idempotency_key"),
        # The next job is the first row of this index.
        Index("ix_jobs_next", "state", "priority", "id"),
        Index("ix_jobs_batch", "batch_id", "state", "id"),
    )

    id: Mapped[str] = mapped_column(String(UUID_LENGTH), primary_key=True)
    state: Mapped[str] = mapped_column(String(STATE_LENGTH))
    priority: Mapped[int]
    model_name: Mapped[str] = mapped_column(Text())
    model_version: Mapped[int]
    request: Mapped[str | None] = mapped_column(Text())
    reference: Mapped[str | None] = mapped_column(String(REFERENCE_LENGTH))
    caller: Mapped[str] = mapped_column(Text())
    idempotency_key: Mapped[str | None] = mapped_column(String(KEY_LENGTH))
    fingerprint: Mapped[str | None] = mapped_column(String(SHA256_LENGTH))
    attempt: Mapped[int]
    chances: Mapped[int]
    due: Mapped[datetime] = mapped_column(UtcDateTime())
    owner: Mapped[str | None] = mapped_column(String(UUID_LENGTH))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime())
    cancelling: Mapped[bool]
    problem: Mapped[StoredProblem | None] = mapped_column(ProblemText())
    webhook_url: Mapped[str | None] = mapped_column(Text())
    batch_id: Mapped[str | None] = mapped_column(
        String(UUID_LENGTH), ForeignKey(BatchRow.id, ondelete="CASCADE")
    )
    created: Mapped[datetime] = mapped_column(UtcDateTime())
    started: Mapped[datetime | None] = mapped_column(UtcDateTime())
    finished: Mapped[datetime | None] = mapped_column(UtcDateTime())
    traceparent: Mapped[str | None] = mapped_column(String(TRACEPARENT_LENGTH))


class WebhookRow(Base):
    """One message to be delivered; written in the transaction that makes it true.

    Attributes:
        id: The job or the batch it speaks of, which ends once; also the header `webhook-id`.
        url: Where it goes.
        event: What it says, such as `prediction.done`.
        state: `waiting`, `delivered` or `failed`.
        attempt: How often it was sent.
        due: Not sent before; while it is being sent, when that counts as failed.
        created: When it became true.
    """

    __tablename__ = "webhooks"
    __table_args__ = (Index("ix_webhooks_next", "state", "due"),)

    id: Mapped[str] = mapped_column(String(UUID_LENGTH), primary_key=True)
    url: Mapped[str] = mapped_column(Text())
    event: Mapped[str] = mapped_column(Text())
    state: Mapped[str] = mapped_column(String(STATE_LENGTH))
    attempt: Mapped[int]
    due: Mapped[datetime] = mapped_column(UtcDateTime())
    created: Mapped[datetime] = mapped_column(UtcDateTime())


class PlanRow(Base):
    """The one row that every change of aliases and wishes counts up: it puts changes in a row, and tells others of them.

    Attributes:
        id: 1.
        revision: Changes so far.
    """

    __tablename__ = "plan"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    revision: Mapped[int]


class AliasRow(Base):
    """What a name such as `gos@production` means.

    Attributes:
        name: Package name.
        alias: `production`.
        version: What it points to.
        canary_version: What a share of its cases goes to instead.
        canary_share: That share, above 0 and below 1.
        shadow_version: What answers its cases too, in the background.
        previous: Versions it pointed to before, a JSON list, the last one last.
    """

    __tablename__ = "aliases"

    name: Mapped[str] = mapped_column(String(KEY_LENGTH), primary_key=True)
    alias: Mapped[str] = mapped_column(String(KEY_LENGTH), primary_key=True)
    version: Mapped[int]
    canary_version: Mapped[int | None]
    canary_share: Mapped[float | None]
    shadow_version: Mapped[int | None]
    previous: Mapped[str] = mapped_column(Text())


class PackageWishRow(Base):
    """What an operator said of a package; where nothing was said, a process serves what it found when it started.

    Attributes:
        name: Package name.
        version: Its version.
        wanted: Whether it is to be served.
    """

    __tablename__ = "package_wishes"

    name: Mapped[str] = mapped_column(String(KEY_LENGTH), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    wanted: Mapped[bool]


class ApiKeyRow(Base):
    """A key that lets software in; kept after its end, so that a subject in the audit can still be named.

    Attributes:
        id: The public part of the key.
        name: What it is for.
        roles: What it may do, separated by spaces.
        digest: SHA-256 of its secret; the secret itself is kept nowhere.
        created: When it was made.
        expires: From when on it is good no longer.
        revoked: When it was taken back.
        last_used: When it last let somebody in, to about a minute.
    """

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(API_KEY_ID_LENGTH), primary_key=True)
    name: Mapped[str] = mapped_column(Text())
    roles: Mapped[str] = mapped_column(Text())
    digest: Mapped[str] = mapped_column(String(SHA256_LENGTH))
    created: Mapped[datetime] = mapped_column(UtcDateTime())
    expires: Mapped[datetime] = mapped_column(UtcDateTime())
    revoked: Mapped[datetime | None] = mapped_column(UtcDateTime())
    last_used: Mapped[datetime | None] = mapped_column(UtcDateTime())


class SessionRow(Base):
    """One browser in which somebody is signed in.

    Attributes:
        digest: SHA-256 of the cookie's value, in hexadecimal.
        subject: Who, as in `app.security.principal.Principal`.
        name: What the person is called, to greet them; a member of staff's, never a patient's.
        roles: Separated by spaces.
        created: When they signed in.
        seen: When the session was last used, to the minute.
    """

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_subject", "subject"),)

    digest: Mapped[str] = mapped_column(String(SHA256_LENGTH), primary_key=True)
    subject: Mapped[str] = mapped_column(Text())
    name: Mapped[str] = mapped_column(Text())
    roles: Mapped[str] = mapped_column(Text())
    created: Mapped[datetime] = mapped_column(UtcDateTime())
    seen: Mapped[datetime] = mapped_column(UtcDateTime())


class AuditRow(Base):
    """One line of the audit trail; the members are explained in `app.records.audit`."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_moment", "moment"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    moment: Mapped[datetime] = mapped_column(UtcDateTime())
    subject: Mapped[str] = mapped_column(Text())
    kind: Mapped[str] = mapped_column(Text())
    action: Mapped[str] = mapped_column(Text())
    object_id: Mapped[str] = mapped_column(Text())
    model: Mapped[str] = mapped_column(Text())
    outcome: Mapped[str] = mapped_column(Text())
    request_id: Mapped[str] = mapped_column(Text())
    digest: Mapped[str] = mapped_column(String(SHA256_LENGTH))


class AuditHeadRow(Base):
    """The one row that says where the audit trail begins and ends; the members are explained in `app.records.audit.Head`."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first: Mapped[int]
    base: Mapped[str] = mapped_column(String(SHA256_LENGTH))
    last: Mapped[int]
    digest: Mapped[str] = mapped_column(String(SHA256_LENGTH))
