"""Stand-ins for the two base images, made here under their names: Debian by debootstrap, and this machine's Python and Node.

What differs from the real ones: the patch release of Python is this machine's, and the machine's certificates are trusted.
"""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.container_image.buildah import Buildah
from tests.contract.repository import ROOT

RELEASE = "bookworm"
DEBIAN = "debian:bookworm-slim"
# The libraries that the official slim images hold: what Python's standard library is linked with, and Node's C++.
LIBRARIES = (
    "ca-certificates,netbase,tzdata,libssl3,libffi8,libsqlite3-0,libbz2-1.0,liblzma5,zlib1g,libreadline8,"
    "libuuid1,libncursesw6,libgdbm6,libexpat1,libstdc++6"
)
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
ENVIRONMENT = (
    "PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin",
    f"SSL_CERT_FILE={CERTIFICATES}",
    f"PIP_CERT={CERTIFICATES}",
    f"NODE_EXTRA_CA_CERTS={CERTIFICATES}",
)
PIP = "python -m ensurepip && ln -s pip3 /usr/local/bin/pip"
NOT_SHIPPED = shutil.ignore_patterns(
    "site-packages", "test", "tests", "idlelib", "*.pyc", "__pycache__", "config-*"
)


def base_images() -> dict[str, str]:
    """Names of the base images in the Dockerfile, by argument."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    return dict(re.findall(r"^ARG (\w+_IMAGE)=(\S+)$", dockerfile, flags=re.MULTILINE))


def make_bases(buildah: Buildah) -> None:
    """Make the base images that are not there yet."""
    images = base_images()
    with TemporaryDirectory() as folder:
        if not buildah.has(DEBIAN):
            _make_debian(buildah, Path(folder) / "debian")
        if not buildah.has(images["NODE_IMAGE"]):
            _put(buildah, _node(Path(folder)), images["NODE_IMAGE"])
        if not buildah.has(images["PYTHON_IMAGE"]):
            _put(buildah, _python(Path(folder)), images["PYTHON_IMAGE"], PIP)


def _make_debian(buildah: Buildah, root: Path) -> None:
    subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={LIBRARIES}", RELEASE, str(root)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    for folder in ("var/cache/apt", "var/lib/apt/lists"):
        shutil.rmtree(root / folder)
    shutil.copyfile(CERTIFICATES, root / CERTIFICATES.relative_to("/"))
    container = buildah("from", "scratch")
    buildah("add", "--quiet", container, root, "/")
    buildah("config", *(f"--env={pair}" for pair in ENVIRONMENT), container)
    buildah("commit", "--quiet", "--rm", container, DEBIAN)


def _put(buildah: Buildah, prefix: Path, image: str, command: str = "true") -> None:
    """Debian with a program under `/usr/local`, as an image of this name."""
    container = buildah("from", "--pull-never", DEBIAN)
    buildah("add", "--quiet", container, prefix, "/usr/local")
    buildah("run", "--isolation=chroot", container, "--", "sh", "-c", f"ldconfig && {command}")
    buildah("commit", "--quiet", "--rm", container, image)


def _python(folder: Path) -> Path:
    """The Python that runs this, as under `/usr/local` in the official image: without tests, with pip alone."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    prefix = folder / "python"
    library = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(library, prefix / "lib" / version, ignore=NOT_SHIPPED, symlinks=True)
    (prefix / "lib" / version / "site-packages").mkdir()
    shared = Path(sysconfig.get_config_var("LIBDIR")).glob(f"lib{version}.so*")
    for file in shared:
        shutil.copy2(file, prefix / "lib", follow_symlinks=False)
    (prefix / "bin").mkdir()
    shutil.copy2(Path(sys.base_prefix) / "bin" / version, prefix / "bin" / version)
    for name in ("python", "python3"):
        (prefix / "bin" / name).symlink_to(version)
    return prefix


def _node(folder: Path) -> Path:
    """This machine's Node with its npm, as under `/usr/local` in the official image."""
    prefix = folder / "node"
    npm = Path(_which("npm")).parents[1]
    shutil.copytree(npm, prefix / "lib/node_modules/npm", symlinks=True)
    (prefix / "bin").mkdir()
    shutil.copy2(_which("node"), prefix / "bin/node")
    for name in ("npm", "npx"):
        (prefix / "bin" / name).symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")
    return prefix


def _which(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise RuntimeError(f"Expected {program} on this machine; it is not on the PATH.")
    return str(Path(found).resolve())
