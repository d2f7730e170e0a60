"""One cluster of one node for all tests here, with two replicas of each kind that share a PostgreSQL database."""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.ray_cluster import RayCluster
from tests.support.postgres import Postgres

LIGHT = {"num_cpus": 0.5}


@dataclass(frozen=True)
class Deployed:
    """The service on Ray.

    Attributes:
        cluster: Its node.
        url: Where it answers.
        pid: Of the node; all of it is below.
    """

    cluster: RayCluster
    url: str
    pid: int


@pytest.fixture(scope="package")
def deployed(tiny_store: Path, postgres: Postgres) -> Iterator[Deployed]:
    """The application of `deploy/ray/serve.yaml`, its replicas small enough for this machine."""
    # Not pytest's own folder: its path is too long for Ray's sockets.
    with tempfile.TemporaryDirectory(prefix="neurofuse-ray-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        cluster = RayCluster(
            Path(sys.executable).parent,
            folder,
            model_store=tiny_store,
            data=folder / "data",
            queue_limit=16,
            artefacts=folder / "artefacts",
            database_url=postgres.make_database(),
            threads=1,
        )
        node = cluster.start_head(cpus=4)
        try:
            cluster.deploy(
                {
                    "Ingress": {"num_replicas": 2, "ray_actor_options": LIGHT},
                    "Predictor": {"num_replicas": 2, "ray_actor_options": LIGHT},
                }
            )
            node.process.wait_until(f"{node.url}/readyz")
            yield Deployed(cluster, node.url, node.process.pid)
        finally:
            node.process.kill()
