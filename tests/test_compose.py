"""docker-compose.yml and what it mounts, checked as data (no container engine is needed)."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.settings import Settings
from tests.contract.repository import ROOT

VARIANTS = ("neurofuse", "neurofuse-gpu")
LOOPBACK = "127.0.0.1:"
SECRETS = "/run/secrets/"


def _yaml(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    return document


COMPOSE = _yaml("docker-compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def test_the_file_is_as_the_compose_specification_has_it() -> None:
    checker = Path(sys.executable).parent / "check-jsonschema"
    answer = subprocess.run(  # noqa: S603 - of our own environment
        [str(checker), "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize("name", SERVICES)
def test_only_the_proxy_is_reached_from_other_machines(name: str) -> None:
    published = [port for port in SERVICES[name].get("ports", []) if not port.startswith(LOOPBACK)]
    assert published == (["443:443"] if name == "proxy" else [])


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service.keys() >= {"mem_limit", "pids_limit", "restart", "logging"}
    assert service.keys().isdisjoint({"privileged", "network_mode", "pid", "ipc", "devices"})
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_of_the_host_cannot_be_written(name: str) -> None:
    mounts = [each for each in SERVICES[name].get("volumes", []) if each.startswith((".", "/"))]
    assert [each for each in mounts if not each.endswith(":ro")] == []
    assert [each for each in mounts if not (ROOT / each.split(":")[0]).exists()] == []


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned(name: str) -> None:
    tag = SERVICES[name]["image"].rpartition(":")[2]
    assert re.fullmatch(r"v?\d+\.\d+(\.\d+)?(\.dev\d+)?(-(cpu|gpu|alpine|bookworm))?", tag)


@pytest.mark.parametrize("name", SERVICES)
def test_health_is_known(name: str) -> None:
    # Ours is in the image.
    assert name in VARIANTS or SERVICES[name]["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", SERVICES)
def test_a_secret_comes_as_a_file_that_the_container_was_given(name: str) -> None:
    service = SERVICES[name]
    named = {
        value.removeprefix(SECRETS) for value in service.get("environment", {}).values() if SECRETS in value
    }
    read_by_configuration = {"metrics_token"} if name == "prometheus" else set()
    assert named | read_by_configuration == set(service.get("secrets", []))
    secret = re.compile(r"PASSWORD|TOKEN|SECRET|KEY|DATABASE_URL")
    in_the_open = [
        key
        for key, value in service.get("environment", {}).items()
        if secret.search(key) and not value.startswith(SECRETS)
    ]
    assert in_the_open == []


def _make_secrets(folder: Path) -> None:
    script = ["/bin/sh", str(ROOT / "deploy" / "make-secrets.sh"), str(folder)]
    subprocess.run(script, check=True, capture_output=True)  # noqa: S603 - our own script


def test_every_secret_is_made_and_none_is_kept_in_git(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    _make_secrets(folder)
    made = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert made.keys() == COMPOSE["secrets"].keys()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert made["postgres_password"].strip() in made["database_url"]
    _make_secrets(folder)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == made
    assert "/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {each["file"] for each in COMPOSE["secrets"].values()} == {f"./secrets/{name}" for name in made}
    url = Settings(
        database_url_file=str(folder / "database_url"), metrics_token_file=str(folder / "metrics_token")
    )
    assert url.database_url
    assert url.metrics_token


@pytest.mark.parametrize("name", VARIANTS)
def test_authentication_is_on_and_answers_are_in_postgresql(name: str) -> None:
    environment = SERVICES[name]["environment"]
    assert environment["NEUROFUSE_AUTHENTICATION"] == "on"
    assert environment["NEUROFUSE_DATABASE_URL_FILE"] == f"{SECRETS}database_url"
    assert SERVICES[name]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    proxy = SERVICES["proxy"]["networks"]["front"]["ipv4_address"]
    assert environment["NEUROFUSE_TRUSTED_PROXIES"] == proxy


def test_each_variant_has_a_profile_and_the_same_name_for_the_others() -> None:
    assert {name: SERVICES[name]["profiles"] for name in VARIANTS} == {
        "neurofuse": ["cpu"],
        "neurofuse-gpu": ["gpu"],
    }
    for name in VARIANTS:
        assert SERVICES[name]["networks"]["front"]["aliases"] == ["neurofuse"]
        assert SERVICES[name]["networks"]["watch"]["aliases"] == ["neurofuse"]
    (device,) = SERVICES["neurofuse-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["driver"] == "nvidia"


def test_the_database_is_reached_by_the_service_alone() -> None:
    assert COMPOSE["networks"]["data"] == {"internal": True}
    assert {name for name, service in SERVICES.items() if "data" in service["networks"]} == {
        *VARIANTS,
        "postgres",
    }


def test_prometheus_and_grafana_read_what_is_kept_here() -> None:
    prometheus = _yaml("deploy/prometheus/prometheus.yml")
    mounted = {each.split(":")[1] for name in ("prometheus", "grafana") for each in SERVICES[name]["volumes"]}
    assert set(prometheus["rule_files"]) <= mounted
    (job,) = prometheus["scrape_configs"]
    (targets,) = job["static_configs"]
    assert targets["targets"] == [SERVICES["proxy"]["environment"]["NEUROFUSE_UPSTREAM"]]
    assert job["authorization"]["credentials_file"] == f"{SECRETS}metrics_token"
    assert "--config.file=/etc/prometheus/prometheus.yml" in SERVICES["prometheus"]["command"]
    (provider,) = _yaml("deploy/grafana/provisioning/dashboards/neurofuse.yml")["providers"]
    assert provider["options"]["path"] in mounted


COMMAND = re.compile(r"docker compose (exec|run|restart|stop|up|build)\b([^`#;|>&]*)")
PAGES = ("deploy.md", "backup.md", "incident.md", "monitoring.md")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_containers_that_are_there(page: str) -> None:
    for verb, rest in COMMAND.findall((ROOT / "docs" / "how-to" / page).read_text(encoding="utf-8")):
        words = rest.partition("\n")[0].replace("--entrypoint sh", "").split()
        named = [word for word in words if not word.startswith("-")]
        assert set(named if verb in {"restart", "stop"} else named[:1]) <= SERVICES.keys()


def test_the_profile_is_kept_where_every_command_of_the_pages_finds_it() -> None:
    """A command without the profile passes over the service: `stop` would leave it running without its database."""
    pages = {name: (ROOT / "docs" / "how-to" / name).read_text(encoding="utf-8") for name in PAGES}
    assert "COMPOSE_PROFILES=cpu > .env" in pages["deploy.md"]
    assert [name for name, text in pages.items() if "--profile" in text] == []


def test_secrets_that_could_not_be_made_are_made_by_the_next_run_and_the_first_one_says_why(
    tmp_path: Path,
) -> None:
    folder, tools = tmp_path / "secrets", tmp_path / "tools"
    tools.mkdir()
    for name in ("mkdir", "chmod", "cat", "mv"):  # and no openssl
        (tools / name).symlink_to(shutil.which(name) or "")
    assert _tried_to_make_secrets(folder, PATH=str(tools)).returncode != 0
    refused = _tried_to_make_secrets(folder, NEUROFUSE_SITE=f"{'a' * 60}.hospital.example")
    assert refused.returncode != 0
    assert "maxsize=64" in refused.stderr
    _make_secrets(folder)
    made = {file.name: file.read_text() for file in folder.iterdir()}
    assert made.keys() == COMPOSE["secrets"].keys()
    assert all(made.values())
    assert made["postgres_password"].strip() in made["database_url"]


@pytest.mark.parametrize("absent", ["tls_key", "tls_certificate"])
def test_a_key_without_certificate_is_told_and_neither_is_replaced(tmp_path: Path, absent: str) -> None:
    folder = tmp_path / "secrets"
    _make_secrets(folder)
    (folder / absent).unlink()
    kept = {file.name: file.read_text() for file in folder.iterdir()}
    refused = _tried_to_make_secrets(folder)
    assert refused.returncode != 0
    assert f"{folder}/{absent}" in refused.stderr
    assert {file.name: file.read_text() for file in folder.iterdir()} == kept


def _tried_to_make_secrets(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    script = ["/bin/sh", str(ROOT / "deploy" / "make-secrets.sh"), str(folder)]
    return subprocess.run(script, env=os.environ | environment, check=False, capture_output=True, text=True)  # noqa: S603 - our own script
