"""Settings come from the environment, stay as they are, and are all documented."""

import base64
import re
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest
from pydantic import ValidationError

from app.cpus import usable_cpus
from app.setting_values import unknown_settings, webhook_key
from app.settings import ENV_PREFIX, MOST_READERS, Settings

REFERENCE = Path(__file__).parents[1] / "docs" / "reference" / "settings.md"
ROW = re.compile(r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", re.MULTILINE)


def test_the_table_of_settings_says_what_the_code_says() -> None:
    documented = ROW.findall(REFERENCE.read_text(encoding="utf-8"))
    declared = [
        (ENV_PREFIX + name.upper(), f"`{field.default}`", field.description)
        for name, field in Settings.model_fields.items()
    ]
    assert documented == declared


def test_what_a_setting_may_hold_is_named_where_it_is_one_of_few_words() -> None:
    for name, field in Settings.model_fields.items():
        for word in get_args(field.annotation) if get_origin(field.annotation) is Literal else ():
            assert f"`{word}`" in (field.description or ""), name


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROFUSE_PORT", "9000")
    monkeypatch.setenv("NEUROFUSE_MODEL_STORE", "/models")
    settings = Settings()
    assert (settings.port, settings.model_store) == (9000, Path("/models"))


def test_settings_do_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings()
    monkeypatch.setenv("NEUROFUSE_PORT", "9000")
    assert settings.port == 8000
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]  # that it cannot be set is what is tested


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"), ("PROVIDER", "rocm"), ("MAX_CONCURRENT", "-1"), ("QUEUE_LIMIT", "-2"), ("SLOW_UPLOADS", "-1"),
        ("MAX_UPLOAD_BYTES", "0"), ("LOG_FORMAT", "xml"), ("UPLOAD_TIMEOUT_S", "0"), ("THREADS", "-1"),
        ("THREADS", "99999"), ("READ_WORKERS", "99999"), ("MAX_CONCURRENT", "99999"),
        ("DATABASE_URL", "mysql://user:PLANTED@host/name"), ("DATABASE_CONNECTIONS", "0"), ("KEEP_HEATMAPS_DAYS", "-1"),
        ("KEEP_PREDICTIONS_DAYS", "-1"), ("KEEP_PREDICTIONS_DAYS", "999999"), ("KEEP_HEATMAPS_DAYS", "999999"),
        ("KEEP_AUDIT_DAYS", "inf"), ("JOB_DAYS", "999999"), ("CASE_HOURS", "nan"), ("SESSION_HOURS", "inf"),
        ("SESSION_IDLE_MINUTES", "1e12"), ("UPLOAD_TIMEOUT_S", "inf"), ("READ_TIMEOUT_S", "1e12"),
        ("READ_WORKERS", "-1"), ("READ_TIMEOUT_S", "0"), ("READ_MEMORY_BYTES", "1000000"),
        ("DEVICES", "0;1"), ("MAX_BATCH", "-1"), ("BATCH_WAIT_MS", "-2"), ("BATCH_WAIT_MS", "inf"),
        ("DATA", ""), ("MODEL_STORE", ""),
        ("ADMIN_TOKEN", "PLANTED"), ("ADMIN_TOKEN_FILE", "/absent/PLANTED"), ("ADMIN_TOKEN_FILE", "/dev/null"),
        ("JOB_LIMIT", "-1"), ("JOB_DAYS", "0"), ("JOB_ATTEMPTS", "0"), ("WEBHOOK_HOSTS", "ftp://a.example"),
        ("WEBHOOK_HOSTS", "a.example:99999"), ("WEBHOOK_HOSTS", "http://a.example:0"), ("WEBHOOK_HOSTS", "[::::]"),
        ("WEBHOOK_HOSTS", "https://a.example/path"), ("WEBHOOK_SECRET", "PLANTED"), ("WEBHOOK_SECRET", "whsec_c2hvcnQ="),
        ("AUTHENTICATION", "perhaps"), ("HOSTS", "a b"), ("HOSTS", "https://a.example"), ("REQUESTS_PER_MINUTE", "-1"),
        ("OIDC_ISSUER", "http://elsewhere.example"), ("PUBLIC_URL", "http://elsewhere.example"),
        ("OIDC_ROLE_NAMES", "root=all"), ("OIDC_ROLE_NAMES", "ops="),
        ("TRUSTED_PROXIES", "PLANTED"), ("TRUSTED_PROXIES", "10.0.0.0/33"), ("TRUSTED_PROXIES", "10.0.0.1;10.0.0.2"),
        ("TRUSTED_PROXIES", "10.0.0.1:80"), ("TRUSTED_PROXIES", "10.0.0.1/24"), ("TRUSTED_PROXIES", "*,10.0.0.1"),
        ("OIDC_ROLE_NAMES", "clinician=ward-3,clinician=ward-4"),
        ("METRICS_TOKEN", "PLANTED"), ("METRICS_TOKEN_FILE", "/dev/null"), ("API_KEY_FILE", "/absent/PLANTED"),
        ("WEBHOOK_SECRET_FILE", "/absent/PLANTED"), ("WEBHOOK_SECRET_FILE", "/dev/null"),
        ("API_KEY_FILE", "/dev/null"), ("OIDC_CLIENT_SECRET_FILE", "/dev/null"),
    ],
)  # fmt: skip
def test_a_value_that_makes_no_sense_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(ENV_PREFIX + name, value)
    with pytest.raises(ValidationError) as raised:
        Settings()
    assert "PLANTED" not in str(raised.value)


def test_the_address_that_kubernetes_sets_for_a_service_of_our_name_is_told_from_a_slip(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NEUROFUSE_PORT", "tcp://10.96.0.17:8000")
    with pytest.raises(ValidationError, match="enableServiceLinks: false") as raised:
        Settings()
    assert "10.96" not in str(raised.value)


def test_cases_and_readers_are_as_many_as_the_cores_unless_said_otherwise() -> None:
    cores = min(usable_cpus(), MOST_READERS)
    assert (Settings().cases_at_once, Settings().readers) == (cores + 1, cores)
    chosen = Settings(max_concurrent=20, read_workers=12)
    assert (chosen.cases_at_once, chosen.readers) == (20, 12)
    assert (chosen.queue_places, Settings(max_concurrent=1).queue_places) == (19, 1)
    assert Settings(queue_limit=0).queue_places == 0


def test_the_password_of_the_database_is_in_no_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROFUSE_DATABASE_URL", "postgresql://user:PLANTED@host/name")
    assert "PLANTED" not in f"{Settings()!r} {Settings()} {Settings().model_dump()}"
    assert "PLANTED" in Settings().database_url.get_secret_value()


@pytest.mark.parametrize(
    ("chosen", "believed"),
    [
        ("172.31.250.0/24, [fd00::1],", "172.31.250.0/24,fd00::1/128"), ("10.0.0.1", "10.0.0.1/32"),
        (" * ", "*"), ("", ""),
    ],
)  # fmt: skip
def test_proxies_are_told_to_the_server_as_it_understands_them(chosen: str, believed: str) -> None:
    # uvicorn takes what is neither an address nor a network for a name, and no proxy for the one of that name.
    assert Settings(trusted_proxies=chosen).trusted_proxies == believed


def test_by_default_only_this_machine_is_listened_to() -> None:
    assert Settings().host == "127.0.0.1"


def test_the_admin_token_may_lie_in_a_file_and_the_variable_comes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("of-the-file-0123456789\n")
    monkeypatch.setenv("NEUROFUSE_ADMIN_TOKEN_FILE", str(tmp_path / "token"))
    assert Settings().admin_token.get_secret_value() == "of-the-file-0123456789"
    assert "0123456789" not in repr(Settings())
    monkeypatch.setenv("NEUROFUSE_ADMIN_TOKEN", "of-the-variable-0123456789")
    assert Settings().admin_token.get_secret_value() == "of-the-variable-0123456789"


def test_a_file_with_a_byte_order_mark_holds_the_same_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("a-long-enough-token\n", encoding="utf-8-sig")
    monkeypatch.setenv("NEUROFUSE_METRICS_TOKEN_FILE", str(file))
    assert Settings().metrics_token.get_secret_value() == "a-long-enough-token"


def test_of_a_secret_that_is_not_text_no_byte_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_bytes("a-long-enough-token".encode("utf-16"))
    monkeypatch.setenv("NEUROFUSE_ADMIN_TOKEN_FILE", str(file))
    with pytest.raises(ValidationError, match="expected a file that can be read, in UTF-8") as raised:
        Settings()
    assert "byte" not in str(raised.value)


def test_settings_made_of_settings_are_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("of-the-file-0123456789")
    monkeypatch.setenv("NEUROFUSE_ADMIN_TOKEN_FILE", str(tmp_path / "token"))
    settings = Settings()
    (tmp_path / "token").unlink()
    assert Settings(**settings.model_dump()) == settings


def test_the_address_of_the_database_may_come_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "database-url"
    monkeypatch.setenv("NEUROFUSE_DATABASE_URL_FILE", str(file))
    file.write_text("postgresql://neurofuse:PLANTED@db/neurofuse\n")
    assert Settings().database_url.get_secret_value() == "postgresql://neurofuse:PLANTED@db/neurofuse"
    file.write_text("mysql://PLANTED@db/neurofuse\n")
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert "PLANTED" not in str(refused.value)
    file.write_text("")
    with pytest.raises(ValidationError):
        Settings()


def test_the_secret_of_webhooks_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = "whsec_" + base64.b64encode(bytes(range(24))).decode()
    (tmp_path / "secret").write_text(secret + "\n")
    monkeypatch.setenv("NEUROFUSE_WEBHOOK_SECRET_FILE", str(tmp_path / "secret"))
    assert webhook_key(Settings().webhook_secret) == bytes(range(24))
    assert secret not in repr(Settings())


def test_addresses_that_are_compared_with_a_browsers_are_in_small_letters() -> None:
    assert Settings(public_url="HTTPS://Brain.Example/Page/").public_url == "https://brain.example/Page"
    named = Settings(hosts="[::1], Brain.Example.")
    assert named.hosts == Settings(hosts=named.hosts).hosts == "::1,brain.example"


def test_of_a_variable_that_is_no_setting_the_nearest_one_is_told() -> None:
    known = [name.upper() for name in Settings.model_fields]
    told = list(unknown_settings(["NEUROFUSE_KEEP_PREDICTION_DAYS", "NEUROFUSE_ZZZ"], ENV_PREFIX, known))
    assert "NEUROFUSE_KEEP_PREDICTION_DAYS is none" in told[0]
    assert told[0].endswith("Did you mean NEUROFUSE_KEEP_PREDICTIONS_DAYS?")
    assert told[1].endswith("NEUROFUSE_ZZZ is none and means nothing.")
    ours_or_not = ["NEUROFUSE_PORT", "neurofuse_host", "HOME", "MY_NEUROFUSE_PORT"]
    assert list(unknown_settings(ours_or_not, ENV_PREFIX, known)) == []
