"""What the image holds, as one CycloneDX document and one list of licences: Python packages, the page's, and Debian's.

Run while the image is built, by the Python that has cyclonedx-bom:

    python contents.py PYTHON.json PAGE.json OUT
"""

import json
import subprocess  # nosec B404
import sys
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

Component = dict[str, Any]
UNKNOWN = "not stated"
# What a package's own metadata leave out, from the licence file in its source.
ELSEWHERE = {"protobuf": "BSD-3-Clause"}
# Swagger UI's counter of installations: locked with it, never run (web/.npmrc), and nothing of it is in the page.
NOT_BUNDLED = frozenset({"@scarf/scarf"})


def main() -> int:
    """Write `sbom.cdx.json` and `LICENCES.txt`."""
    python, page, out = (Path(argument) for argument in sys.argv[1:])
    document = json.loads(python.read_text(encoding="utf-8"))
    page_document = json.loads(page.read_text(encoding="utf-8"))
    for component in document["components"]:
        if component["name"] in ELSEWHERE and not component.get("licenses"):
            component["licenses"] = [{"license": {"id": ELSEWHERE[component["name"]]}}]
    for component in page_document["components"]:
        if component["name"] in NOT_BUNDLED:
            component["scope"] = "excluded"
    document["components"] += [*page_document["components"], *_debian_packages()]
    document["dependencies"] += page_document["dependencies"]
    text = json.dumps(document, indent=1, sort_keys=True)
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if problem is not None:
        raise ValueError(f"Expected a document as CycloneDX 1.6 has it; {problem}")
    out.mkdir(parents=True, exist_ok=True)
    (out / "sbom.cdx.json").write_text(text + "\n", encoding="utf-8")
    lines = sorted({_line(component) for component in document["components"]})
    (out / "LICENCES.txt").write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
    return 0


HEAD = """\
What this image holds, with the licence that each package states. The texts: of Python packages in
/opt/neurofuse/lib/python*/site-packages/*.dist-info, of the page's packages in page-notices.txt beside this
file, of Debian's packages in /usr/share/doc/*/copyright.
"""


def _debian_packages() -> list[Component]:
    """Packages of the base image; their licences are many each, and stand in Debian's own machine-readable files."""
    shown = subprocess.run(  # nosec B603
        ["/usr/bin/dpkg-query", "--show", "--showformat=${Package} ${Version} ${Architecture}\\n"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [_debian_package(*line.split()) for line in shown.splitlines()]


def _debian_package(name: str, version: str, architecture: str) -> Component:
    purl = f"pkg:deb/debian/{name}@{version.replace('+', '%2B').replace(':', '%3A')}?arch={architecture}&distro=bookworm"
    component = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    licences = sorted(_copyright(name))
    return component | ({"licenses": [{"license": {"name": each}} for each in licences]} if licences else {})


def _copyright(name: str) -> set[str]:
    """Short names of the licences in a package's copyright file, where it has Debian's format (DEP-5)."""
    file = Path("/usr/share/doc") / name / "copyright"
    if not file.is_file():
        return set()
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return {line.partition(":")[2].strip() for line in lines if line.startswith("License: ")} - {""}


def _line(component: Component) -> str:
    stated = component.get("licenses", [])
    names = [entry.get("expression") or _licence_name(entry["license"]) for entry in stated]
    kind = component.get("purl", "pkg:generic/").partition(":")[2].partition("/")[0]
    return f"{kind:5} {component['name']} {component.get('version', '')}: {'; '.join(names) or UNKNOWN}"


def _licence_name(licence: dict[str, str]) -> str:
    name: str = licence.get("id") or licence["name"]
    return " ".join(name.split())[:80]


if __name__ == "__main__":
    sys.exit(main())
