"""Serving stays light: no training library is loaded, and reading settings or opening stores waits for start-up."""

import json
import subprocess
import sys

from tests.contract.repository import ROOT

HEAVY = {"torch", "lightning", "monai", "pandas", "sklearn", "onnx", "onnxscript", "training", "SimpleITK"}


def _modules_after(statement: str) -> set[str]:
    """Top-level modules a fresh interpreter holds after `statement`."""
    code = f"{statement}\nimport json, sys\nsys.stdout.write(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return {name.partition(".")[0] for name in json.loads(answer.stdout)}


def test_every_module_of_the_service_loads_and_draws_no_training_library_and_makes_no_application() -> None:
    """Those too that only some command or setting needs; the gate runs this where nothing else is installed.

    Settings are read once, by the caller: a test or a second service makes an application of its own.
    """
    every = (
        "import app, importlib, pkgutil\n"
        "names = [found.name for found in pkgutil.walk_packages(app.__path__, 'app.')]\n"
        "assert 'app.cohort.ray_engine' in [importlib.import_module(name).__name__ for name in names]\n"
        "assert not [n for n, v in vars(app.main).items() if type(v).__name__ == 'FastAPI']"
    )
    assert _modules_after(every).isdisjoint(HEAVY)


def test_the_check_above_would_notice() -> None:
    assert "training" in _modules_after("import training")
