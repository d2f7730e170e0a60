"""`neurofuse serve`."""

import argparse
import os
from contextlib import suppress
from tempfile import gettempdir
from typing import Final

import structlog

from app.api.body_blocks import BlocksProtocol
from app.api.failed_start import Server
from app.exit_status import FAILED, OK
from app.heap import keep_freed_memory, keep_what_a_start_made
from app.main import create_app
from app.model_package.store import store_at
from app.security.exposure import require_safe
from app.setting_values import unknown_settings
from app.settings import ENV_PREFIX, Settings
from app.telemetry import change_level_by_signal

GRACEFUL_SHUTDOWN_S: Final = 30
"""Seconds that cases have to finish once the process is told to stop; a client that stalls cannot hold it longer."""
TLS_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2, the least that is spoken; all of 1.3 are good (RFC 9325, section 4.2)."""

log = structlog.stdlib.get_logger(__name__)


def serve(arguments: argparse.Namespace, settings: Settings) -> int:
    """Answers over HTTP until it is stopped."""
    chosen = {
        name: getattr(arguments, name) for name in ("host", "port") if getattr(arguments, name) is not None
    }
    settings = Settings(**{**settings.model_dump(), **chosen})
    for unknown in unknown_settings(os.environ, ENV_PREFIX, [name.upper() for name in Settings.model_fields]):
        log.warning("setting-unknown", detail=unknown)
    require_safe(settings)
    store_at(settings.model_store)  # says so where there is none
    gettempdir()  # says which folders it has tried, where none can be written to; packages could not be made ready
    change_level_by_signal(settings.log_level)
    keep_freed_memory()
    application = create_app(settings)
    keep_what_a_start_made()
    server = Server(
        application,
        host=settings.host,
        port=settings.port,
        log_config=None,  # `configure_logging` has taken care of it
        access_log=False,  # uvicorn's would hold addresses; ours is `request-finished`
        server_header=False,
        # Whoever else sends X-Forwarded-For is not believed: refusals are counted by address.
        forwarded_allow_ips=settings.trusted_proxies,
        ssl_certfile=settings.tls_certificate or None,
        ssl_keyfile=settings.tls_key or None,
        ssl_ciphers=TLS_CIPHERS,
        http=BlocksProtocol,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
    )
    with suppress(KeyboardInterrupt):
        server.run()
    return FAILED if server.application.has_failed else OK
