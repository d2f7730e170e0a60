"""Every choice an operator has, read once from the environment and frozen.

The names are `NEUROFUSE_` followed by the field's name in capitals; `docs/reference/settings.md` lists them.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveInt, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.cpus import usable_cpus
from app.setting_values import (
    Days,
    Folder,
    Hours,
    Minutes,
    Port,
    Seconds,
    Threads,
    are_hosts,
    are_names,
    are_networks,
    are_role_names,
    is_https,
    is_public_https,
    text_of,
    webhook_key,
)

ENV_PREFIX = "NEUROFUSE_"
MIB = 1024**2
GIB = 1024**3

Provider = Literal["cpu", "cuda", "tensorrt"]
LEAST_TOKEN = 16
"""Characters of a token that nobody guesses; `openssl rand -base64 32` makes a good one."""
MOST_READERS = 8
"""Unless more are asked for: each may take `read_memory_bytes`."""
POSTGRESQL = ("postgresql://", "postgres://")


class Settings(BaseSettings):
    """How this process runs; what a model needs is in its package, not here."""

    model_config = SettingsConfigDict(
        frozen=True, env_prefix=ENV_PREFIX, extra="ignore", hide_input_in_errors=True
    )

    host: Annotated[str, Field(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[Port, Field(description="Port to listen on.")] = 8000
    model_store: Annotated[
        Folder,
        Field(
            description="Folder of model packages, `<name>/<version>/`; the service does not start without it."
        ),
    ] = Path("model_store")
    data: Annotated[
        Folder, Field(description="Folder of the database, the heatmaps and the temporary uploads.")
    ] = Path("var")
    database_url_file: Annotated[
        str,
        Field(description="File that holds the address of the database, with its password; empty for none."),
    ] = ""
    database_url: Annotated[
        SecretStr,
        Field(
            validate_default=True,
            description="PostgreSQL database, `postgresql://user@host/name`, before that of the file; empty for SQLite in the data folder.",
        ),
    ] = SecretStr("")
    database_connections: Annotated[
        PositiveInt, Field(description="Most connections of this process to a PostgreSQL database.")
    ] = 10
    artefacts: Annotated[
        str,
        Field(
            description="Where heatmaps and uploads of jobs are kept: a folder, or a URL as `s3://bucket/path`; empty for the data folder."
        ),
    ] = ""
    keep_predictions_days: Annotated[
        Days,
        Field(
            ge=0, description="Days for which answers are kept, with all that belongs to them; 0 for ever."
        ),
    ] = 0.0
    keep_heatmaps_days: Annotated[
        Days,
        Field(ge=0, description="Days for which the heatmaps of answers are kept; 0 as long as the answers."),
    ] = 0.0
    keep_audit_days: Annotated[
        Days,
        Field(ge=0, description="Days for which lines of the audit trail are kept; 0 for ever."),
    ] = 200.0
    provider: Annotated[Provider, Field(description="Where models run: `cpu`, `cuda` or `tensorrt`.")] = "cpu"
    threads: Annotated[
        Threads,
        Field(
            description="Threads of one inference; 0 for one per usable core, at most 4, where a case comes alone, and one each where cases meet; one on a GPU.",
        ),
    ] = 0
    devices: Annotated[
        str,
        Field(
            pattern=r"^\d+(,\d+)*$",
            description="Numbers of the GPUs, each with a session of its own, such as `0,1`; means nothing on a CPU.",
        ),
    ] = "0"
    cuda_graphs: Annotated[
        bool,
        Field(
            description="Try CUDA graphs at the start, and keep them where a run gains by them; for `cuda`."
        ),
    ] = False
    max_batch: Annotated[
        int,
        Field(
            ge=0,
            description="Cases of the largest batch; 0 for one on a CPU, and for what a measurement says on a GPU.",
        ),
    ] = 0
    batch_wait_ms: Annotated[
        float,
        Field(
            ge=-1,
            le=60_000,
            description="Milliseconds that a batch with room waits for others; -1 for what that measurement says.",
        ),
    ] = -1.0
    max_concurrent: Annotated[
        Threads,
        Field(
            description="Cases worked on at the same time; 0 for one more than usable cores, at most 9: while one is read or kept, the others keep the cores busy.",
        ),
    ] = 0
    queue_limit: Annotated[
        int,
        Field(
            ge=-1,
            description="Cases that may wait beside these; one more is answered 503. -1 for one fewer than these: who is admitted waits hardly longer than a case takes.",
        ),
    ] = -1
    slow_uploads: Annotated[
        int,
        Field(
            ge=0,
            description="Uploads that may take longer than a second, and uploads of jobs, beside these; one more is answered 503.",
        ),
    ] = 16
    max_upload_bytes: Annotated[PositiveInt, Field(description="Largest request body, in bytes.")] = GIB
    max_upload_files: Annotated[PositiveInt, Field(description="Most `image` parts in one request.")] = 2000
    max_unpacked_bytes: Annotated[
        PositiveInt, Field(description="Most bytes an archive or compressed file may unfold to.")
    ] = 2 * GIB
    max_voxels: Annotated[PositiveInt, Field(description="Most voxels of one image.")] = 2**28
    read_workers: Annotated[
        Threads,
        Field(
            description="Processes that read images, each one case at a time; 0 for one per usable core, at most 8.",
        ),
    ] = 0
    read_timeout_s: Annotated[
        Seconds,
        Field(
            gt=0,
            description="Seconds for reading one case, and for drawing its heatmap; what takes longer is ended and answered 422.",
        ),
    ] = 60.0
    read_memory_bytes: Annotated[
        # Below that, the threads of a decoder find no room for their stacks.
        int,
        Field(
            ge=512 * MIB,
            description="Most memory for reading or drawing one case, in bytes, beside the libraries.",
        ),
    ] = 4 * GIB
    upload_timeout_s: Annotated[
        Seconds, Field(gt=0, description="Seconds a client has to send its whole request.")
    ] = 300.0
    case_hours: Annotated[
        Hours,
        Field(
            ge=0, description="Hours for which the image and the record of an answer are kept; 0 keeps none."
        ),
    ] = 24.0
    case_bytes: Annotated[
        int,
        Field(ge=0, description="Most bytes of kept cases, and of previewed uploads; the oldest go first."),
    ] = 4 * GIB
    job_limit: Annotated[
        int, Field(ge=0, description="Jobs that may wait or run; one more is answered 503, 0 takes none.")
    ] = 1000
    job_days: Annotated[
        Days, Field(gt=0, description="Days for which a finished job is kept; its answer stays longer.")
    ] = 30.0
    job_attempts: Annotated[
        PositiveInt,
        Field(description="How often a job may be begun, where the process ends in the middle of it."),
    ] = 3
    webhook_hosts: Annotated[
        str,
        AfterValidator(are_hosts),
        Field(
            description="Where webhooks may go, separated by commas: `host` or `host:port` for https, or `http://host:port`; "
            "empty for nowhere."
        ),
    ] = ""
    webhook_secret_file: Annotated[
        str, Field(description="File that holds the secret of webhooks; empty for none.")
    ] = ""
    webhook_secret: Annotated[
        SecretStr,
        Field(
            validate_default=True,
            description="What webhooks are signed with, `whsec_` and 24 to 64 bytes in base64, before that of the file; "
            "without one none are sent.",
        ),
    ] = SecretStr("")
    admin_token_file: Annotated[
        str, Field(description="File that holds the token of the admin routes; empty for none.")
    ] = ""
    admin_token: Annotated[
        SecretStr,
        Field(
            validate_default=True,
            description="Token of the admin routes, 16 characters or more, before that of the file; without one they are closed.",
        ),
    ] = SecretStr("")
    authentication: Annotated[
        Literal["off", "on"],
        Field(
            description="`on`: every caller shows an API key or a token of the OpenID provider; `off`: nobody is asked, and the "
            "service listens on this machine alone."
        ),
    ] = "off"
    hosts: Annotated[
        str,
        AfterValidator(are_names),
        Field(
            description="Names by which clients may call this service, separated by commas; empty for any, or for those of this machine "
            "where it listens on it alone."
        ),
    ] = ""
    requests_per_minute: Annotated[
        int,
        Field(
            ge=0,
            description="Most requests of one caller in a minute; one more is answered 429, 0 for no bound; means nothing where authentication is off.",
        ),
    ] = 1200
    metrics_token_file: Annotated[
        str, Field(description="File that holds the token of Prometheus; empty for none.")
    ] = ""
    metrics_token: Annotated[
        SecretStr,
        Field(
            validate_default=True,
            description="Token with which `/metrics` may be read, 16 characters or more, before that of the file.",
        ),
    ] = SecretStr("")
    api_key_file: Annotated[
        str, Field(description="File that holds the API key of this machine's own commands; empty for none.")
    ] = ""
    api_key: Annotated[
        SecretStr,
        Field(
            validate_default=True,
            description="API key that `neurofuse predict --server` shows, before that of the file.",
        ),
    ] = SecretStr("")
    trusted_proxies: Annotated[
        str,
        AfterValidator(are_networks),
        Field(
            description="Addresses of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed, separated by commas."
        ),
    ] = ""
    tls_certificate: Annotated[
        str,
        Field(
            description="File of the certificate chain (PEM) to serve HTTPS with; empty where a proxy does."
        ),
    ] = ""
    tls_key: Annotated[str, Field(description="File of its private key (PEM).")] = ""
    oidc_issuer: Annotated[
        str,
        AfterValidator(is_https),
        Field(
            description="Issuer of the OpenID provider whose tokens are taken, `https://...`; empty for none."
        ),
    ] = ""
    oidc_audience: Annotated[
        str, Field(description="What the `aud` of a bearer token must hold; the client's id by default.")
    ] = ""
    oidc_roles_claim: Annotated[
        str,
        Field(
            description="Claim with a person's roles, dots between its steps, such as `realm_access.roles`."
        ),
    ] = "roles"
    oidc_role_names: Annotated[
        str,
        AfterValidator(are_role_names),
        Field(
            description="What the provider calls our roles, `ours=theirs` separated by commas, such as `clinician=neuro-ward`; a role "
            "that is not named has its own name."
        ),
    ] = ""
    oidc_client_id: Annotated[
        str,
        Field(description="Client id of the page at the OpenID provider; empty for no sign-in on the page."),
    ] = ""
    oidc_client_secret_file: Annotated[
        str,
        Field(
            description="File that holds the client's secret; empty for a public client, which PKCE protects."
        ),
    ] = ""
    oidc_client_secret: Annotated[
        SecretStr,
        Field(validate_default=True, description="The client's secret, before that of the file."),
    ] = SecretStr("")
    session_idle_minutes: Annotated[
        Minutes,
        Field(gt=0, description="Minutes after which somebody who does nothing on the page is signed out."),
    ] = 30.0
    session_hours: Annotated[
        Hours, Field(gt=0, description="Hours after which a sign-in on the page ends, whatever is done.")
    ] = 10.0
    public_url: Annotated[
        str,
        AfterValidator(is_public_https),
        Field(
            description="Address that browsers reach the page at, for the way back from the provider, `https://...`."
        ),
    ] = ""
    otlp_endpoint: Annotated[
        str,
        Field(
            pattern=r"^(https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._/-]*)?)?$",
            description="OpenTelemetry collector that spans are sent to, such as `http://collector:4318`; empty for none.",
        ),
    ] = ""
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        Field(description="Least level that is logged: `DEBUG`, `INFO`, `WARNING` or `ERROR`."),
    ] = "INFO"
    log_format: Annotated[
        Literal["json", "console"],
        Field(description="`json`: one JSON object a line; `console`: lines for people."),
    ] = "json"

    @property
    def cases_at_once(self) -> int:
        """Cases worked on at the same time, on the cores that there are."""
        return self.max_concurrent or min(usable_cpus(), MOST_READERS) + 1

    @property
    def queue_places(self) -> int:
        """Cases that may wait for their turn."""
        return self.queue_limit if self.queue_limit >= 0 else max(1, self.cases_at_once - 1)

    @property
    def readers(self) -> int:
        """Processes that read images, on the cores that there are."""
        return self.read_workers or min(usable_cpus(), MOST_READERS)

    @field_validator(
        "database_url", "admin_token", "metrics_token", "api_key", "webhook_secret", "oidc_client_secret"
    )
    @classmethod
    def _from_its_file(cls, secret: SecretStr, chosen: ValidationInfo) -> SecretStr:
        file = chosen.data.get(f"{chosen.field_name}_file")
        if secret or not file:
            return secret
        return SecretStr(text_of(file))

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, url: SecretStr, chosen: ValidationInfo) -> SecretStr:
        if (url or chosen.data.get("database_url_file")) and not url.get_secret_value().startswith(
            POSTGRESQL
        ):
            raise ValueError("expected postgresql://")
        return url

    @field_validator("admin_token", "metrics_token")
    @classmethod
    def _is_long(cls, token: SecretStr, chosen: ValidationInfo) -> SecretStr:
        if len(token) < LEAST_TOKEN and (token or chosen.data.get(f"{chosen.field_name}_file")):
            raise ValueError(f"expected {LEAST_TOKEN} characters or more")
        return token

    @field_validator("webhook_secret")
    @classmethod
    def _is_standard(cls, secret: SecretStr, chosen: ValidationInfo) -> SecretStr:
        if secret or chosen.data.get("webhook_secret_file"):
            webhook_key(secret)
        return secret
