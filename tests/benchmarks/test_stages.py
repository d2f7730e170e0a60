"""What our time is put down to."""

from pathlib import Path

import numpy as np
import pytest

import app.imaging
from app.imaging.head.find import find_head
from app.imaging.resample import as_volume
from app.imaging.volume import Grid, Modality
from benchmarks.stages import OTHER, STAGES, shares, stage_of


def test_every_module_that_is_named_exists() -> None:
    root = Path(app.imaging.__path__[0])
    modules = {".".join(path.relative_to(root).with_suffix("").parts) for path in root.rglob("*.py")}
    assert {name for names in STAGES.values() for name in names} <= modules


def test_the_stage_is_the_task_and_not_the_tool_it_uses() -> None:
    assert stage_of({"resample", "head.find", "sampling.lattice"}) == "find head"
    assert stage_of({"read", "dicom.read", "dicom.pixels"}) == "decode"
    assert stage_of({"resample", "sampling.separable", "sampling.axis_weights"}) == "resample"
    assert stage_of(set()) == OTHER


def test_the_time_of_a_stage_is_put_down_to_it() -> None:
    volume = as_volume(np.zeros((40, 40, 40), np.float32), Grid((40, 40, 40), np.diag([4.0, 4.0, 4.0, 1.0])))
    assert volume.modality is Modality.MR
    found = shares(lambda: find_head(volume))
    assert sum(found.values()) == pytest.approx(1)
    assert found["find head"] > 0.5
