"""Who may move packages: whoever bears the token that the operator set. Without one, nobody."""

import secrets
from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.api.runtime import CurrentRuntime
from app.errors import NotAllowedError, NotAuthenticatedError

_bearer = HTTPBearer(
    scheme_name="adminToken",
    description="The value of `NEUROFUSE_ADMIN_TOKEN`; without one these routes are closed.",
    auto_error=False,
)


def _check(
    runtime: CurrentRuntime, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> None:
    """Let an operator pass.

    Raises:
        NotAllowedError: This service has no token.
        NotAuthenticatedError: The request bears none, or another one.
    """
    token = runtime.settings.admin_token.get_secret_value()
    if not token:
        raise NotAllowedError(
            "Expected a service whose operator set NEUROFUSE_ADMIN_TOKEN; this one has none, so nobody may do this."
        )
    # In the same time whatever was sent, so that its length and its first characters cannot be found out by trying.
    sent = credentials.credentials if credentials else ""
    if not secrets.compare_digest(sent.encode(), token.encode()):
        raise NotAuthenticatedError(
            "Expected the header `Authorization: Bearer <token>` with the admin token of this service."
        )


AdminOnly = Depends(_check)
