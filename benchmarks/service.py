"""A service of our own for a benchmark: the installed command in a process of its own, on a free port."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.model_package.store import ModelStore
from app.settings import Settings
from benchmarks.processes import Process, free_port

MODEL: Final = "gos"
RECORD: Final[dict[str, object]] = {"age": 71, "sex": "female", "gcs": 13, "systolic_bp": 178}


@dataclass(frozen=True)
class Service:
    """A running service.

    Attributes:
        url: Where it listens.
        process: Its process.
    """

    url: str
    process: Process


@contextmanager
def serving(model_store: Path, data: Path, **settings: object) -> Iterator[Service]:
    """Serve until the block ends.

    Args:
        model_store: Packages to serve.
        data: Folder for what the service keeps; the log lies beside it.
        **settings: More `NEUROFUSE_` variables, in lower case.
    """
    service = start(model_store, data, **settings)
    try:
        service.process.wait_until(f"{service.url}/readyz")
        yield service
    finally:
        service.process.close()


def start(model_store: Path, data: Path, **settings: object) -> Service:
    """Start a service and do not wait for it; arguments as `serving`."""
    port = free_port()
    chosen = {"port": port, "model_store": model_store, "data": data, "log_level": "ERROR", **settings}
    environment = {f"NEUROFUSE_{name.upper()}": str(value) for name, value in chosen.items()}
    command = [str(Path(sys.executable).parent / "neurofuse"), "serve"]
    return Service(f"http://127.0.0.1:{port}", Process(command, environment, data.with_suffix(".log")))


def store_of_one(folder: Path) -> Path:
    """A store that holds the latest version of `MODEL` and nothing else.

    Args:
        folder: Made here.

    Returns:
        The folder.
    """
    reference = ModelStore(Settings().model_store).resolve(MODEL)
    below = Path(reference.name, str(reference.version))
    shutil.copytree(Settings().model_store / below, folder / below)
    return folder
