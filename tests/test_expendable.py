"""A process that may be lost is, before anybody else, and ends with whoever started it."""

import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what is looked at is Linux's")


def said_by(program: str) -> list[str]:
    """What a program prints, in words."""
    ran = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True
    )
    return ran.stdout.split()


def test_it_goes_before_the_service_and_leaves_no_core_file() -> None:
    program = """
        import resource
        from pathlib import Path
        from app.expendable import become_expendable
        become_expendable("may-be-lost")
        print(*(Path("/proc/self", name).read_text().strip() for name in ("comm", "oom_score_adj")))
        print(*resource.getrlimit(resource.RLIMIT_CORE))
    """
    assert said_by(program) == ["may-be-lost", "1000", "0", "0"]


def test_it_ends_with_its_parent() -> None:
    program = """
        import os, signal
        from app.expendable import become_expendable
        ready, done = os.pipe()
        os.set_inheritable(done, True)
        if os.fork() == 0:  # the parent of the one that may be lost, which is killed
            if os.fork() == 0:
                become_expendable("may-be-lost")
                os.write(done, b".")
                signal.pause()
            os.read(ready, 1)
            os.kill(os.getpid(), signal.SIGKILL)
        os.close(done)
        print("gone" if os.read(ready, 1) == b"" else "here")  # the end of a pipe that only it still held
    """
    assert said_by(program) == ["gone"]
