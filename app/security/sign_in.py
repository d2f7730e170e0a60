"""Sign-in on the page: the authorization code flow of OpenID Connect, ended at the server, so that no token reaches a browser.

RFC 6749, section 4.1, with PKCE (RFC 7636), `state`, `nonce`, and the issuer in the answer (RFC 9207), as RFC 9700 asks for.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

import httpx

from app.errors import ProviderUnavailableError, SignInFailedError
from app.security.authenticator import Authenticator
from app.security.principal import Principal
from app.security.provider import ProviderDocuments, is_safe
from app.security.tokens import Tokens
from app.settings import Settings

SECRET_BYTES: Final = 32
TIMEOUT_S: Final = 10.0
SCOPE: Final = "openid profile"


@dataclass(frozen=True)
class Attempt:
    """One sign-in under way. All of it follows from a secret that only the browser which began it holds, so nothing is kept here.

    Attributes:
        secret: Random; what follows is a keyed digest of it and gives nothing of it away.
    """

    secret: str

    @classmethod
    def new(cls) -> "Attempt":
        """One that nobody can guess."""
        return cls(secrets.token_urlsafe(SECRET_BYTES))

    @property
    def state(self) -> str:
        """Comes back with the answer: it belongs to this browser."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """Comes back in the token: it was made for this attempt."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """Shown with the code: whoever steals that alone has nothing (43 characters, the least of RFC 7636)."""
        return self._derived("verifier")

    @property
    def challenge(self) -> str:
        """Shown before: the digest of the verifier."""
        return _base64url(hashlib.sha256(self.verifier.encode()).digest())

    def _derived(self, purpose: str) -> str:
        return _base64url(hmac.digest(self.secret.encode(), purpose.encode(), "sha256"))


@dataclass(frozen=True)
class Client:
    """The page, as the OpenID provider knows it.

    Attributes:
        id: Its name there.
        secret: Empty for a public client.
        redirect_uri: Where people are sent back to.
    """

    id: str
    secret: str
    redirect_uri: str


class SignIn:
    """Signs people in.

    Args:
        provider: The provider's documents.
        tokens: Reads what it signed.
        client: Who we are there.
    """

    def __init__(self, provider: ProviderDocuments, tokens: Tokens, client: Client) -> None:
        self._provider = provider
        self._tokens = tokens
        self._client = client

    def address(self, attempt: Attempt) -> str:
        """Where a browser goes to sign in.

        Raises:
            ProviderUnavailableError: The provider does not answer now.
        """
        asked = {
            "response_type": "code",
            "client_id": self._client.id,
            "redirect_uri": self._client.redirect_uri,
            "scope": SCOPE,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return _with(self._endpoint("authorization_endpoint"), asked)

    def finish(self, attempt: Attempt, answer: Mapping[str, str]) -> Principal:
        """Who has signed in.

        Args:
            attempt: That the browser began.
            answer: Parameters with which the provider sent it back.

        Raises:
            SignInFailedError: It belongs to another attempt, was refused, or cannot be relied on.
            ProviderUnavailableError: The provider does not answer now.
        """
        # First of all, and before anything is asked of the provider: whoever was lured here began nothing.
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise _failed(
                "Expected the answer to the sign-in that this browser began; it belongs to another one."
            )
        configuration = self._provider.configuration()
        names_issuer = configuration.get("authorization_response_iss_parameter_supported") is True
        if answer.get("iss", "" if names_issuer else configuration["issuer"]) != configuration["issuer"]:
            raise _failed("Expected an answer of the configured OpenID provider; it names another one.")
        if "code" not in answer:
            raise _failed("Expected the OpenID provider to let you in; it did not.")
        return self._principal(self._id_token(attempt, answer["code"]), attempt)

    def sign_out_address(self, back: str) -> str | None:
        """Where a browser signs out of the provider too; None where the provider has no such place.

        Without it the next person at this machine would be let in as the last one (OpenID Connect RP-Initiated Logout 1.0).
        """
        endpoint = self._optional("end_session_endpoint")
        asked = {"client_id": self._client.id, "post_logout_redirect_uri": back}
        return None if endpoint is None else _with(endpoint, asked)

    def _id_token(self, attempt: Attempt, code: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._client.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        # RFC 6749, section 2.3.1: both are form-encoded before they become user and password.
        shown = (quote(self._client.id, safe=""), quote(self._client.secret, safe=""))
        named = {} if self._client.secret else {"client_id": self._client.id}
        endpoint = self._endpoint("token_endpoint")
        try:
            with httpx.Client(timeout=TIMEOUT_S, auth=None if named else shown) as http:
                answer = http.post(endpoint, data=form | named)
        except httpx.HTTPError:
            raise unavailable() from None
        if answer.is_server_error:
            raise unavailable()
        try:
            token = answer.json()["id_token"] if answer.is_success else None
        except (ValueError, KeyError, TypeError):
            token = None
        if not isinstance(token, str):
            raise _failed("Expected an ID token of the OpenID provider for the code; it gave none.")
        return token

    def _principal(self, token: str, attempt: Attempt) -> Principal:
        claims = self._tokens.claims(token, self._client.id)
        if claims is None:
            raise _failed("Expected an ID token that can be relied on; the one that came cannot.")
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), attempt.nonce.encode()):
            raise _failed("Expected an ID token for this sign-in; it was made for another one.")
        # OpenID Connect Core 1.0, section 3.1.3.7: a token for several clients says which of them it was given to.
        if claims.get("azp", self._client.id) != self._client.id:
            raise _failed("Expected an ID token for this page; it was given to another client.")
        return self._tokens.person(claims)

    def _endpoint(self, name: str) -> str:
        endpoint = self._optional(name)
        if endpoint is None:
            raise unavailable()
        return endpoint

    def _optional(self, name: str) -> str | None:
        """An address that the provider publishes, if it is one that a browser or a secret may be sent to."""
        endpoint = self._provider.configuration().get(name)
        return endpoint if isinstance(endpoint, str) and is_safe(endpoint) else None


def sign_in_of(settings: Settings, authenticator: Authenticator, redirect_uri: str) -> SignIn | None:
    """How people sign in, as the operator chose; None where they cannot."""
    provider, tokens = authenticator.provider, authenticator.tokens
    if settings.authentication == "off" or not (settings.oidc_client_id and provider and tokens):
        return None
    client = Client(settings.oidc_client_id, settings.oidc_client_secret.get_secret_value(), redirect_uri)
    return SignIn(provider, tokens, client)


def unavailable() -> ProviderUnavailableError:
    """The error that says so."""
    return ProviderUnavailableError(
        "Expected an answer of the OpenID provider as the standard says; none came. Try again later.",
        retry_after_s=5,
    )


def _failed(what: str) -> SignInFailedError:
    return SignInFailedError(f"{what} Sign in once more.")


def _with(address: str, parameters: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(parameters)}"


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
