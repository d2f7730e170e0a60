"""A process whose GPU is lost says so, instead of looking ready while it refuses every case."""

from collections.abc import Iterator

import anyio
import pytest

from app.errors import NotReadyError
from app.inference.lost_device import DEVICE_LOST, end_when_lost, takes_the_device


@pytest.fixture(autouse=True)
def found_again() -> Iterator[None]:
    yield
    DEVICE_LOST.clear()


@pytest.mark.parametrize("number", [214, 700, 719])
def test_after_some_errors_a_process_has_lost_its_device(number: int) -> None:
    error = RuntimeError(
        f"Error in execution: Status Message: CUDA failure {number}: said by CUDA ; GPU=0 ; line=7"
    )
    assert takes_the_device(error)
    assert DEVICE_LOST.is_set()


@pytest.mark.parametrize(
    "said",
    [
        "CUDA failure 2: out of memory ; GPU=0",
        "CUDA failure 900: operation not permitted when stream is capturing ; GPU=0",
        "CUDNN_FE failure 7: GRAPH_EXECUTION_FAILED ; GPU=0",
        "Failed to allocate memory for requested buffer of size 700",
    ],
)
def test_other_errors_pass(said: str) -> None:
    assert not takes_the_device(RuntimeError(said))
    assert not DEVICE_LOST.is_set()


def test_a_process_that_loses_its_gpu_ends_so_that_it_is_started_anew() -> None:
    async def lose() -> None:
        with anyio.fail_after(10):
            async with anyio.create_task_group() as group:
                group.start_soon(end_when_lost, 0.01)
                await anyio.sleep(0.03)
                DEVICE_LOST.set()
                await anyio.sleep_forever()

    with pytest.RaisesGroup(pytest.RaisesExc(NotReadyError, match="lost to this process")):
        anyio.run(lose)
