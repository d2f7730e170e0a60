"""What a statement loads."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def loaded_by(statement: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded for `statement`, beside Python's own."""
    code = f"import sys; before = set(sys.modules)\n{statement}\nimport json; sys.stderr.write(json.dumps([*set(sys.modules) - before]))"
    answer = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return {
        name.partition(".")[0] for name in json.loads(answer.stderr.rpartition("\n")[2])
    } - sys.stdlib_module_names
