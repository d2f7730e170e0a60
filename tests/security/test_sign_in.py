"""The authorization code flow against a real provider: who is let in, and every answer that must not be believed."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from app.errors import MalformedRequestError, ProviderUnavailableError, SignInFailedError
from app.security.exposure import require_safe
from app.security.principal import Principal
from app.security.provider import ProviderDocuments
from app.security.sign_in import Attempt, Client, SignIn
from app.security.tokens import Tokens
from app.settings import Settings
from tests.support.oidc import CLIENT_ID, Claims, Provider, running
from tests.support.ports import free_port

BACK = "http://127.0.0.1:1/auth/callback"
BROWSER = httpx.Client()
SECRET = "a secret: with / and %"  # noqa: S105 - of a provider that lives for one test


def flow_with(provider: Provider, secret: str = "", issuer: str = "") -> SignIn:
    settings = Settings(oidc_issuer=issuer or provider.issuer, oidc_client_id=CLIENT_ID)
    documents = ProviderDocuments(settings.oidc_issuer)
    return SignIn(documents, Tokens(settings, documents), Client(CLIENT_ID, secret, BACK))


@pytest.fixture(scope="module")
def one() -> Iterator[tuple[Provider, SignIn]]:
    with running() as provider:
        yield provider, flow_with(provider)


@pytest.fixture
def provider(one: tuple[Provider, SignIn]) -> Iterator[Provider]:
    provider, _ = one
    yield provider
    provider.change = dict


@pytest.fixture
def flow(one: tuple[Provider, SignIn]) -> SignIn:
    return one[1]


def consent(flow: SignIn, attempt: Attempt, person: str = "clara") -> dict[str, str]:
    """What the provider sends a browser back with, once a person has signed in there."""
    sent_on = BROWSER.get(f"{flow.address(attempt)}&person={person}")
    assert sent_on.status_code == httpx.codes.FOUND, sent_on.text
    back = urlsplit(sent_on.headers["Location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == BACK
    return {name: values[0] for name, values in parse_qs(back.query).items()}


def signed_in(flow: SignIn, person: str = "clara") -> Principal:
    attempt = Attempt.new()
    return flow.finish(attempt, consent(flow, attempt, person))


def test_a_person_is_let_in_with_the_roles_that_the_provider_gives(flow: SignIn) -> None:
    clara, nora = signed_in(flow), signed_in(flow, "nora")
    assert (clara.name, clara.kind) == ("Clara Clinician", "oidc")
    assert clara.roles == {"clinician"}
    assert not nora.roles
    assert clara.subject == signed_in(flow).subject != nora.subject
    assert "clara" not in clara.subject


def test_a_confidential_client_shows_its_secret_and_no_other_will_do() -> None:
    with running(client_secret=SECRET) as provider:
        assert signed_in(flow_with(provider, SECRET)).name == "Clara Clinician"
        for wrong in ("", SECRET + "!"):
            with pytest.raises(SignInFailedError, match="none"):
                signed_in(flow_with(provider, wrong))


def test_what_a_browser_shows_first_gives_nothing_of_the_secret_away() -> None:
    attempt = Attempt.new()
    shown = {attempt.secret, attempt.state, attempt.nonce, attempt.verifier, attempt.challenge}
    assert len(shown) == 5
    assert all(len(each) == 43 for each in shown)
    assert Attempt(attempt.secret).verifier == attempt.verifier


def test_a_code_is_good_once(flow: SignIn) -> None:
    attempt = Attempt.new()
    answer = consent(flow, attempt)
    flow.finish(attempt, answer)
    with pytest.raises(SignInFailedError):
        flow.finish(attempt, answer)


def test_an_answer_that_another_browser_asked_for_is_not_taken(flow: SignIn) -> None:
    """Log-in CSRF: an attacker's own good answer, given to a victim's browser."""
    answer = consent(flow, Attempt.new())
    victim = Attempt.new()
    for state in (answer["state"], "", victim.state[:-1]):
        with pytest.raises(SignInFailedError, match="another one"):
            flow.finish(victim, answer | {"state": state})
    # And a code injected into an attempt of the victim's own: it was given for another verifier.
    with pytest.raises(SignInFailedError, match="none"):
        flow.finish(victim, answer | {"state": victim.state})


@pytest.mark.parametrize("change", [{"iss": "https://evil.example"}, {"iss": ""}, {"code": "invented"}])
def test_an_answer_that_was_changed_is_not_taken(flow: SignIn, change: dict[str, str]) -> None:
    attempt = Attempt.new()
    with pytest.raises(SignInFailedError):
        flow.finish(attempt, consent(flow, attempt) | change)


@pytest.mark.parametrize("missing", ["state", "iss", "code"])
def test_an_answer_that_lacks_something_is_not_taken(flow: SignIn, missing: str) -> None:
    attempt = Attempt.new()
    answer = consent(flow, attempt)
    del answer[missing]
    with pytest.raises(SignInFailedError):
        flow.finish(attempt, answer)


def test_a_refusal_of_the_provider_is_one_here(flow: SignIn) -> None:
    with pytest.raises(SignInFailedError, match="let you in"):
        signed_in(flow, "deny")


BAD_TOKENS: dict[str, Callable[[Claims], Claims]] = {
    "of another sign-in": lambda claims: claims | {"nonce": Attempt.new().nonce},
    "of no sign-in": lambda claims: claims | {"nonce": None},
    "with a nonce that is no text": lambda claims: claims | {"nonce": 7},
    "for another client": lambda claims: claims | {"audience": "somebody-else"},
    "given to another client": lambda claims: claims | {"audience": [CLIENT_ID, "b"], "azp": "b"},
    "of another issuer": lambda claims: claims | {"iss": "https://evil.example"},
    "over its time": lambda claims: claims | {"exp": 1_600_000_000},
    "without an end": lambda claims: claims | {"exp": None},
    "of nobody": lambda claims: claims | {"sub": None},
}


@pytest.mark.parametrize("kind", BAD_TOKENS)
def test_an_id_token_is_not_believed(provider: Provider, flow: SignIn, kind: str) -> None:
    provider.change = BAD_TOKENS[kind]
    with pytest.raises(SignInFailedError):
        signed_in(flow)


FOREIGN = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize("algorithm", ["RS256", "HS256", "none"])
def test_an_id_token_that_another_one_signed_is_not_believed(
    provider: Provider, flow: SignIn, monkeypatch: pytest.MonkeyPatch, algorithm: str
) -> None:
    key: Any = {"RS256": FOREIGN, "HS256": "k" * 32, "none": None}[algorithm]
    key_id = provider.keys()["keys"][0]["kid"]

    def forged(audience: str | None = None, **claims: Any) -> str:
        good = jwt.decode(genuine(audience, **claims), options={"verify_signature": False})
        return jwt.encode(good, key, algorithm=algorithm, headers={"kid": key_id})

    genuine = provider.token
    monkeypatch.setattr(provider, "token", forged)
    with pytest.raises(SignInFailedError, match="relied on"):
        signed_in(flow)


def test_a_provider_that_is_not_there_is_said_to_be(provider: Provider) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ProviderUnavailableError):
        flow_with(provider, issuer=nobody).address(Attempt.new())


@pytest.mark.parametrize(
    "address", ["http://evil.example/token", "javascript:alert(1)", "//x", "https://[", 7]
)
def test_an_address_without_tls_is_neither_shown_to_a_browser_nor_sent_a_secret(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, address: object
) -> None:
    published = provider.configuration()
    for name in ("authorization_endpoint", "end_session_endpoint"):
        monkeypatch.setattr(provider, "configuration", lambda name=name: published | {name: address})
        flow = flow_with(provider)
        if name == "end_session_endpoint":
            assert flow.sign_out_address("http://127.0.0.1:1/") is None
        else:
            with pytest.raises(ProviderUnavailableError):
                flow.address(Attempt.new())


def test_signing_out_leads_through_the_provider_where_it_can(provider: Provider, flow: SignIn) -> None:
    address = flow.sign_out_address("http://127.0.0.1:1/")
    assert address is not None
    assert address.startswith(
        f"{provider.issuer}/end-session?client_id={CLIENT_ID}&post_logout_redirect_uri="
    )


def test_a_service_that_people_could_not_come_back_to_does_not_start() -> None:
    asking = Settings(authentication="on", host="0.0.0.0", oidc_client_id=CLIENT_ID)  # noqa: S104 - that is the point
    with pytest.raises(MalformedRequestError, match="NEUROFUSE_PUBLIC_URL"):
        require_safe(asking)
    require_safe(asking.model_copy(update={"public_url": "https://brain.example"}))
