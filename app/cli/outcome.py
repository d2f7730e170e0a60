"""One command, carried out: its settings, and its faults in words and as an exit status."""

import argparse
import os
import sys
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from rich.console import Console

from app.errors import NeuroFuseError, RequestError
from app.exit_status import FAILED, REFUSED
from app.expendable import write_no_core_file
from app.settings import ENV_PREFIX, Settings
from app.telemetry import configure_logging

EXPECTED: Final = {
    "Value error, ": "", "Input should be": "expected", "String should match": "expected",
}  # fmt: skip
"""Pydantic's words of an error, and ours."""


def carry_out(parsed: argparse.Namespace) -> int:
    """Run what was asked for; the exit status."""
    write_no_core_file()
    try:
        settings = Settings()
        configure_logging(settings.log_level, settings.log_format)
        code: int = parsed.run(parsed, settings)
    except ValidationError as error:
        differing = map(_expected, error.errors(include_input=False))
        return _fail(REFUSED, "Expected settings as in docs/reference/settings.md; these differ.", *differing)
    except BrokenPipeError:
        # Whoever reads what is printed, such as `head`, has enough: nothing to say, and nobody to say it to. Python would
        # say so all the same when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        return _fail(REFUSED, ": ".join(str(part) for part in (error.filename, error.strerror) if part))
    except NeuroFuseError as error:
        fields = (f"  {name}: {value}" for name, value in error.fields.items())
        code = REFUSED if isinstance(error, RequestError) else FAILED
        return _fail(code, f"{error.code}: {error.detail}", *fields)
    return code


def _expected(found: ErrorDetails) -> str:
    """A setting and what is expected of it; neither Pydantic's words nor ours quote what it holds."""
    name, words = str(found["loc"][0]), found["msg"]
    for theirs, ours in EXPECTED.items():
        words = words.replace(theirs, ours)
    field = Settings.model_fields.get(name)
    return f"  {ENV_PREFIX}{name.upper()}: {words}. {field.description if field else ''}".rstrip()


def _fail(code: int, *lines: str) -> int:
    console = Console(stderr=True, soft_wrap=True)
    for line in lines:
        console.print(line, markup=False, highlight=False)
    return code
