"""Reproducible draws for every test of this folder; without torch there is nothing here to collect."""

from importlib.util import find_spec

import pytest

collect_ignore_glob = [] if find_spec("torch") else ["test_*.py"]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    import torch  # noqa: PLC0415 - the extra [training] may be absent while this file is imported

    torch.manual_seed(0)
