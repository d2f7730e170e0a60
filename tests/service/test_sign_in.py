"""People sign in on a running service: cookies, what another site may not do with them, and whose cases are seen."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.records.store import RecordStore
from tests.service.server import Server
from tests.support.oidc import Provider
from tests.support.waiting import LONGEST_S

OWN: dict[str, str] = {"Sec-Fetch-Site": "same-origin"}
NOBODY = "0193c2f4-6a00-7a31-9c2e-5d1f0b7e8a90"


@pytest.fixture(scope="module")
def locked(door: tuple[Server, object]) -> Server:
    """A service that asks who comes in."""
    return door[0]


@pytest.fixture
def browser(locked: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=locked.client.base_url, timeout=LONGEST_S) as client:
        yield client


def sign_in(browser: httpx.Client, person: str = "clara") -> httpx.Response:
    """Through the provider and back; the answer with which the page is reached."""
    leaving = browser.get("/auth/sign-in")
    assert leaving.status_code == httpx.codes.SEE_OTHER
    consent = browser.get(f"{leaving.headers['Location']}&person={person}")
    return browser.get(consent.headers["Location"])


def me(browser: httpx.Client) -> dict[str, Any]:
    answer: dict[str, Any] = browser.get("/auth/me").json()
    return answer


def test_whoever_is_not_signed_in_learns_where_to(browser: httpx.Client) -> None:
    assert me(browser) == {
        "authentication": "on",
        "sign_in": "/auth/sign-in",
        "person": None,
        "expires": None,
        "idle_minutes": None,
    }
    refused = browser.get("/predictions")
    assert (refused.status_code, refused.json()["type"]) == (401, "/problems/not-authenticated")


def test_a_person_signs_in_works_and_signs_out(browser: httpx.Client) -> None:
    assert sign_in(browser).headers["Location"] == "/"
    person = me(browser)["person"]
    assert (person["name"], person["roles"]) == ("Clara Clinician", ["clinician"])
    assert browser.get("/predictions").status_code == httpx.codes.OK
    kept = dict(browser.cookies)
    left = browser.post("/auth/sign-out", headers=OWN)
    assert "/end-session?" in left.json()["next"]
    assert not browser.cookies
    # A copy of the cookie opens nothing any more.
    browser.cookies.update(kept)
    assert browser.get("/predictions").status_code == httpx.codes.UNAUTHORIZED


def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(browser: httpx.Client) -> None:
    attempt = browser.get("/auth/sign-in").headers["Set-Cookie"]
    assert "; HttpOnly" in attempt
    assert "; SameSite=lax" in attempt
    session, gone = sign_in(browser).headers.get_list("Set-Cookie")
    assert session.startswith("neurofuse-session=")
    assert session.endswith("; HttpOnly; Path=/; SameSite=strict")
    assert 'neurofuse-sign-in=""' in gone
    assert "Max-Age=0" in gone


def test_the_database_holds_no_cookie(browser: httpx.Client, locked: Server) -> None:
    sign_in(browser)
    value = browser.cookies["neurofuse-session"]
    with sqlite3.connect(locked.data / "records.sqlite3") as database:
        dump = "\n".join(database.iterdump())
    assert "Clara Clinician" in dump
    assert value not in dump
    assert value not in locked.log.read_text()


def test_a_session_that_was_put_there_beforehand_is_worth_nothing_afterwards(browser: httpx.Client) -> None:
    sign_in(browser)
    before = browser.cookies["neurofuse-session"]
    sign_in(browser, "olga")
    assert browser.cookies["neurofuse-session"] != before
    browser.cookies.clear()
    browser.cookies.set("neurofuse-session", before)
    assert me(browser)["person"] is None


def test_the_audit_trail_says_who_came_and_went_and_who_did_not_get_in(
    browser: httpx.Client, locked: Server
) -> None:
    sign_in(browser)
    subject = me(browser)["person"]["subject"]
    browser.post("/auth/sign-out", headers=OWN)
    browser.get("/auth/callback?code=1&state=2")
    with closing(RecordStore(locked.data / "records.sqlite3")) as records:
        deeds = [line.deed for line in records.audit.lines()][-3:]
    assert [(deed.action, deed.subject, deed.outcome) for deed in deeds] == [
        ("GET /auth/callback", subject, "ok"),
        ("POST /auth/sign-out", subject, "ok"),
        ("GET /auth/callback", "", "sign-in-failed"),
    ]


@pytest.mark.parametrize(
    ("headers", "is_own"),
    [
        (OWN, True),
        ({"Origin": "{own}"}, True),
        ({}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "{own}"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
    ],
)
def test_what_another_site_makes_a_browser_do_is_refused(
    browser: httpx.Client, headers: dict[str, str], is_own: bool
) -> None:
    sign_in(browser)
    own = str(browser.base_url).rstrip("/")
    shown = {name: value.format(own=own) for name, value in headers.items()}
    answers = [
        browser.delete(f"/predictions/{NOBODY}", headers=shown),
        browser.put(f"/predictions/{NOBODY}/feedback", json={}, headers=shown),
    ]
    codes = [answer.json()["type"].rsplit("/", 1)[1] for answer in answers]
    assert codes == ["unknown-prediction" if is_own else "cross-site"] * 2
    assert browser.get("/predictions").status_code == httpx.codes.OK


@pytest.mark.parametrize(
    "query", ["", "?code=1&state=2", "?error=access_denied", "?state=%00", "?code=1&state=é"]
)
def test_whoever_is_lured_to_the_way_back_is_told_and_not_signed_in(
    browser: httpx.Client, query: str
) -> None:
    for _ in range(2):
        answer = browser.get(f"/auth/callback{query}")
        assert answer.headers["Location"] == "/#/sign-in/sign-in-failed"
        assert me(browser)["person"] is None
        browser.get("/auth/sign-in")  # and likewise in the middle of a sign-in of their own


def test_a_role_opens_what_it_should_and_no_more(browser: httpx.Client) -> None:
    for person, predictions, models, admin in (
        ("clara", 200, 200, 403),
        ("olga", 403, 200, 403),
        ("adam", 200, 200, 200),
        ("nora", 403, 403, 403),
    ):
        sign_in(browser, person)
        paths = ("/predictions", "/models", "/admin/models")
        assert [browser.get(path).status_code for path in paths] == [predictions, models, admin], person


def test_systems_see_their_own_cases_and_clinicians_all(
    browser: httpx.Client, provider: Provider, head_ct: Path
) -> None:
    def send(who: httpx.Client, **parts: str) -> httpx.Response:
        later = {"Prefer": "respond-async"} if "later" in parts or "batch" in parts else {}
        parts.pop("later", None)
        return who.post("/predict", data=parts, files={"image": head_ct.read_bytes()}, headers=later)

    sign_in(browser)
    with system(browser, provider, "a") as mine, system(browser, provider, "b") as other:
        answer = send(mine, task="gos", keep="image").json()["id"]
        job = send(mine, task="gos", later="yes").json()["id"]
        batch = mine.post("/batches", json={"task": "gos"}).json()["id"]
        parts = ("", "/heatmap.png", "/image.nii.gz", "/record", "/feedback")
        paths = [f"/predictions/{answer}{part}" for part in parts]
        paths += [f"/jobs/{job}", f"/predictions/{job}", f"/batches/{batch}", f"/batches/{batch}/results.csv"]
        for path in paths:
            assert mine.get(path).is_success, path
            assert browser.get(path).is_success, path
            hidden, absent = other.get(path), other.get(path.replace(path.split("/")[2], NOBODY))
            assert hidden.status_code == httpx.codes.NOT_FOUND, path
            # Not even that there is one can be told.
            assert hidden.json() | {"request_id": ""} == absent.json() | {"request_id": ""}, path
        for of in (answer, NOBODY):  # nor by what is wrong with a question
            asked = other.put(f"/predictions/{of}/feedback", json=[])
            assert asked.json()["type"] == "/problems/unknown-prediction"
        listed = [_ids(who) for who in (mine, other, browser)]
        assert answer in listed[0] <= listed[2]
        assert not listed[1]
        assert other.get("/jobs").json()["total"] == 0
        assert send(other, batch=batch).json()["type"] == "/problems/unknown-batch"
        assert other.delete(f"/predictions/{answer}").status_code == httpx.codes.NOT_FOUND
        assert mine.delete(f"/predictions/{answer}").status_code == httpx.codes.NO_CONTENT


def test_a_batch_takes_the_cases_of_who_made_it_alone(
    browser: httpx.Client, provider: Provider, head_ct: Path
) -> None:
    sign_in(browser)
    later, image = {"Prefer": "respond-async", **OWN}, {"image": head_ct.read_bytes()}
    with system(browser, provider, "a") as mine:
        batch = mine.post("/batches", json={"task": "gos"}).json()
        refused = browser.post("/predict", data={"batch": batch["id"]}, files=image, headers=later)
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not-allowed")
        # Its table would show the case of a clinician to the system.
        assert not any(mine.get(batch["links"]["self"]).json()["jobs"].values())
    own = browser.post("/batches", json={"task": "gos"}, headers=OWN).json()
    taken = browser.post("/predict", data={"batch": own["id"]}, files=image, headers=later)
    assert taken.status_code == httpx.codes.ACCEPTED


def test_a_preview_is_its_senders_own(browser: httpx.Client, provider: Provider, head_ct: Path) -> None:
    with system(browser, provider, "a") as mine, system(browser, provider, "b") as other:
        image = {"image": head_ct.read_bytes()}
        preview = mine.post("/uploads", data={"task": "gos"}, files=image).json()["id"]
        named = {"task": (None, "gos"), "upload": (None, preview)}
        picture = f"/uploads/{preview}/overview.png"
        assert other.get(picture).status_code == httpx.codes.NOT_FOUND
        assert other.post("/predict", files=named).json()["type"] == "/problems/unknown-upload"
        assert other.delete(f"/uploads/{preview}").status_code == httpx.codes.NOT_FOUND
        assert mine.get(picture).is_success
        assert mine.post("/predict", files=named).is_success
        sign_in(browser)
        assert browser.get(picture).is_success, "a clinician sees what is of the site"


def system(browser: httpx.Client, provider: Provider, name: str) -> httpx.Client:
    shown = {"Authorization": f"Bearer {provider.token(sub=name, roles=['system'])}"}
    return httpx.Client(base_url=browser.base_url, headers=shown, timeout=LONGEST_S)


def _ids(who: httpx.Client) -> set[str]:
    return {each["id"] for each in who.get("/predictions").json()["items"]}
