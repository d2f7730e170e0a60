"""Ray Serve alone: a replica a core, with the form parsed and the case answered in the replica."""

import asyncio
from typing import Any, cast

import ray
from ray import serve
from starlette.requests import Request

from benchmarks.servers.work import CORES, make_work, port


@serve.deployment(num_replicas=CORES, ray_actor_options={"num_cpus": 1}, max_ongoing_requests=CORES)
class Answers:
    """One replica; `max_ongoing_requests` lets the next form be received while a case is worked on."""

    def __init__(self) -> None:
        self._work = make_work(threads=1)
        self._turn = asyncio.Lock()

    async def __call__(self, request: Request) -> dict[str, dict[str, float]]:
        """One case, in a thread so that the replica's event loop stays free."""
        form = await request.form()
        image = await form["image"].read()  # type: ignore[union-attr]
        async with self._turn:
            return {"probabilities": await asyncio.to_thread(self._answer, image, str(form["ehr"]))}

    def _answer(self, image: bytes, ehr: str) -> dict[str, float]:
        return self._work.infer([self._work.prepare(image, ehr)])[0]


if __name__ == "__main__":
    ray.init(num_cpus=CORES, include_dashboard=False, log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": port()})
    serve.run(cast("Any", Answers).bind(), route_prefix="/predict", blocking=True)
