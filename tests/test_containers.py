"""The files that put the service into containers, checked as data (no container engine is needed)."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.cli import main
from app.settings import ENV_PREFIX, Settings

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def _yaml(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    return document


SERVICES: dict[str, dict[str, Any]] = _yaml("docker-compose.yml")["services"]
VARIANTS = ("neurofuse", "neurofuse-gpu")


def _instructions() -> list[tuple[str, str]]:
    """Instructions of the Dockerfile in order, continuation lines joined, comments gone."""
    lines = [line for line in DOCKERFILE.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in joined.splitlines() if line]


def _runtime() -> list[tuple[str, str]]:
    """Instructions of the last stage, the one that is shipped."""
    instructions = _instructions()
    start = max(place for place, (word, _) in enumerate(instructions) if word == "FROM")
    return instructions[start:]


def _said(word: str) -> list[str]:
    return [rest for name, rest in _runtime() if name == word]


def _environment() -> dict[str, str]:
    pairs = (pair.partition("=") for rest in _said("ENV") for pair in rest.split())
    return {name: value for name, _, value in pairs}


def test_hadolint_passes_the_dockerfile() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    assert hadolint is not None
    answer = subprocess.run(  # noqa: S603 - the linter of our own environment
        [hadolint, "--no-color", "Dockerfile"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert (answer.returncode, answer.stdout) == (0, "")


def test_the_process_runs_as_a_numbered_user_without_rights() -> None:
    assert _said("USER") == ["10001:10001"]
    words = [word for word, _ in _runtime()]
    assert words.index("USER") > max(place for place, word in enumerate(words) if word in {"RUN", "COPY"})


def test_the_image_asks_its_own_command_for_its_health() -> None:
    (check,) = _said("HEALTHCHECK")
    assert check.endswith('CMD ["neurofuse", "healthcheck"]')


@pytest.mark.parametrize("word", ["healthcheck", "serve"])
def test_commands_of_the_image_exist(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert any(word in json.loads(rest[rest.index("[") :]) for rest in _said("HEALTHCHECK") + _said("CMD"))
    with pytest.raises(SystemExit) as stopped:
        main([word, "--help"])
    assert stopped.value.code == 0
    assert f"neurofuse {word}" in capsys.readouterr().out


def test_the_service_listens_beyond_the_container_only_inside_one() -> None:
    assert _environment()["NEUROFUSE_HOST"] == "0.0.0.0"  # noqa: S104 - compose publishes it on loopback alone
    assert _said("EXPOSE") == [_environment()["NEUROFUSE_PORT"]]


def test_settings_of_the_image_exist() -> None:
    known = {ENV_PREFIX + name.upper() for name in Settings.model_fields}
    composed = {name for variant in VARIANTS for name in SERVICES[variant]["environment"]}
    used = {name for name in {*_environment(), *composed} if name.startswith(ENV_PREFIX)}
    assert used
    assert used <= known


def test_data_lives_in_the_volume() -> None:
    assert _said("VOLUME") == [_environment()["NEUROFUSE_DATA"]]
    for variant in VARIANTS:
        (mount,) = SERVICES[variant]["volumes"]
        assert mount.partition(":")[2] == _environment()["NEUROFUSE_DATA"]


def test_the_runtime_stage_installs_nothing() -> None:
    assert not re.search(r"\b(apt-get|apk|pip|npm|node|gcc|torch)\b", " ".join(_said("RUN") + _said("COPY")))


def test_the_base_images_are_pinned_to_a_patch_release() -> None:
    images = dict(rest.split("=") for word, rest in _instructions() if word == "ARG" and "_IMAGE=" in rest)
    assert images.keys() == {"PYTHON_IMAGE", "NODE_IMAGE"}
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-bookworm", images["PYTHON_IMAGE"])
    assert re.fullmatch(r"node:20\.\d+\.\d+-bookworm-slim", images["NODE_IMAGE"])


def test_the_page_is_built_inside_from_its_lock_file() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored.index("app/web") > ignored.index("!app")
    assert ignored.index("web/node_modules") > ignored.index("!web")
    instructions = _instructions()
    assert ("RUN", "npm ci") in instructions
    copied = instructions.index(("COPY", "--from=web /src/app/web ./app/web"))
    installed = max(place for place, (_, rest) in enumerate(instructions) if "pip wheel" in rest)
    assert copied < installed


def test_what_the_image_copies_is_let_through_and_is_there() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copies = [rest.split()[:-1] for word, rest in _instructions() if word == "COPY" and "--from" not in rest]
    sources = {name.removeprefix("./") for copy in copies for name in copy if not name.startswith("--")}
    let_through = {name: {each for each in allowed if f"{name}/".startswith(f"{each}/")} for name in sources}
    assert [name for name, rules in let_through.items() if not rules] == []
    assert set().union(*let_through.values()) == allowed
    assert [name for name in sorted(sources) if not (ROOT / name).exists()] == []


def test_nothing_enters_the_build_unnamed() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert rules[0] == "*"


@pytest.mark.parametrize("variant", ["cpu", "gpu"])
def test_each_variant_is_an_extra(variant: str) -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(rf"^{variant} = \[", text, flags=re.MULTILINE)
    assert (ROOT / "requirements" / f"{variant}.txt").is_file()
    assert 'requirements/${VARIANT}.txt"' in DOCKERFILE


def test_the_build_takes_packages_from_locks_alone() -> None:
    installs = [
        part
        for _, rest in _instructions()
        for part in rest.split("&&")
        if "pip" in part and " install " in part
    ]
    assert installs
    assert [part for part in installs if "--require-hashes" not in part and "--no-index" not in part] == []
