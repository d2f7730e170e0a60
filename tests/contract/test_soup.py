"""The list of other people's software is that of pyproject.toml."""

import re
import tomllib

from tests.contract.repository import ROOT

ROW = re.compile(r"^\| ([A-Za-z0-9-]+) \| `([^`]+)` \|", flags=re.MULTILINE)
REQUIREMENT = re.compile(r"([A-Za-z0-9-]+)(?:\[[^]]*\])?([^;]+)")
SERVED = ("cpu", "gpu", "postgres", "s3", "tracing")
"""Extras that a service may have; training and tests are tools."""


def test_the_soup_list_names_every_library_of_the_service_and_its_bounds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(each for extra in SERVED for each in extras[extra])]
    required = {match[1]: match[2] for each in wanted if (match := REQUIREMENT.match(each))}
    assert len(required) == len(wanted)
    listed = dict(ROW.findall((ROOT / "docs/safety/soup.md").read_text(encoding="utf-8")))
    assert listed == required
    assert set(extras) == {*SERVED, "ray", "training", "testing", "dev"}, "a new extra: is it served?"
