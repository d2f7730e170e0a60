"""The tables of the comparison."""

from functools import partial
from pathlib import Path

from rich.console import Console

from app.imaging.volume import Modality
from benchmarks.cases import Case
from benchmarks.imaging import agreement, compare, times
from benchmarks.making import kept, make_mr
from benchmarks.match import CONVERTER, FLOOR, OUR_READING, OURS, Match


def _printed(*what: object) -> str:
    console = Console(width=300)
    with console.capture() as captured:
        console.print(*what)
    return captured.get()


def test_a_comparison_names_its_image_and_times_memory_and_stages(tmp_path: Path) -> None:
    path = kept(tmp_path / "mr", partial(make_mr, 64)) / "t1.nii.gz"
    printed = _printed(compare([Case("a small T1", (path,), path, Modality.MR)], 1, tmp_path / "no-peers"))
    assert printed.count("a small T1") == 4
    assert all(word in printed for word in ("ms", "memory", "floor", "decode", "find head", "resample"))


def test_a_contender_that_failed_says_why_and_the_others_stay(tmp_path: Path) -> None:
    match = Match(
        Case("one", (), tmp_path, Modality.CT),
        wall_s={OURS: [0.2], OUR_READING: [0.1], FLOOR: [0.05], CONVERTER: [0.3], "torchio": [0.5]},
        failures={"monai": "RuntimeError: no reader"},
        correlations={"torchio": 0.98},
    )
    printed = _printed(times([match], "wall", rounds=1), agreement([match]))
    assert all(word in printed for word in ("200 ms", "3.00 x", "2.50 x", "RuntimeError: no reader", "0.980"))
