"""The proxy of docker-compose.yml with its own configuration, in front of a real service."""

import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.service.server import Server, serving
from tests.support.ports import free_port
from tests.support.waiting import LONGEST_S, end

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.fixture(scope="module")
def service(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(
        tiny_store, tmp_path_factory.mktemp("behind") / "var", trusted_proxies="127.0.0.1"
    ) as running:
        yield running


@pytest.fixture(scope="module")
def outside(service: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client that reaches the service through the proxy alone, and trusts its certificate alone."""
    caddy = shutil.which("caddy")
    if caddy is None and os.environ.get("CI"):
        pytest.fail("CI must have caddy: install Debian's package caddy")
    if caddy is None:
        pytest.skip("caddy is not here: install Debian's package caddy")
    folder = tmp_path_factory.mktemp("proxy")
    subprocess.run(  # noqa: S603 - our own script
        ["/bin/sh", str(DEPLOY / "make-secrets.sh"), str(folder)], check=True, capture_output=True
    )
    port = free_port()
    environment = os.environ | {
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "NEUROFUSE_SITE": "localhost",
        "NEUROFUSE_PROXY_PORT": str(port),
        "NEUROFUSE_PROXY_HEALTH_PORT": str(free_port()),
        "NEUROFUSE_UPSTREAM": str(service.client.base_url).removeprefix("http://").rstrip("/"),
        "NEUROFUSE_TLS_CERTIFICATE": str(folder / "tls_certificate"),
        "NEUROFUSE_TLS_KEY": str(folder / "tls_key"),
    }
    command = [caddy, "run", "--adapter", "caddyfile", "--config", str(DEPLOY / "proxy" / "Caddyfile")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603 - see above
    trusted = ssl.create_default_context(cafile=str(folder / "tls_certificate"))
    try:
        with httpx.Client(base_url=f"https://localhost:{port}", verify=trusted, timeout=LONGEST_S) as client:
            _wait(client, folder / "log")
            yield client
    finally:
        end(process)


def _wait(client: httpx.Client, log: Path) -> None:
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline:
        try:
            client.get("/livez")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the proxy did not come up:\n{log.read_text()}")


def test_a_case_is_answered_through_it(outside: httpx.Client, head_ct: Path) -> None:
    answer = outside.post(
        "/predict", data={"task": "gos"}, files={"image": (head_ct.name, head_ct.read_bytes())}
    )
    assert answer.status_code == httpx.codes.OK
    heatmap = answer.json()["heatmap"]["nifti"]
    assert outside.get(heatmap).status_code == httpx.codes.OK


def test_browsers_are_told_to_come_by_tls_alone_and_nobody_what_runs_here(outside: httpx.Client) -> None:
    headers = outside.get("/livez").headers
    assert "max-age=31536000" in headers["strict-transport-security"]
    assert "server" not in headers


def test_metrics_are_not_for_the_outside(outside: httpx.Client, service: Server) -> None:
    assert outside.get("/metrics").status_code == httpx.codes.NOT_FOUND
    assert service.client.get("/metrics").status_code == httpx.codes.OK


def test_old_tls_is_refused(outside: httpx.Client) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname = False
    old.verify_mode = ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")  # so that it is the proxy that refuses, not this client
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(httpx.ConnectError, match="ALERT_PROTOCOL_VERSION"):
        httpx.get(str(outside.base_url), verify=old, timeout=LONGEST_S)
