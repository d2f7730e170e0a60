"""A Ray cluster of several nodes on this machine: each is what `ray start` makes of a machine, and listens on loopback.

Ray has an environment of its own; nothing of it is imported here.
"""

import copy
import json
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from benchmarks.processes import Process, free_port

CONFIG: Final = Path(__file__).parents[1] / "deploy" / "ray" / "serve.yaml"
WORKER: Final = Path(__file__).parent / "servers" / "ray_node.py"
OBJECT_STORE_BYTES: Final = 200 * 2**20
START_WITHIN_S: Final = 60.0
DEPLOY_WITHIN_S: Final = 120.0
LOOK_S: Final = 0.05


@dataclass(frozen=True)
class Node:
    """A node.

    Attributes:
        process: What started it, with all of the node below.
        url: Of its proxy.
    """

    process: Process
    url: str


class RayCluster:
    """Nodes, the first of which is the head.

    Args:
        binaries: Folder of `ray` and `serve`.
        folder: For Ray's sessions; a short path, since it holds Unix sockets (unix(7): 107 bytes).
        settings: `NEUROFUSE_` variables of every node, in lower case.
    """

    def __init__(self, binaries: Path, folder: Path, **settings: object) -> None:
        self._binaries = binaries
        self._folder = folder
        self._port = free_port()
        self._ports = {"head": free_port(), "worker": free_port()}
        token = folder / "token"
        token.write_text(secrets.token_hex(32), encoding="ascii")
        token.chmod(0o600)
        self._environment = {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(token),
            "RAY_USAGE_STATS_ENABLED": "0",
            # Ray's word for a cluster that listens on loopback alone.
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
            # Two proxies on one machine cannot have the same port.
            "RAY_SERVE_WORKER_PROXY_HTTP_PORT": str(self._ports["worker"]),
            "PYTHONPATH": str(CONFIG.parents[2]),
            **{f"NEUROFUSE_{name.upper()}": str(value) for name, value in settings.items()},
        }

    @property
    def address(self) -> str:
        """Of the head node."""
        return f"127.0.0.1:{self._port}"

    @property
    def environment(self) -> Mapping[str, str]:
        """What a program needs in order to join, beside this process's own."""
        return self._environment

    def start_head(self, cpus: int) -> Node:
        """Start the first node, and wait until others can join it."""
        options = {
            "node-ip-address": "127.0.0.1",
            "port": self._port,
            "num-cpus": cpus,
            "object-store-memory": OBJECT_STORE_BYTES,
            "temp-dir": self._folder,
            "include-dashboard": "false",
        }
        ray = [str(self._binaries / "ray"), "start", "--head", "--block"]
        node = self._start("head", [*ray, *(f"--{name}={value}" for name, value in options.items())])
        wait_for_port(self._port, START_WITHIN_S)
        return node

    def start_worker(self, cpus: int) -> Node:
        """Start the second node."""
        program = [str(self._binaries / "python"), str(WORKER)]
        return self._start("worker", [*program, self.address, str(cpus), str(OBJECT_STORE_BYTES)])

    def deploy(self, deployments: Mapping[str, Mapping[str, Any]], **arguments: object) -> None:
        """Deploy the application of `deploy/ray/serve.yaml`; a proxy answers `/readyz` once it runs.

        Args:
            deployments: Replaces options of its deployments, by name.
            **arguments: Replaces its `args`.
        """
        config = adapted(yaml.safe_load(CONFIG.read_text(encoding="utf-8")), deployments, arguments)
        config["http_options"]["port"] = self._ports["head"]
        written = self._folder / "serve.json"  # JSON is YAML
        written.write_text(json.dumps(config), encoding="utf-8")
        # `serve deploy` speaks to the dashboard, which does not run here.
        command = [
            str(self._binaries / "serve"),
            "run",
            f"--address={self.address}",
            "--non-blocking",
            str(written),
        ]
        done = subprocess.run(  # noqa: S603 - our own command
            command,
            env={**os.environ, **self._environment},
            capture_output=True,
            text=True,
            timeout=DEPLOY_WITHIN_S,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"serve run failed:\n{done.stderr}")

    def _start(self, kind: str, command: Sequence[str]) -> Node:
        process = Process(command, self._environment, self._folder / f"{kind}.log")
        return Node(process, f"http://127.0.0.1:{self._ports[kind]}")


def wait_for_port(port: int, within_s: float) -> None:
    """Wait until somebody listens on a port of this machine.

    Raises:
        ConnectionError: Nobody does in time.
    """
    give_up_s = time.monotonic() + within_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionError:
            if time.monotonic() > give_up_s:
                raise
            time.sleep(LOOK_S)
        else:
            return


def adapted(
    config: Mapping[str, Any],
    deployments: Mapping[str, Mapping[str, Any]],
    arguments: Mapping[str, object],
) -> dict[str, Any]:
    """The config with other options, and with the settings of the nodes' environment instead of its own.

    Args:
        config: As in `deploy/ray/serve.yaml`.
        deployments: Options by name of a deployment.
        arguments: For the builder.
    """
    changed = copy.deepcopy(dict(config))
    application = changed["applications"][0]
    application["args"] |= arguments
    del application["runtime_env"]
    application["deployments"] = [
        _adapted(each, deployments.get(each["name"], {})) for each in application["deployments"]
    ]
    return changed


def _adapted(deployment: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    # A number of replicas and their autoscaling exclude one another.
    replaced = {"autoscaling_config"} if "num_replicas" in options else set()
    return {name: value for name, value in deployment.items() if name not in replaced} | dict(options)
