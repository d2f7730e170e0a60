"""training.ablation.tables: what a terminal of the customary width shows of the finished table."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from tests.training.report.simulated import material
from training.ablation.tables import print_table, write_tables


def test_rows_and_numbers_can_be_read_on_eighty_columns() -> None:
    study = material().study
    assert study is not None
    (table, *_) = study.ablation.tables
    print_table(study.ablation, Console(file=(shown := io.StringIO()), width=80))
    words = shown.getvalue().split()
    for row in table.rows:
        assert set(row.title.split()) <= set(words)
        assert {f"{metric.value:.2f}" for metric in row.metrics if metric.name in {"auroc", "brier"}} <= set(
            words
        )
    assert "…" not in shown.getvalue()


def test_tables_of_before_stay_whole_where_new_ones_cannot_be_written(tmp_path: Path) -> None:
    study = material().study
    assert study is not None
    write_tables(study.ablation, tmp_path)
    names = ("table.csv", "table.md")
    before = [(tmp_path / name).read_bytes() for name in names]
    assert all(before)
    for name in names:
        (tmp_path / f"{name}.part").mkdir()  # as good as a full disk
    with pytest.raises(IsADirectoryError):
        write_tables(study.ablation.model_copy(update={"tables": ()}), tmp_path)
    assert [(tmp_path / name).read_bytes() for name in names] == before
