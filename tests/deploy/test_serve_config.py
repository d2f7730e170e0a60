"""The Serve config file says what the sources mean, and keeps to loopback and to no secrets until an operator says otherwise."""

from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from app.settings import ENV_PREFIX, Settings
from benchmarks.ray_cluster import CONFIG, adapted

DEPLOYMENTS = {"Ingress", "Predictor"}


@pytest.fixture
def config() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    return loaded


def variables(config: dict[str, Any]) -> dict[str, str]:
    told: dict[str, str] = config["applications"][0]["runtime_env"]["env_vars"]
    return told


def test_every_variable_is_a_setting_and_text(config: dict[str, Any]) -> None:
    fields = {ENV_PREFIX + name.upper() for name in Settings.model_fields}
    assert variables(config).keys() <= fields
    assert all(isinstance(value, str) for value in variables(config).values()), "Ray takes text alone"


def test_no_secret_stands_where_the_dashboard_shows_it(config: dict[str, Any]) -> None:
    secrets = {
        ENV_PREFIX + name.upper()
        for name, field in Settings.model_fields.items()
        if SecretStr in (field.annotation, *getattr(field.annotation, "__args__", ()))
    }
    assert f"{ENV_PREFIX}DATABASE_URL" in secrets
    assert not secrets & variables(config).keys()


def test_it_listens_on_loopback_and_logs_no_addresses(config: dict[str, Any]) -> None:
    assert config["http_options"]["host"] == "127.0.0.1"
    assert config["logging_config"]["enable_access_log"] is False


def test_a_request_may_take_as_long_as_its_upload(config: dict[str, Any]) -> None:
    assert config["http_options"]["request_timeout_s"] > Settings().upload_timeout_s


def test_replicas_come_and_go_with_the_queue(config: dict[str, Any]) -> None:
    deployments = {each["name"]: each for each in config["applications"][0]["deployments"]}
    assert deployments.keys() == DEPLOYMENTS
    for each in deployments.values():
        scaling = each["autoscaling_config"]
        assert scaling["target_ongoing_requests"] > 0
        assert 2 <= scaling["min_replicas"] < scaling["max_replicas"], "the loss of one is not felt"


def test_an_ingress_reserves_what_its_readers_take(config: dict[str, Any]) -> None:
    ingress = next(each for each in config["applications"][0]["deployments"] if each["name"] == "Ingress")
    assert ingress["ray_actor_options"]["num_cpus"] == int(variables(config)["NEUROFUSE_READ_WORKERS"])


def test_a_number_of_replicas_takes_the_place_of_autoscaling(config: dict[str, Any]) -> None:
    changed = adapted(config, {"Ingress": {"num_replicas": 3}}, {"alone": True})["applications"][0]
    ingress, predictor = changed["deployments"]
    assert (ingress["num_replicas"], "autoscaling_config" in ingress) == (3, False)
    assert "autoscaling_config" in predictor
    assert changed["args"] == {"release": "1", "alone": True}
    assert "runtime_env" in config["applications"][0], "the file as it was read is left alone"
