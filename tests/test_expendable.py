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
        import os, time
        from app.expendable import become_expendable
        is_expendable, expendable = os.pipe()
        is_held, held = os.pipe()
        if os.fork() == 0:  # the parent of the one that may be lost
            if os.fork() == 0:
                become_expendable("may-be-lost")
                os.write(expendable, b".")
                time.sleep(20)
                os.write(held, b"here")
                os._exit(0)
            os.read(is_expendable, 1)
            os._exit(0)
        os.close(held)
        print(os.read(is_held, 4).decode() or "gone")  # returns at the latest when nobody holds the other end
    """
    assert said_by(program) == ["gone"]
