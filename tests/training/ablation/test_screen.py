"""training.ablation.screen: what a terminal too small for the table still shows."""

import io
from pathlib import Path

from rich.console import Console

from training.ablation.models import Finished
from training.ablation.plan import Plan
from training.ablation.screen import Screen
from training.config import load_config
from training.rows import titles

CONFIG = load_config(Path(__file__).parents[3] / "training" / "configs" / "practice.toml")


def test_how_far_it_is_stays_in_sight_where_the_table_does_not_fit(tmp_path: Path) -> None:
    console = Console(file=(shown := io.StringIO()), force_terminal=True, width=100, height=24)
    rows = tuple(titles("gos"))
    plan = Plan(tmp_path, CONFIG, rows, None, repeats=1, seeds=1, sizes=(), cache=tmp_path, out=tmp_path)
    with Screen(plan, [], Finished(tmp_path, None), console):
        console.print("something")  # and the table anew below it
        seen = shown.getvalue()
    assert f"0 of {len(rows)} jobs" in seen
    assert "Ctrl-C stops" in seen
