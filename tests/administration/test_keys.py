"""`neurofuse keys` makes keys that end, shows them once, and says what became of them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli import main
from app.exit_status import OK, REFUSED
from app.security.keys import FORM

Keys = Callable[..., tuple[int, str, str]]


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Keys:
    """Runs the command in a data folder of its own."""
    monkeypatch.setenv("NEUROFUSE_DATA", str(tmp_path / "var"))
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["keys", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_a_key_goes_alone_to_standard_output(keys: Keys) -> None:
    code, out, err = keys("create", "PACS router", "--role", "system", "--role", "ops")
    key = out.removesuffix("\n")
    assert code == OK
    assert FORM.fullmatch(key)
    assert key not in err
    assert "ops, system, until" in err


@pytest.mark.parametrize("arguments", [("list",), ("revoke", "3f9a64d0c1b2e875")])
def test_a_folder_that_is_no_services_is_not_taken_for_one_without_keys(
    keys: Keys, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    code, out, err = keys(*arguments)
    assert (code, out) == (REFUSED, "")
    assert f"{tmp_path / 'var'} holds no database" in err
    assert not (tmp_path / "var").exists()
    assert f"NEUROFUSE_DATA={tmp_path / 'var'}." in keys("create", "x", "--role", "ops")[2]
    assert "NEUROFUSE_DATA" not in keys("create", "y", "--role", "ops")[2]
    assert "Expected the id of a key" in keys("revoke", "3f9a64d0c1b2e875")[2]


def test_the_list_names_every_key_and_shows_no_secret(keys: Keys) -> None:
    made = [keys("create", f"key {number}", "--role", "ops")[1].strip() for number in range(2)]
    keys("revoke", made[0].split("_")[1])
    _, listed, _ = keys("list")
    assert all(key.split("_")[1] in listed for key in made)
    assert listed.split()[0] == "UTC", "or days and hours would be taken for those of the wall clock"
    assert not any(key.split("_")[2] in listed for key in made)
    rows = [line for line in listed.splitlines() if "key " in line]
    assert ["revoked" in row for row in rows] == [True, False]
    assert ["good until" in row for row in rows] == [False, True]


@pytest.mark.parametrize("name", ["PACS [ward 3]", "a [/] b", "[red]"])
def test_a_name_is_shown_as_it_was_given(keys: Keys, name: str) -> None:
    keys("create", name, "--role", "system")
    code, listed, _ = keys("list")
    assert code == OK
    assert name in listed


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "x", "--role", "ops", "--days", "0"),
        ("create", "x", "--role", "ops", "--days", "731"),
        ("create", "x", "--role", "ops", "--days", "nan"),
        ("create", "", "--role", "ops"),
        ("create", "a\nb", "--role", "ops"),
        ("revoke", "0123456789abcdef"),
    ],
)
def test_what_makes_no_sense_is_refused(keys: Keys, arguments: tuple[str, ...]) -> None:
    code, out, err = keys(*arguments)
    assert (code, out) == (REFUSED, "")
    assert "Expected" in err


def test_a_key_without_a_role_or_with_an_unknown_one_is_not_made(keys: Keys) -> None:
    for arguments in (("create", "x"), ("create", "x", "--role", "root")):
        with pytest.raises(SystemExit) as ended:
            keys(*arguments)
        assert ended.value.code == REFUSED
