"""Tokens of the OpenID provider: whether they are good, and for whom (RFC 7519, RFC 8725, OpenID Connect Core 1.0, 3.1.3.7)."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final, cast

import jwt

from app.security.principal import Principal, Role
from app.security.provider import ProviderDocuments
from app.setting_values import role_names
from app.settings import Settings

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a key pair only: `none`, and HMAC with what everybody can read, are refused (RFC 8725, section 3.1)."""
LEEWAY_S: Final = 30.0
ID_TOKEN_CLAIMS: Final = frozenset({"nonce", "at_hash", "c_hash"})
"""What an ID token has and an access token has not: the first says who signed in to some page, and opens nothing here."""
LONGEST: Final = 16 * 1024
"""Characters of a token."""

Claims = Mapping[str, Any]


class Tokens:
    """Reads tokens.

    Args:
        settings: Who issues them, for whom, and what roles are called there.
        documents: The issuer's keys.
    """

    def __init__(self, settings: Settings, documents: ProviderDocuments) -> None:
        self._documents = documents
        self._audience = settings.oidc_audience or settings.oidc_client_id
        self._roles_claim = settings.oidc_roles_claim.split(".")
        self._role_names = role_names(settings.oidc_role_names)

    def principal(self, token: str) -> Principal | None:
        """Whom an access token stands for; None where it is not good, not for this service, or an ID token.

        Raises:
            ProviderUnavailableError: Its keys cannot be had.
        """
        claims = self.claims(token, self._audience) if self._audience else None
        if claims is None or ID_TOKEN_CLAIMS & claims.keys():
            return None
        return self.person(claims)

    def claims(self, token: str, audience: str) -> Claims | None:
        """What a token says, once its signature, its issuer, its audience and its times are right; else None.

        Args:
            token: In its compact form.
            audience: Who it must be for.

        Raises:
            ProviderUnavailableError: The keys cannot be had.
        """
        if len(token) > LONGEST:
            return None
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                return None
            key = self._documents.key(header.get("kid"))
            if key is None:
                return None
            claims: Claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=audience,
                issuer=self._documents.configuration()["issuer"],
                leeway=LEEWAY_S,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            return None
        return claims

    def person(self, claims: Claims) -> Principal:
        """Whom good claims stand for, with the roles that they have here."""
        issuer, subject = str(claims["iss"]), str(claims["sub"])
        # A provider's `sub` may be a name or an address of a person: only its digest goes into logs and the audit.
        digest = hashlib.sha256(f"{issuer}\0{subject}".encode()).hexdigest()[:32]
        name = (
            claims.get("name") or claims.get("preferred_username") or claims.get("client_id") or "signed in"
        )
        held = _values(claims, self._roles_claim)
        roles = frozenset(ours for ours, theirs in self._role_names.items() if theirs in held)
        return Principal(f"oidc:{digest}", "oidc", cast("frozenset[Role]", roles), str(name)[:200])


def _values(claims: Claims, path: list[str]) -> frozenset[str]:
    found = _at(claims, path)
    if isinstance(found, str):
        return frozenset(found.split())
    return (
        frozenset(each for each in found if isinstance(each, str)) if isinstance(found, list) else frozenset()
    )


def _at(claims: object, path: list[str]) -> object:
    """What stands at the end of a path. A name may hold dots itself, as an address or the id of a client does: the longest that is there counts."""
    if not path:
        return claims
    for steps in range(len(path), 0, -1):
        name = ".".join(path[:steps])
        if isinstance(claims, Mapping) and name in claims:
            return _at(claims[name], path[steps:])
    return None
