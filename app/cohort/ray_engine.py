"""Cases on the machines of a Ray cluster, by Ray Data: the one door to Ray in this package, and Ray is loaded only where it is asked for.

Every machine has this package installed, the same model store, and the images under the paths of the table.
"""

import json
import logging
import math
import os
import socket
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np

from app.cohort.run import Engine, answer_rows, engine_of
from app.cohort.table import Row
from app.errors import NeuroFuseError, NotReadyError, PackageDigestError
from app.model_package.package import Package
from app.model_package.store import ModelStore
from app.predictions.result_lines import Line
from app.settings import Settings
from app.telemetry import configure_logging

CASES_A_WORKER: Final = 8
"""Of one task, for each process that reads: at its end some are idle, and what is lost with a machine is asked again."""
READERS: Final = 2
"""Of one actor, where the settings leave it open: the cores of this machine say nothing of the others'."""
TOLD: Final = frozenset({
    "model_store", "provider", "threads", "read_workers", "read_timeout_s", "read_memory_bytes", "max_unpacked_bytes", "max_voxels",
    "log_level", "log_format",
})  # fmt: skip
"""Settings that go to the other machines; secrets and places of this machine do not."""

_NOT_A_MACHINE: Final = ("auto", "local")
CONNECT_WITHIN_S: Final = 10.0

Batch = Mapping[str, np.ndarray]


def answered_on_ray(
    rows: Sequence[tuple[Row, str]], package: Package, settings: Settings, address: str
) -> Generator[Line]:
    """Answer rows, in the order in which they are done; a row that cannot be answered is a line too and stops nothing.

    Args:
        rows: With their digests.
        package: Which answers; the cluster's machines have the same in their stores.
        settings: Provider, threads and bounds, for each of the actors.
        address: Of the cluster, such as `auto` or `host:6379`; `local` begins one on this machine.

    Raises:
        NotReadyError: Ray is not installed, the cluster cannot be reached, or a machine of it cannot answer.
    """
    ray = _connected(address)
    try:
        yield from map(_line, _answers(ray, rows, package, settings).iter_rows())
    except ray.exceptions.RayError as error:
        raise NotReadyError(
            f"Expected the cluster to answer all cases, found {type(error).__name__}. Repeat the command: it goes on."
        ) from error
    finally:
        ray.shutdown()


class Answerer:
    """An actor: the package ready, its readers beside it.

    Args:
        told: Settings by name, see `TOLD`.
        reference: Name, version and digest of the package.
    """

    def __init__(self, told: Mapping[str, Any], reference: tuple[str, int, str]) -> None:
        settings = Settings(**told)
        configure_logging(settings.log_level, settings.log_format)
        self._engine: Engine | NeuroFuseError
        self._open = ExitStack()
        try:
            package = _package(settings.model_store, *reference)
            self._engine = self._open.enter_context(engine_of(package, settings, cpus=settings.read_workers))
        except NeuroFuseError as error:
            self._engine = error  # raised here, it would reach the other side as the text of a traceback

    def __call__(self, batch: Batch) -> Batch:
        """Answer some rows: columns of `_cells` in, a column of lines out."""
        if isinstance(self._engine, NeuroFuseError):
            refusal = {"code": self._engine.code, "detail": self._engine.detail}
            return {"refusal": np.array([json.dumps(refusal)], object)}
        rows = [_row(*cells) for cells in zip(*(batch[name] for name in _COLUMNS), strict=True)]
        return {
            "line": np.array([json.dumps(dict(line)) for line in answer_rows(rows, self._engine)], object)
        }


_COLUMNS: Final = ("name", "image", "record", "digest")


def _cells(row: Row, digest: str) -> dict[str, str]:
    cells = (row.name, str(row.image.resolve()), json.dumps(dict(row.record)), digest)
    return dict(zip(_COLUMNS, cells, strict=True))


def _row(name: str, image: str, record: str, digest: str) -> tuple[Row, str]:
    return Row(name, Path(image), json.loads(record)), digest


def _line(found: Mapping[str, Any]) -> Line:
    if found.get("refusal"):
        refusal = json.loads(found["refusal"])
        raise NotReadyError(
            f"Expected every machine to have this package ready; one answers {refusal['code']}: {refusal['detail']}"
        )
    line: Line = json.loads(found["line"])
    return line


def _package(store: Path, name: str, version: int, sha256: str) -> Package:
    package = ModelStore(store).load(name, version)
    if package.sha256 != sha256:
        raise PackageDigestError(
            f"Expected the same {name}@{version} in the stores of all machines; two differ. Copy one store to every machine."
        )
    return package


def _connected(address: str) -> Any:  # noqa: ANN401 - a module
    # What its C++ side tells of itself would stand between the lines of our progress bar.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import ray  # noqa: PLC0415 - a large library that few need
        import ray.data  # noqa: PLC0415
    except ImportError as error:
        raise NotReadyError(
            "Expected Ray for --ray; it is not installed. In a clone: pip install -e '.[cpu,ray]'"
        ) from error
    try:
        _check_reachable(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, ValueError, RuntimeError) as error:  # a ConnectionError is an OSError
        raise NotReadyError(
            f"Expected a Ray cluster at {address}, found {type(error).__name__}. Start it with `ray start --head`, and run this on one of its machines."
        ) from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    return ray


def _check_reachable(address: str) -> None:
    """Knock, where the address names a machine: Ray itself would go on asking a silent one for many minutes."""
    if address in _NOT_A_MACHINE:
        return
    parts = urlsplit(address if "://" in address else f"//{address}")
    with socket.create_connection((parts.hostname, parts.port), CONNECT_WITHIN_S):
        pass


def _answers(ray: Any, rows: Sequence[tuple[Row, str]], package: Package, settings: Settings) -> Any:  # noqa: ANN401 - of Ray
    manifest, readers = package.manifest, settings.read_workers or READERS
    on_gpu = settings.provider != "cpu"
    found = ray.cluster_resources()
    actors = max(1, int(found.get("GPU", 0) if on_gpu else found.get("CPU", 0) // readers))
    tasks = max(math.ceil(len(rows) / (CASES_A_WORKER * readers)), min(actors, len(rows)))
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    store = settings.model_copy(
        update={"model_store": settings.model_store.resolve(), "read_workers": readers}
    )
    told = store.model_dump(mode="json", include=set(TOLD)) | {"devices": "0"}  # the one that Ray gives it
    return ray.data.from_items([_cells(*row) for row in rows], override_num_blocks=tasks).map_batches(
        Answerer,
        fn_constructor_args=(told, (manifest.name, manifest.version, package.sha256)),
        batch_size=None,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=actors),
        num_cpus=readers,
        num_gpus=1 if on_gpu else None,
    )
