"""The replicas that speak HTTP: the application of `neurofuse serve`, its graphs elsewhere.

Images are decoded in `ImageWorkers`, processes beside the replica, and not in the replica itself or in tasks of Ray: a file that crashes,
hangs or explodes a decoder must cost its own request alone, and so the bounds on time and memory are those of every other deployment.
"""

import asyncio
from collections.abc import Sequence
from threading import Event
from typing import Any, Final

import ray
from ray import serve
from starlette.types import ASGIApp

from app.errors import NotReadyError
from app.main import create_app
from app.serving.entry import Entry, State
from app.settings import Settings
from app.telemetry import configure_logging
from deploy.ray.lifespan_state import LifespanState
from deploy.ray.remote_session import remote_start
from deploy.ray.replica_folder import ReplicaFolder

LOOK_UP_S: Final = 0.1


class IngressReplica:
    """A process that answers HTTP.

    Args:
        predictors: Handle of the deployment that holds the graphs.
        _release: Another one makes another replica; see `deploy.ray.application.Arguments`.
        alone: Whether there is no other ingress replica.

    Raises:
        NotReadyError: There may be others, and nothing is shared with them.
    """

    def __init__(self, predictors: Any, _release: str = "", *, alone: bool = False) -> None:  # noqa: ANN401 - Ray ships no types
        node = Settings()
        configure_logging(node.log_level, node.log_format)
        if not (alone or (node.database_url.get_secret_value() and node.artefacts)):
            raise NotReadyError(
                "Expected NEUROFUSE_DATABASE_URL and NEUROFUSE_ARTEFACTS on every node: what one replica answered is asked of "
                "another. To try out one replica without them, set `alone: true` under `args`."
            )
        self._has_begun = False
        self._alone = alone  # then its folder holds the records as well
        self._folder = ReplicaFolder(node.data)
        self._unsettled = Event()
        settings = node.model_copy(update={"data": self._folder.path})
        application = create_app(settings, remote_start(predictors, self._unsettled))
        self._app = LifespanState(application, _place(), (lambda: None) if alone else self._folder.empty)

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """What Ray serves; made in the replica, so nothing of it is ever pickled."""
        return self._app

    async def check_health(self) -> None:
        """Count as running once every package is ready or refused for good; a rolling update waits for that.

        Afterwards, that this answers is all: a predictor that fails is replaced, and the ingress need not be.

        Raises:
            NotReadyError: At the start no predictor answered, or they differed. Ray starts another replica, which asks again.
        """
        catalogue = self._app.state["runtime"].catalogue
        while not self._has_begun:
            await asyncio.sleep(LOOK_UP_S)
            self._has_begun = has_begun(catalogue.entries(), unsettled=self._unsettled.is_set())
        if not self._alone:
            await asyncio.to_thread(self._folder.empty_left)


def has_begun(entries: Sequence[Entry], *, unsettled: bool) -> bool:
    """Whether all that an ingress replica can know of its packages is known.

    Args:
        entries: Its packages.
        unsettled: Whether predictors could not be asked, or differed.

    Raises:
        NotReadyError: A package failed by that; nobody would ask for it again.
    """
    failed = [entry for entry in entries if entry.state is State.FAILED]
    if unsettled and failed:
        raise NotReadyError(
            f"Expected predictors that answer alike; {failed[0].reference} failed: {failed[0].detail}"
        )
    return not any(entry.state is State.LOADING for entry in entries)


def _place() -> str:
    """Which replica on which node this is, as `serve status` and `ray list nodes` call them."""
    node: str = ray.get_runtime_context().get_node_id()
    return f"{node}/{serve.get_replica_context().replica_id.unique_id}"
