"""`neurofuse models` moves the packages of a running service, and says why where it cannot."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.administration.command import own_address
from app.cli import main
from app.exit_status import FAILED, OK, REFUSED
from app.model_package.package import open_package, seal
from app.settings import Settings
from tests.service.server import Server, serving
from tests.support.tiny_package import build_tiny_package

TOKEN = "a-token-of-tests-0123456789"  # noqa: S105 - of this test alone
TITLE = "Outcome [of our ward] [/]"
"""In which a console that takes it for its own markup finds some."""

pytestmark = pytest.mark.usefixtures("own_logging")

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def server(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    store = shutil.copytree(tiny_store / "gos", tmp_path_factory.mktemp("moved") / "store" / "gos").parent
    data, names = tmp_path_factory.mktemp("moved") / "var", "neurofuse,127.0.0.1"
    with serving(store, data, admin_token=TOKEN, hosts=names, max_batch=1) as running:
        built = build_tiny_package(store, "gos", version=3)
        seal(built, open_package(built).manifest.model_copy(update={"title": TITLE}))
        yield running


@pytest.fixture
def models(server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the command against the server, with its token."""
    monkeypatch.setenv("NEUROFUSE_ADMIN_TOKEN", TOKEN)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str, url: str = str(server.client.base_url)) -> tuple[int, str, str]:
        code = main(["models", *arguments, "--server", url])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


def row(tables: str, first: str) -> list[str]:
    """The cells of the row whose first cell is this."""
    rows = ([cell.strip() for cell in line.split("│")[1:-1]] for line in tables.splitlines())
    return next(cells for cells in rows if cells and cells[0] == first)


def test_a_new_version_is_tried_promoted_and_taken_back(models: Command) -> None:
    code, shown, _ = models("list")
    assert code == OK
    assert row(shown, "gos@3")[2] == "unloaded"
    for arguments, alias in (
        (("alias", "gos@production", "2"), ["gos@production", "2", "", "", ""]),
        (("shadow", "gos@production", "3"), ["gos@production", "2", "", "3", ""]),
        (
            ("canary", "gos@production", "3", "--share", "0.1"),
            ["gos@production", "2", "3 (0.1 of cases)", "3", ""],
        ),
        (("canary", "gos@production", "--end"), ["gos@production", "2", "", "3", ""]),
        (("shadow", "gos@production", "--end"), ["gos@production", "2", "", "", ""]),
        (("alias", "gos@production", "3"), ["gos@production", "3", "", "", "2"]),
        (("rollback", "gos@production"), ["gos@production", "2", "", "", ""]),
    ):
        code, shown, err = models(*arguments)
        assert (code, err) == (OK, "")
        assert row(shown, "gos@production") == alias
    assert row(shown, "gos@2")[3] == "gos"
    assert models("unload", "gos@3")[0] == OK
    code, shown, _ = models("alias", "gos@production", "--end")
    assert "production" not in shown
    assert row(models("load", "gos@3")[1], "gos@3")[2:] == ["ready", "gos", TITLE]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("load", "gos@9"), "unknown-model"),
        (("load", "gos"), "malformed-request"),
        (("unload", "gos@production"), "malformed-request"),
        (("alias", "gos@2", "1"), "malformed-request"),
        (("canary", "gos@absent", "2", "--share", "0.1"), "unknown-model"),
        (("canary", "gos@production", "2"), "malformed-request"),
        (("rollback", "gos@absent"), "unknown-model"),
        (("load", "../readyz@1"), "not-found"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_problem(
    models: Command, arguments: tuple[str, ...], code: str
) -> None:
    ended, _, said = models(*arguments)
    assert (ended, said.partition(":")[0]) == (REFUSED, code)


def test_what_the_words_of_a_problem_refer_to_is_shown(models: Command) -> None:
    models("alias", "gos@ours", "2")
    assert "\n  known: ['gos@ours']" in models("unload", "gos@2")[2]
    assert "'body.canary.share': 'out-of-range'" in models("canary", "gos@ours", "2", "--share", "2")[2]
    models("alias", "gos@ours", "--end")


def test_another_token_is_refused_and_not_repeated(models: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROFUSE_ADMIN_TOKEN", TOKEN + "-of-another-service")
    ended, shown, said = models("list")
    assert (ended, said.partition(":")[0]) == (REFUSED, "not-authenticated")
    assert TOKEN not in shown + said


def test_the_token_may_lie_in_a_file(
    models: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n")
    monkeypatch.delenv("NEUROFUSE_ADMIN_TOKEN")
    monkeypatch.setenv("NEUROFUSE_ADMIN_TOKEN_FILE", str(tmp_path / "token"))
    assert models("list")[0] == OK


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1"])
def test_a_service_that_is_not_there_is_named(models: Command, url: str) -> None:
    ended, _, said = models("list", url=url)
    assert ended == FAILED
    assert said.startswith(f"unreachable: {url}")


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8000",
        "file:///etc/passwd",
        "http://",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:port",
        "http://[::1",
        "http://here and there",
    ],
)
def test_what_is_no_address_is_refused(models: Command, url: str) -> None:
    ended, _, said = models("list", url=url)
    assert (ended, said.partition(":")[0]) == (REFUSED, "malformed-request")


def test_what_is_no_neurofuse_is_no_service(models: Command, server: Server) -> None:
    ended, _, said = models("list", url=f"{server.client.base_url}/docs")
    assert ended == REFUSED
    assert said


@pytest.mark.parametrize(
    ("listens", "name"),
    [
        ("0.0.0.0", "127.0.0.1"),  # noqa: S104 - as the image has it
        ("::", "[::1]"),
        ("::1", "[::1]"),
        ("here.test", "here.test"),
    ],
)
def test_the_service_here_is_called_by_a_name_that_it_has(listens: str, name: str) -> None:
    for certificate, scheme in (("", "http"), ("chain.pem", "https")):
        here = Settings(host=listens, port=8001, tls_certificate=certificate)
        assert own_address(here) == f"{scheme}://{name}:8001"


def test_a_service_in_a_container_is_moved_by_a_command_there(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEUROFUSE_ADMIN_TOKEN", TOKEN)
    monkeypatch.setenv("NEUROFUSE_HOST", "0.0.0.0")  # noqa: S104 - as the image has it
    monkeypatch.setenv("NEUROFUSE_PORT", str(server.client.base_url.port))
    assert main(["models", "list"]) == OK


@pytest.mark.parametrize("verb", ["list", "load", "unload", "alias", "canary", "shadow", "rollback"])
def test_every_verb_explains_itself_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["models", verb, "--help"])
    assert stopped.value.code == OK
    assert f"neurofuse models {verb}" in capsys.readouterr().out.split("example: ")[1]
