"""An image run by runc, which is what Docker runs it with: its own user, a root that nothing writes to, a network of its own."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.container_image.buildah import Buildah

ID: Final = "neurofuse-image-test"
NAMESPACES: Final = ("pid", "mount", "ipc", "uts", "network")
Specification = dict[str, Any]


class Container:
    """A container of an image, as docker-compose.yml runs it: no capability, no new privilege, a read-only root.

    Args:
        bundle: A folder of its own, for what runc reads.
        root: Files of the image.
        image: Its configuration, as `buildah inspect` prints it.
    """

    def __init__(self, bundle: Path, root: Path, image: Specification) -> None:
        self.image: Specification = image["OCIv1"]["config"]
        self._bundle = bundle
        self.root = root
        self._state = bundle / "state"
        self.data = bundle / "data"
        self.data.mkdir()
        user, group = (int(number) for number in self.image["User"].split(":"))
        subprocess.run(["chown", f"{user}:{group}", str(self.data)], check=True)
        self.data.chmod(0o700)

    @contextmanager
    def running(self, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
        """Start the image's own command, and stop it as an orchestrator does.

        Args:
            **environment: Variables beside the image's.
        """
        command = [*self.image["Entrypoint"], *self.image["Cmd"]]
        self._write(command, environment)
        with (self._bundle / "log").open("wb") as log:
            process = subprocess.Popen(
                self._runc("run", "--bundle", str(self._bundle), ID), stdout=log, stderr=log
            )
        try:
            self._wait_until_created(process)
            yield process
        finally:
            subprocess.run(self._runc("kill", ID, "TERM"), check=False)
            process.wait(timeout=60)

    def once(self, *arguments: str, **environment: str) -> str:
        """Run one command of the image in a container of its own, and give what it printed."""
        self._write([*self.image["Entrypoint"], *arguments], environment)
        return self._output("run", "--bundle", str(self._bundle), f"{ID}-once")

    def inside(self, *command: str) -> str:
        """Run a program in the container that runs now, and give what it printed."""
        return self._output("exec", ID, *command)

    def pid(self) -> int:
        """The first process of the running container, as this machine numbers it."""
        number: int = json.loads(self._output("state", ID))["pid"]
        return number

    def log(self) -> str:
        """What the container has printed so far."""
        return (self._bundle / "log").read_text(encoding="utf-8", errors="replace")

    def _runc(self, *arguments: str) -> list[str]:
        return ["runc", "--root", str(self._state), *arguments]

    def _output(self, *arguments: str) -> str:
        return subprocess.run(self._runc(*arguments), check=True, stdout=subprocess.PIPE, text=True).stdout

    def _wait_until_created(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            if subprocess.run(self._runc("state", ID), check=False, capture_output=True).returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError(f"The container did not start:\n{self.log()}")

    def _write(self, command: list[str], environment: dict[str, str]) -> None:
        user, group = (int(number) for number in self.image["User"].split(":"))
        variables = [*self.image["Env"], *(f"{name}={value}" for name, value in environment.items())]
        specification = {
            "ociVersion": "1.0.2",
            "process": {
                "user": {"uid": user, "gid": group},
                "args": command,
                "env": variables,
                "cwd": self.image["WorkingDir"],
                "capabilities": {},
                "noNewPrivileges": True,
            },
            "root": {"path": str(self.root), "readonly": True},
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                _tmpfs("/dev", "mode=755", "nosuid", "strictatime"),
                _tmpfs("/dev/shm", "mode=1777", "nosuid", "noexec", "nodev"),  # noqa: S108 - inside the container
                _tmpfs("/tmp", "mode=1777", "nosuid", "noexec", "nodev", "size=256m"),  # noqa: S108 - inside the container
                {
                    "destination": self.image["WorkingDir"],
                    "type": "bind",
                    "source": str(self.data),
                    "options": ["bind", "rw", "nosuid", "noexec", "nodev"],
                },
            ],
            "linux": {"namespaces": [{"type": name} for name in NAMESPACES]},
        }
        (self._bundle / "config.json").write_text(json.dumps(specification), encoding="utf-8")


def _tmpfs(place: str, *options: str) -> Specification:
    return {"destination": place, "type": "tmpfs", "source": "tmpfs", "options": list(options)}


@contextmanager
def container_of(buildah: Buildah, image: str, bundle: Path) -> Iterator[Container]:
    """A container of an image, not running yet."""
    with buildah.mounted(image) as root:
        yield Container(bundle, root, json.loads(buildah("inspect", "--type", "image", image)))
