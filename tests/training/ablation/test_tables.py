"""training.ablation.tables: what a terminal of the customary width shows of the finished table."""

import io

from rich.console import Console

from tests.training.report.simulated import material
from training.ablation.tables import print_table


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
