"""A token opens only while everything about it is right; what the provider publishes is fetched, kept, and fetched anew."""

import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.errors import ProviderUnavailableError
from app.security import provider as documents
from app.security.provider import ProviderDocuments
from app.security.tokens import Tokens
from app.settings import Settings
from tests.support.oidc import Provider, running

STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
AUDIENCE = "neurofuse-api"


def tokens_of(provider: Provider, **settings: Any) -> Tokens:
    chosen = {"oidc_issuer": provider.issuer, "oidc_audience": AUDIENCE} | settings
    return Tokens(Settings(**chosen), ProviderDocuments(provider.issuer))


def token(provider: Provider, **claims: Any) -> str:
    return provider.token(AUDIENCE, **{"roles": ["clinician"], **claims})


def test_a_good_token_says_who_shows_it_without_naming_them(provider: Provider) -> None:
    principal = tokens_of(provider).principal(token(provider, sub="clara@hospital.example", name="Clara"))
    assert principal is not None
    assert (principal.kind, principal.name) == ("oidc", "Clara")
    assert principal.roles == {"clinician"}
    assert principal.subject.startswith("oidc:")
    assert "clara" not in principal.subject
    other = tokens_of(provider).principal(token(provider, sub="olga@hospital.example"))
    assert other is not None
    assert other.subject != principal.subject


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": time.time() - 3600}, {"exp": None}, {"iat": None}, {"sub": None}, {"iss": None}, {"aud": None},
        {"nbf": time.time() + 3600}, {"iat": time.time() + 3600}, {"iss": "https://elsewhere.example"},
        {"aud": "another-service"}, {"aud": []}, {"nonce": "of an ID token"}, {"at_hash": "of an ID token"},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_with_a_wrong_claim_opens_nothing(provider: Provider, claims: dict[str, Any]) -> None:
    assert tokens_of(provider).principal(token(provider, **claims)) is None


def forged(provider: Provider) -> list[str]:
    """Good claims, signed by whoever should not, or not at all (RFC 8725, section 2)."""
    good = token(provider)
    claims = jwt.decode(good, options={"verify_signature": False})
    header = jwt.get_unverified_header(good)
    (published,) = provider.keys()["keys"]
    public = jwt.PyJWK(published).key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head, body, signature = good.split(".")
    as_secret = jwt.PyJWS()
    return [
        jwt.encode(claims, "", algorithm="none", headers={"kid": header["kid"]}),
        jwt.encode(claims, STRANGER, algorithm="RS256", headers={"kid": header["kid"]}),
        jwt.encode(claims, STRANGER, algorithm="RS256", headers={"kid": "unheard-of"}),
        jwt.encode(claims, STRANGER, algorithm="RS256", headers={"kid": header["kid"], "jwk": published}),
        as_secret.encode(b"{}", public.hex(), algorithm="HS256", headers={"kid": header["kid"]}),
        f"{head}.{body}.",
        f"{head}.{body}.{signature[:-8]}AAAAAAAA",
        f"{head}.{'e30'}.{signature}",
        good[:-1], f"{good}.{good}", "..", "a.b.c", "\0", "x" * 100_000,
    ]  # fmt: skip


def test_a_forged_token_opens_nothing(provider: Provider) -> None:
    tokens = tokens_of(provider)
    assert tokens.principal(token(provider)) is not None
    assert [each for each in forged(provider) if tokens.principal(each) is not None] == []


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS256"])
@pytest.mark.parametrize("names_algorithm", [True, False])
def test_a_token_is_taken_whatever_it_is_signed_with_and_whether_the_key_says_so_or_not(
    provider: Provider, algorithm: str, names_algorithm: bool
) -> None:
    provider.algorithm, provider.names_algorithm = algorithm, names_algorithm
    tokens = tokens_of(provider)
    assert tokens.principal(token(provider)) is not None
    assert [each for each in forged(provider) if tokens.principal(each) is not None] == []


def test_a_key_that_says_what_it_signs_with_signs_with_nothing_else(provider: Provider) -> None:
    tokens = tokens_of(provider)
    assert tokens.principal(token(provider)) is not None
    provider.algorithm = "PS256"
    assert tokens.principal(token(provider)) is None


@pytest.mark.parametrize(
    ("claims", "settings", "roles"),
    [
        ({"roles": ["ops", "unheard-of"]}, {}, {"ops"}),
        ({"roles": "ops admin"}, {}, {"ops", "admin"}),
        ({"roles": None}, {}, set()),
        ({"roles": {"ops": True}}, {}, set()),
        ({"realm_access": {"roles": ["ward-3"]}},
         {"oidc_roles_claim": "realm_access.roles", "oidc_role_names": "clinician=ward-3"}, {"clinician"}),
        ({"https://site.example/roles": ["ops"]}, {"oidc_roles_claim": "https://site.example/roles"}, {"ops"}),
        ({"resource_access": {"neurofuse.site.example": {"roles": ["ops"]}, "neurofuse": {"site": {"roles": ["admin"]}}}},
         {"oidc_roles_claim": "resource_access.neurofuse.site.example.roles"}, {"ops"}),
        ({"https://site.example/access": {"roles": ["ops"]}}, {"oidc_roles_claim": "https://site.example/access.roles"}, {"ops"}),
        ({"realm_access": ["ops"]}, {"oidc_roles_claim": "realm_access.roles"}, set()),
        # Once a role has another name at the provider, its own is none any longer.
        ({"roles": ["clinician"]}, {"oidc_role_names": "clinician=ward-3"}, set()),
    ],
)  # fmt: skip
def test_roles_are_those_that_the_provider_gives(
    provider: Provider, claims: dict[str, Any], settings: dict[str, str], roles: set[str]
) -> None:
    principal = tokens_of(provider, **settings).principal(token(provider, **claims))
    assert principal is not None
    assert principal.roles == roles


def test_without_an_audience_no_token_is_taken(provider: Provider) -> None:
    assert tokens_of(provider, oidc_audience="").principal(token(provider)) is None


def test_keys_are_fetched_once_and_again_when_they_change(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "PAUSE_S", 0.0)
    tokens = tokens_of(provider)
    old = token(provider)
    assert all(tokens.principal(old) for _ in range(20))
    assert provider.key_fetches == 1
    provider.rotate_keys()
    assert tokens.principal(token(provider)) is not None
    assert tokens.principal(old) is None


def test_invented_key_ids_do_not_make_a_hammer(provider: Provider) -> None:
    tokens = tokens_of(provider)
    claims = jwt.decode(token(provider), options={"verify_signature": False})
    for number in range(100):
        invented = jwt.encode(claims, STRANGER, algorithm="RS256", headers={"kid": f"invented-{number}"})
        assert tokens.principal(invented) is None
    assert provider.key_fetches == 1


def test_a_provider_that_is_away_is_no_outage_here_but_one_that_never_came_is() -> None:
    with running() as provider:
        tokens, good = tokens_of(provider), token(provider)
        assert tokens.principal(good) is not None
    assert tokens.principal(good) is not None
    with pytest.raises(ProviderUnavailableError):
        tokens_of(provider).principal(good)


@pytest.mark.parametrize(
    "change",
    [
        lambda known: known | {"issuer": "https://elsewhere.example"},
        lambda known: known | {"jwks_uri": "http://192.0.2.1/keys"},
        lambda known: known | {"jwks_uri": None},
        lambda _known: {"keys": []},
        lambda known: known | {"padding": "x" * documents.LARGEST_BYTES},
    ],
    ids=["another issuer", "keys without TLS", "no keys", "no configuration", "too large"],
)
def test_documents_that_cannot_be_relied_on_are_none(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], Any]
) -> None:
    published = change(provider.configuration())
    monkeypatch.setattr(provider, "configuration", lambda: published)
    with pytest.raises(ProviderUnavailableError):
        tokens_of(provider).principal(token(provider))


@pytest.mark.parametrize("published", [[], {}, {"keys": []}, {"keys": ["none"]}, "keys"], ids=str)
def test_what_is_no_set_of_keys_is_none(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, published: object
) -> None:
    monkeypatch.setattr(provider, "keys", lambda: published)
    with pytest.raises(ProviderUnavailableError):
        tokens_of(provider).principal(token(provider))
