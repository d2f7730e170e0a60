"""One run on several processes, started by `torchrun`; alone, every function here does nothing.

The processes share one batch: `training.batch_size` is that of the whole step, whatever their number, so that a configuration
means the same optimisation on one process and on eight.
"""

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from torch import distributed

T = TypeVar("T")
PATIENCE = dt.timedelta(days=1)
"""How long a process waits for another. The first prepares all images alone, which takes hours; torch would end the run after half an
hour, or after ten minutes with NCCL. Where one dies, `torchrun` ends the others."""


def join() -> None:
    """Meet the other processes that `torchrun` started; call once, before anything is written."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not distributed.is_initialized():
        # Without a named backend: gloo for tensors on the processor, NCCL for those on a card.
        distributed.init_process_group(timeout=PATIENCE)


def leave() -> None:
    """Part from the other processes."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def rank() -> int:
    """Number of this process, 0 for the one that writes."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def world() -> int:
    """Number of processes."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def gathered(mine: T) -> list[T]:
    """What every process gives, in the order of their numbers."""
    everyone: list[T] = [mine] * world()
    if distributed.is_initialized():
        distributed.all_gather_object(everyone, mine)
    return everyone


def wait() -> None:
    """Go on when all processes have come here."""
    if distributed.is_initialized():
        distributed.barrier()


@contextmanager
def first_process_first() -> Iterator[None]:
    """The block runs in the first process, then in the others: what it leaves on disk is made once."""
    if rank():
        wait()
    yield
    if not rank():
        wait()
