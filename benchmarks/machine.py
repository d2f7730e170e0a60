"""What the numbers were taken on; a time without it says nothing."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import distributions, version
from pathlib import Path

from app import __version__

LIBRARIES = (
    "numpy",
    "scipy",
    "onnxruntime",
    "pydicom",
    "nibabel",
    "SimpleITK",
    "imagecodecs",
    "isal",
)
PEERS = ("dcm2niix", "itk", "monai", "simpleitk", "torch", "torchio")
"""Those of the imaging benchmark."""


def described() -> str:
    """Processor, cores this process may use, and versions, on one line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return f"{_processor()}, {cores} cores, load {_load():.1f}; Python {platform.python_version()}, neurofuse {__version__}, {versions}"


def peers_described(python: Path) -> str:
    """Versions of the imaging peers in the environment of an interpreter, on one line."""
    return versions_in(python, PEERS)


def versions_in(python: Path, names: Sequence[str]) -> str:
    """Versions of distributions in the environment of an interpreter, on one line; those that are there."""
    folders = [str(folder) for folder in python.parents[1].glob("lib/python*/site-packages")]
    found = {one.metadata["Name"].lower(): one.version for one in distributions(path=folders)}
    return ", ".join(f"{name} {found[name]}" for name in names if name in found)


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _load() -> float:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
