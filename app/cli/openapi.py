"""`neurofuse openapi`."""

import argparse
import json
import sys

from app.exit_status import OK
from app.main import create_app
from app.settings import Settings


def print_document(_arguments: argparse.Namespace, settings: Settings) -> int:
    """Prints the contract of the HTTP interface."""
    json.dump(create_app(settings).openapi(), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
    return OK
