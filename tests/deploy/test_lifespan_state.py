"""An application under a server that forgets the lifespan's state, as replicas of Ray Serve do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx
from fastapi import FastAPI, Request
from uvicorn.config import Config
from uvicorn.lifespan.on import LifespanOn

from deploy.ray.lifespan_state import LifespanState


def application() -> FastAPI:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, list[str]]]:
        yield {"seen": []}

    app = FastAPI(lifespan=lifespan)

    @app.get("/")
    async def root(request: Request) -> list[str]:
        request.state.seen.append("a request")
        request.state.own = "of this request alone"
        seen: list[str] = request.state.seen
        return seen

    return app


def test_every_request_sees_the_state_and_keeps_its_own() -> None:
    ended: list[bool] = []

    async def ask_twice() -> list[httpx.Response]:
        app = LifespanState(application(), "node/replica", lambda: ended.append(True))
        lifespan = LifespanOn(Config(app, lifespan="on", log_config=None))
        await lifespan.startup()
        try:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return [await client.get("/", headers={"X-Request-ID": "of the server"}) for _ in range(2)]
        finally:
            assert "own" not in app.state
            assert not ended
            await lifespan.shutdown()
            assert ended, "before the server ends the process"

    answers = anyio.run(ask_twice)
    assert [each.json() for each in answers] == [["a request"], ["a request", "a request"]]
    assert answers[0].headers["x-served-by"] == "node/replica"
