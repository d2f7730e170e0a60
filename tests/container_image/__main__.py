"""`make image-test`: build the Dockerfile, run its image without rights, have it answer a case, and say what was found.

Example:
    python -m tests.container_image --variant cpu
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.container_image.bases import make_bases
from tests.container_image.buildah import Buildah
from tests.container_image.container import Container, container_of
from tests.container_image.facts import ports, status, tree_bytes
from tests.contract.repository import ROOT
from tests.support.synthetic_head import write_head

NEEDED = ("buildah", "debootstrap", "runc", "nsenter", "node", "npm")
FOLDER = ROOT / "build" / "image-test"
NO_CAPABILITY = "0" * 16


def main() -> int:
    """Build, run, ask, and print one line for each thing that was looked at."""
    parser = argparse.ArgumentParser(prog="python -m tests.container_image", description=__doc__)
    parser.add_argument("--variant", choices=("cpu", "gpu"), default="cpu")
    variant = parser.parse_args().variant
    missing = [program for program in NEEDED if shutil.which(program) is None]
    if missing or os.geteuid() != 0:
        sys.stderr.write(
            f"Expected root and Debian's buildah, debootstrap, runc; missing: {missing or 'root'}.\n"
        )
        return 2
    buildah = Buildah(FOLDER)
    make_bases(buildah)
    image = f"neurofuse:test-{variant}"
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        _build(buildah, image, variant, Path(folder))
    _say("built in", f"{time.monotonic() - began:.0f} s")
    with TemporaryDirectory() as folder, container_of(buildah, image, Path(folder)) as container:
        _look_at(container, Path(folder))
    return 0


def _build(buildah: Buildah, image: str, variant: str, context: Path) -> None:
    """Build what is committed: a clone is all that a bare machine has."""
    commit = subprocess.run(
        ["git", "archive", "--format=tar", "HEAD"], cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    subprocess.run(["tar", "--extract", "--directory", str(context)], check=True, input=commit.stdout)
    log = FOLDER / f"build-{variant}.log"
    options = [
        "--isolation=chroot",
        "--format=docker",
        "--network=host",
        "--pull-never",
        "--layers",
        f"--build-arg=VARIANT={variant}",
    ]
    try:
        buildah("bud", *options, "--tag", image, "--file", context / "Dockerfile", context, log=log)
    except subprocess.CalledProcessError:
        sys.stderr.write(log.read_text(encoding="utf-8", errors="replace")[-4000:])
        raise


def _look_at(container: Container, folder: Path) -> None:
    _say("size, unpacked", f"{tree_bytes(container.root) / 1e6:.0f} MB")
    _look_at_papers(container.root / "opt/neurofuse/share/doc")
    key = container.once("keys", "create", "image test", "--role", "system").strip()
    began = time.time()
    with container.running(NEUROFUSE_AUTHENTICATION="on") as process:
        found = _ask(container, key, write_head(folder / "head.nii.gz"))
        _say("start to ready", f"{found['ready'] - began:.1f} s")
        _must(found["stranger"] == 401, f"/predict without a key: {found['stranger']}")
        _must(found["status"] == 200, f"/predict with a key: {found['status']}, {_outcome(found)}")
        state = status(container.pid())
        _must(set(state["Uid"]) == {"10001"} == set(state["Gid"]), "user and group of the process: 10001")
        _must(
            {state[name][0] for name in ("CapEff", "CapPrm", "CapBnd")} == {NO_CAPABILITY},
            "capabilities: none",
        )
        _must(state["NoNewPrivs"] == ["1"], "new privileges: never")
        _must(ports(container.pid()) == {8000}, "open ports: 8000 and no other")
        _must(
            container.inside("python", "-c", WRITES).strip() == "",
            "places outside data and /tmp that it may write to: none",
        )
        _must(
            container.inside("neurofuse", "healthcheck") is not None, "the image's own health check: passed"
        )
    _must(process.returncode == 0, "ended by SIGTERM: exit 0")


WRITES = """
import os, tempfile
for top, folders, _ in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(top, name) not in ("/proc", "/dev", "/tmp", "/var/lib/neurofuse")]
    try:
        tempfile.TemporaryFile(dir=top).close()
        print(top)
    except OSError:
        pass
"""


def _look_at_papers(papers: Path) -> None:
    bill = json.loads((papers / "sbom.cdx.json").read_text(encoding="utf-8"))
    kinds = [component.get("purl", "").partition("/")[0] for component in bill["components"]]
    counts = {kind: kinds.count(f"pkg:{kind}") for kind in ("pypi", "npm", "deb")}
    _must(all(counts.values()), f"components of the {bill['bomFormat']} {bill['specVersion']} bill: {counts}")
    licences = (papers / "LICENCES.txt").read_text(encoding="utf-8")
    python = [line for line in licences.splitlines() if line.startswith(("pypi", "npm"))]
    unknown = [line for line in python if line.endswith("not stated")]
    _must(
        not unknown,
        f"licences of {len(python)} packages: all stated" if not unknown else f"without a licence: {unknown}",
    )


def _ask(container: Container, key: str, image: Path) -> dict[str, Any]:
    network = f"--net=/proc/{container.pid()}/ns/net"
    done = subprocess.run(
        ["nsenter", network, "--", sys.executable, "-m", "tests.container_image.client", str(image)],
        input=key + "\n",
        cwd=ROOT,
        check=False,
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"Expected an answer; the container said:\n{container.log()[-4000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _outcome(found: dict[str, Any]) -> str:
    outcome = found["answer"].get("prediction", found["answer"])
    return json.dumps({name: outcome[name] for name in ("label", "favourable", "code") if name in outcome})


def _say(what: str, value: str) -> None:
    sys.stdout.write(f"{what}: {value}\n")
    sys.stdout.flush()


def _must(holds: bool, what: str) -> None:
    sys.stdout.write(f"{'ok  ' if holds else 'FAIL'} {what}\n")
    if not holds:
        raise SystemExit(1)


if __name__ == "__main__":
    sys.exit(main())
