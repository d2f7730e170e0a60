"""Load from `hey`, a public generator (Debian's package of that name): closed loops of clients, a latency for each request.

It sends one body over and over, so the body is a file; what it was answered it throws away, and only tells how long each
answer took and its status. A request that got no answer at all is told by its absence.
"""

import csv
import io
import json
import math
import secrets
import shutil
import statistics
import subprocess
import time
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

OK: Final = 200
TIMEOUT_S: Final = 60
START_S: Final = 0.05
"""Between two generators that start one after another."""


@dataclass(frozen=True)
class Body:
    """A request body in a file.

    Attributes:
        path: The file.
        content_type: With its boundary.
    """

    path: Path
    content_type: str


@dataclass(frozen=True)
class Load:
    """What is sent.

    Attributes:
        clients: Clients, each of which waits for its answer before it asks again.
        requests: Requests of all clients together; a multiple of `clients`.
        each_hz: Most requests a second that one client sends; None for no bound.
    """

    clients: int
    requests: int
    each_hz: float | None = None


@dataclass(frozen=True)
class Answers:
    """What came back.

    Attributes:
        seconds: Latency of each answer.
        statuses: Its status.
        unanswered: Requests without one: refused connections, resets, time-outs.
        wall_s: From the first request to the last answer.
    """

    seconds: tuple[float, ...]
    statuses: tuple[int, ...]
    unanswered: int
    wall_s: float

    @property
    def good(self) -> tuple[float, ...]:
        """Latencies of the answers with 200, in seconds."""
        told = zip(self.seconds, self.statuses, strict=True)
        return tuple(seconds for seconds, status in told if status == OK)

    @property
    def by_status(self) -> Counter[int]:
        """Answers by status."""
        return Counter(self.statuses)

    @property
    def per_s(self) -> float:
        """Answers with 200 in a second."""
        return len(self.good) / self.wall_s

    @property
    def failed(self) -> int:
        """Requests that got no 200."""
        return len(self.statuses) + self.unanswered - len(self.good)


def multipart(path: Path, images: Sequence[Path], fields: Mapping[str, str]) -> Body:
    """Write the body of a form as a browser does (RFC 7578).

    Args:
        path: Where.
        images: Files of the parts `image`.
        fields: Text parts by name.
    """
    boundary = f"----{secrets.token_hex(16)}"
    with path.open("wb") as out:
        for name, value in fields.items():
            out.write(_part(boundary, f'name="{name}"', "") + value.encode() + b"\r\n")
        for image in images:
            disposition = f'name="image"; filename="{image.name}"'
            out.write(_part(boundary, disposition, "Content-Type: application/octet-stream\r\n"))
            out.write(image.read_bytes() + b"\r\n")
        out.write(f"--{boundary}--\r\n".encode())
    return Body(path, f"multipart/form-data; boundary={boundary}")


def case_body(
    path: Path, images: Sequence[Path], record: Mapping[str, object], *, model: str, heatmap: str = "none"
) -> Body:
    """The body of a `POST /predict`."""
    return multipart(path, images, {"model": model, "heatmap": heatmap, "ehr": json.dumps(record)})


def zip_of(paths: Sequence[Path], archive: Path) -> Path:
    """Write files into one zip, as a client packs a series."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in paths:
            packed.write(path, path.name)
    return archive


def attack(url: str, body: Body, load: Load) -> Answers:
    """Send a load and wait for its end.

    Args:
        url: Where to.
        body: What each request carries.
        load: How many.

    Raises:
        RuntimeError: `hey` is not installed, or it failed.
    """
    return staggered(url, body, load, generators=1)


def staggered(url: str, body: Body, load: Load, generators: int) -> Answers:
    """Send a load from several generators that start one after another, so that their paced clients do not beat as one.

    Args:
        url: Where to.
        body: What each request carries.
        load: Of each generator.
        generators: How many of them.

    Raises:
        RuntimeError: `hey` is not installed, or it failed.
    """
    pause_s = START_S if load.each_hz is None else 1 / load.each_hz / generators
    began, running = time.perf_counter(), []
    for number in range(generators):
        time.sleep(max(0.0, began + number * pause_s - time.perf_counter()))
        # S603: the program is `hey`, the arguments are ours.
        running.append(subprocess.Popen(_command(url, body, load), stdout=subprocess.PIPE, text=True))  # noqa: S603
    outputs = [one.communicate()[0] for one in running]
    if any(one.returncode for one in running):
        raise RuntimeError("hey failed; what it said is above")
    return _answers(outputs, generators * load.requests, (generators - 1) * pause_s)


def percentile_ms(seconds: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of latencies, in milliseconds."""
    if not seconds:
        return math.nan
    return 1000 * sorted(seconds)[max(0, math.ceil(share * len(seconds)) - 1)]


def p50_ms(seconds: Sequence[float]) -> float:
    """Median of latencies, in milliseconds."""
    return 1000 * statistics.median(seconds) if seconds else math.nan


def _part(boundary: str, disposition: str, more: str) -> bytes:
    return f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n{more}\r\n".encode()


def _command(url: str, body: Body, load: Load) -> list[str]:
    hey = shutil.which("hey")
    if hey is None:
        raise RuntimeError(
            "Expected the load generator `hey`; it is not installed. Run `apt-get install hey`."
        )
    sent = ["-m", "POST", "-D", str(body.path), "-T", body.content_type, "-t", str(TIMEOUT_S)]
    pace = [] if load.each_hz is None else ["-q", f"{load.each_hz:.4f}"]
    return [hey, "-o", "csv", "-n", str(load.requests), "-c", str(load.clients), *pace, *sent, url]


def _answers(outputs: Sequence[str], sent: int, lag_s: float) -> Answers:
    rows = [row for output in outputs for row in csv.DictReader(io.StringIO(output))]
    seconds = tuple(float(row["response-time"]) for row in rows)
    ends = [float(row["offset"]) + took for row, took in zip(rows, seconds, strict=True)]
    return Answers(
        seconds=seconds,
        statuses=tuple(int(row["status-code"]) for row in rows),
        unanswered=sent - len(rows),
        wall_s=(max(ends) if ends else math.nan) + lag_s,
    )
