"""Prometheus's own tools, from Debian's package `prometheus`: required where CI is set, else skipped where they are absent."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yml"


def tool(name: str) -> str:
    """The path of `prometheus` or `promtool`."""
    found = shutil.which(name)
    if found is None and os.environ.get("CI"):
        pytest.fail(f"CI must have {name}: install Debian's package prometheus")
    if found is None:
        pytest.skip(f"{name} is not here: install Debian's package prometheus")
    return found


def failures_of_rules(folder: Path, tests: list[dict[str, Any]]) -> str:
    """Run tests of the alert rules.

    Args:
        folder: Where the file of tests may be written.
        tests: As in `alerts.test.yml`.

    Returns:
        What promtool says; empty where all is as expected.
    """
    file = folder / "alerts.test.yml"
    # JSON is YAML, and thousands of values are written in no time.
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}))
    ran = subprocess.run(  # noqa: S603 - our own words
        [tool("promtool"), "test", "rules", file], capture_output=True, text=True, check=False
    )
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr
