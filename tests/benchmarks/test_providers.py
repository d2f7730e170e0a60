"""The comparison of execution providers: what is here answers its golden case, what is not is told by its code."""

from pathlib import Path

import pytest

from app.model_package.store import ModelStore
from benchmarks import providers
from tests.support.providers import providers_here


def test_each_provider_answers_or_is_told_by_its_code(
    tiny_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers, "CASES", 4)
    package = ModelStore(tiny_store).load("gos", 1)
    table = providers.compared([package], rounds=1)
    columns = {column.header: [str(cell) for cell in column.cells] for column in table.columns}
    assert columns["package"] == ["gos@1"] * len(providers.WAYS)
    assert columns["provider"] == list(providers.WAYS)
    answering = [provider in providers_here() for provider, _ in providers.WAYS.values()]
    assert [told.endswith(" s") for told in columns["ready after"]] == answering
    assert {told for told in columns["ready after"] if not told.endswith(" s")} <= {"not-ready"}
    assert all(float(told) <= 1e-3 for told in columns["differs"] if told)
    assert columns["to the CPU"][0] == "1.00 x"
