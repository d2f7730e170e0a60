"""Logs, and the one place that knows what may not be logged.

A log line holds only the fields of `LOGGED_FIELDS`: anything else that a caller binds is dropped, so a patient's value,
a client's file name or a DICOM attribute cannot slip in. Text of other libraries (pydicom quotes values in its
warnings) is withheld; only the library's name and the level remain.
"""

import errno
import logging
import signal
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

LOGGED_FIELDS: Final = frozenset({
    "event", "level", "timestamp", "logger", "request_id", "method", "route", "status", "code", "detail",
    "duration_ms", "model", "version", "provider", "state", "prediction_id", "error_type", "where", "count",
    "host", "port", "alias", "trace_id", "caller",
})  # fmt: skip
TRUSTED_LOGGERS: Final = ("app", "uvicorn")
"""Loggers whose text is written by people who see no patient data; `app` messages are constants."""
WITHHELD_EVENT: Final = "library-message-withheld"

EventDict = MutableMapping[str, Any]


def configure_logging(level: str, log_format: str) -> None:
    """Send every log line of the process to standard error, in one form.

    Args:
        level: Least level that is written.
        log_format: `json` (one object a line) or `console`.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(shared, log_format))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for chatty in (
        "alembic",
        "httpx",
    ):  # a line for each start and each webhook, which would say nothing here
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    # Of a line that cannot be formatted or written, Python would print the words, none of them withheld.
    logging.raiseExceptions = False


def change_level_by_signal(level: str) -> None:
    """Let SIGUSR1 say more (DEBUG) and SIGUSR2 say what was chosen again, in our own words only; call in the main thread.

    Args:
        level: As chosen.
    """
    ours = logging.getLogger("app")
    signal.signal(signal.SIGUSR1, lambda _number, _frame: ours.setLevel(logging.DEBUG))
    signal.signal(signal.SIGUSR2, lambda _number, _frame: ours.setLevel(level))


def _formatter(
    shared: list[structlog.typing.Processor], log_format: str
) -> structlog.stdlib.ProcessorFormatter:
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer()
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, withhold_library_text],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            keep_logged_fields,
            renderer,
        ],
    )


def withhold_library_text(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Replace the words of a library's own log record; a structlog processor."""
    if str(event.get("logger", "")).split(".", maxsplit=1)[0] not in TRUSTED_LOGGERS:
        event["event"] = WITHHELD_EVENT
    return event


def keep_logged_fields(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Drop every field that is not known to be free of patient data; a structlog processor."""
    return {name: value for name, value in event.items() if name in LOGGED_FIELDS}


def log_fault(log: structlog.stdlib.BoundLogger, event: str, error: BaseException, **fields: object) -> None:
    """Write the line of an unexpected error; its words stay out of the log, as `describe_exception` says."""
    log.error(event, **fields, **describe_exception(error))


def describe_exception(error: BaseException) -> dict[str, Any]:
    """An unexpected error as log fields: its type, what the system calls it, and its place; never its message, which may quote a value."""
    frames = traceback.extract_tb(error.__traceback__)
    kind = type(error).__name__
    if type(error) is OSError and error.errno:  # a full disk, say, of which the class tells nothing
        kind = f"{kind} {errno.errorcode.get(error.errno, error.errno)}"
    return {
        "error_type": kind,
        "where": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
