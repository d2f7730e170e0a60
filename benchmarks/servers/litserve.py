"""LitServe: a process a core, which is its documentation's advice for work that is bound by the CPU."""

from typing import Any, cast

import litserve
from starlette.requests import Request

from benchmarks.servers.work import CORES, make_work, port


class Api(litserve.LitAPI):
    """Decode, predict, encode; LitServe runs all three in a worker process."""

    def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe's signature
        """Once in each worker."""
        self._work = make_work(threads=1)

    def decode_request(self, request: Request) -> tuple[bytes, str]:
        """The parts of the form, which LitServe has read from the request that it names here."""
        form = cast("dict[str, Any]", request)
        return form["image"].file.read(), form["ehr"]

    def predict(self, case: tuple[bytes, str]) -> dict[str, float]:
        """One case: on a CPU a batch would only wait."""
        return self._work.infer([self._work.prepare(*case)])[0]

    def encode_response(self, output: dict[str, float]) -> dict[str, dict[str, float]]:
        """As JSON."""
        return {"probabilities": output}


if __name__ == "__main__":
    server = litserve.LitServer(Api(), accelerator="cpu", workers_per_device=CORES, timeout=60)
    server.run(host="127.0.0.1", port=port(), generate_client_file=False, log_level="warning")
