"""From what a request shows to whoever is behind it."""

import hmac
from typing import Final

from app.records.api_keys import ApiKeyRecords
from app.security.keys import PREFIX, Keys
from app.security.principal import ADMIN_TOKEN, LOCAL, METRICS_TOKEN, ROLES, Principal
from app.security.provider import ProviderDocuments
from app.security.tokens import Tokens
from app.settings import Settings

SCHEME: Final = "bearer"


class Authenticator:
    """Knows every kind of credential; sessions of the page, which are cookies, are looked up by `app.api.sign_in`.

    Args:
        settings: Which of them are taken here.
        keys: The table of API keys.

    Attributes:
        provider: The OpenID provider's documents; None where none is set.
        tokens: Reads its tokens; None where none is set.
    """

    def __init__(self, settings: Settings, keys: ApiKeyRecords) -> None:
        self.is_on = settings.authentication == "on"
        self.provider = ProviderDocuments(settings.oidc_issuer) if settings.oidc_issuer else None
        self.tokens = Tokens(settings, self.provider) if self.provider else None
        self._keys = Keys(keys)
        fixed = ((settings.admin_token, ADMIN_TOKEN), (settings.metrics_token, METRICS_TOKEN))
        self._fixed = [(secret.get_secret_value().encode(), who) for secret, who in fixed if secret]

    def principal(self, authorization: str) -> Principal | None:
        """Whoever shows this; may wait for the database or the provider, so it belongs into a thread.

        Args:
            authorization: The header of that name; empty where there is none.

        Returns:
            None where it is not good.

        Raises:
            StorageUnavailableError: The database does not answer now.
            ProviderUnavailableError: The provider's keys cannot be had now.
        """
        scheme, _, credential = authorization.partition(" ")
        credential = credential.strip()
        fixed = self._bearer_of_fixed(credential) if scheme.lower() == SCHEME else None
        if not self.is_on:
            # Nobody is asked, so nobody is refused: but packages are moved by whoever bears the token.
            return (
                Principal(fixed.subject, "token", frozenset(ROLES), fixed.name)
                if fixed is ADMIN_TOKEN
                else LOCAL
            )
        if fixed or scheme.lower() != SCHEME:
            return fixed
        if credential.startswith(PREFIX):
            return self._keys.principal(credential)
        return self.tokens.principal(credential) if self.tokens else None

    def _bearer_of_fixed(self, credential: str) -> Principal | None:
        """Each is compared, in a time that does not depend on how much of it is right (CWE-208)."""
        sent = credential.encode()
        fitting = [who for secret, who in self._fixed if hmac.compare_digest(sent, secret)]
        return fitting[0] if fitting else None
