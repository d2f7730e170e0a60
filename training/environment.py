"""What a run was made with: versions, processor and time; never the machine's name."""

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from app import __version__
from training.files.whole_files import write_whole

ENVIRONMENT_FILE = "environment.json"
PACKAGES = ("torch", "monai", "lightning", "numpy", "scikit-learn", "onnx")
CPU_FACTS = Path("/proc/cpuinfo")


def write_environment(run: Path) -> Path:
    """Note the environment in a run's folder, once; a resumed run keeps what it was started with."""
    path = run / ENVIRONMENT_FILE
    if not read_environment(run):
        run.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(_environment(), indent=2) + "\n")
    return path


def read_environment(run: Path) -> dict[str, str]:
    """What `write_environment` noted; empty for a run made before it did, or where a power cut left nothing of it."""
    path = run / ENVIRONMENT_FILE
    try:
        facts: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError:
        return {}
    return facts


def _environment() -> dict[str, str]:
    versions = {name: found for name in PACKAGES if (found := _version(name))}
    accelerator = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none"
    return {
        "started": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "python": platform.python_version(),
        # Not what was installed: of an editable installation that is the version of the day it was made.
        "neurofuse": __version__,
        **versions,
        "system": f"{platform.system()} {platform.machine()}",
        "processor": f"{_processor()}, {os.cpu_count() or 1} cores",
        "accelerator": accelerator,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    if CPU_FACTS.is_file():
        for line in CPU_FACTS.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"
