"""What a verb of a command line does, by name: it is imported when it is called.

So `--help` and a command that cannot be meant load nothing, and a verb nothing of the others.
"""

from collections.abc import Callable
from functools import partial
from pkgutil import resolve_name


def later(work: str) -> Callable[..., int]:
    """A function that stands for another one.

    Args:
        work: `module:function`, as an entry point is named; it gives the exit status.
    """
    return partial(_call, work)


def _call(work: str, *given: object) -> int:
    status: int = resolve_name(work)(*given)
    return status
