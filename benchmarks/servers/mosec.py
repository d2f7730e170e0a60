"""mosec: a pipeline of two stages, readers and a batching network, as in its examples for images."""

import json
import os
from typing import Any

from mosec import Server, Worker

from benchmarks.servers.work import CORES, make_work, port

WAIT_MS = 5
LARGEST_BATCH = 4


class Read(Worker):
    """The first stage; mosec hands over the body as it came."""

    def __init__(self) -> None:
        super().__init__()
        self._work = make_work(threads=1)

    def deserialize(self, data: bytes) -> dict[str, bytes]:
        """The parts of the form, by name."""
        boundary = data[: data.index(b"\r\n")]
        parts = {}
        for part in data.split(boundary)[1:-1]:
            head, _, value = part.partition(b"\r\n\r\n")
            parts[head.split(b'name="')[1].split(b'"')[0].decode()] = value[:-2]
        return parts

    def forward(self, data: dict[str, bytes]) -> Any:  # noqa: ANN401 - pickled for the next stage
        """One case."""
        return self._work.prepare(data["image"], data["ehr"].decode())


class Infer(Worker):
    """The second stage."""

    def __init__(self) -> None:
        super().__init__()
        self._work = make_work(threads=CORES)

    def forward(self, data: list[Any]) -> list[dict[str, float]]:
        """A batch."""
        return self._work.infer(data)

    def serialize(self, data: dict[str, float]) -> bytes:
        """As JSON."""
        return json.dumps({"probabilities": data}).encode()


if __name__ == "__main__":
    os.environ.update({
        "MOSEC_ADDRESS": "127.0.0.1",
        "MOSEC_PORT": str(port()),
        "MOSEC_TIMEOUT": "60000",
        "MOSEC_MAX_REQUEST_SIZE": str(2**30),
    })  # fmt: skip
    server = Server()
    server.append_worker(Read, num=CORES, route="/predict")
    server.append_worker(Infer, max_batch_size=LARGEST_BATCH, max_wait_time=WAIT_MS, route="/predict")
    server.run()
