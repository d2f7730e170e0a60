"""What may not be logged is not, whoever tries."""

import errno
import io
import json
import logging
import warnings
from collections.abc import Iterator

import pytest
import structlog

from app.telemetry import configure_logging, describe_exception

SECRET = "Doe^Jane"  # noqa: S105 - a name, not a password


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Configured logging into a buffer; the process's own is put back."""
    root, stream = logging.getLogger(), io.StringIO()
    before = root.handlers, root.level
    monkeypatch.setattr(logging, "raiseExceptions", logging.raiseExceptions)
    monkeypatch.setattr("sys.stderr", stream)
    configure_logging("DEBUG", "json")
    yield stream
    root.handlers, root.level = before
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def lines(log: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_field_that_is_not_on_the_list_is_dropped(log: io.StringIO) -> None:
    structlog.stdlib.get_logger("app.x").info("event", route="/predict", patient=SECRET, file_name=SECRET)
    (line,) = lines(log)
    assert (line["event"], line["route"]) == ("event", "/predict")
    assert SECRET not in log.getvalue()


@pytest.mark.parametrize(
    "name", ["highdicom", "nibabel.global", "PIL.Image", "py.warnings", "root", "application"]
)
def test_the_words_of_a_library_are_withheld(log: io.StringIO, name: str) -> None:
    logging.getLogger(name).warning("Invalid value for VR PN: %s", SECRET)
    (line,) = lines(log)
    assert (line["event"], line["logger"], line["level"]) == ("library-message-withheld", name, "warning")
    assert SECRET not in log.getvalue()


def test_a_warning_is_withheld(log: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn(f"value {SECRET}", UserWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    assert "library-message-withheld" in log.getvalue()
    assert SECRET not in log.getvalue()


def test_of_a_line_that_cannot_be_formatted_no_word_is_printed(
    log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    record = logging.LogRecord(
        "pydicom", logging.WARNING, "x.py", 1, "Invalid value for VR PN: %d", (SECRET,), None
    )
    logging.getLogger().handlers[0].handle(record)
    assert SECRET not in log.getvalue() + capsys.readouterr().err


def test_a_traceback_of_the_server_is_not_written(log: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=ValueError(SECRET))
    assert SECRET not in log.getvalue()
    assert "Exception in ASGI application" in log.getvalue()


def test_an_exception_is_described_without_its_words() -> None:
    with pytest.raises(ValueError, match="Doe") as caught:
        raise ValueError(SECRET)
    described = describe_exception(caught.value)
    assert described["error_type"] == "ValueError"
    assert "test_an_exception_is_described_without_its_words" in described["where"][-1]
    assert SECRET not in str(described)


def test_an_error_of_the_system_is_described_by_its_name_there() -> None:
    described = describe_exception(OSError(errno.ENOSPC, "No space left on device", SECRET))
    assert described["error_type"] == "OSError ENOSPC"
    assert SECRET not in str(described)
