"""The measurement of training: every trainer takes its epoch of the same patients, and ours is what the others are held to."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.imaging.volume import Grid
from app.imaging.write import write_nifti
from benchmarks.training import CONFIG, compared
from tests.training.ablation.support import FEATURES
from training.config import load_config

TRAINED = 8


def write_heads(folder: Path) -> Path:
    """Round heads of 8 mm voxels: nothing slow is read."""
    shape = (24, 28, 24)
    places = np.moveaxis(np.indices(shape), 0, -1) * 8.0 - (92, 108, 92)
    inner, head = (((places / axes) ** 2).sum(axis=-1) <= 1 for axes in ((60, 80, 70), (70, 90, 80)))
    rows = []
    for number, split in enumerate([*["train"] * TRAINED, "validation", "calibration", "test"]):
        bled = np.where(inner, 35, np.where(head, 900, -1024)).astype(np.int16)
        bled[12:15, 8 + number : 11 + number, 10:14] = 70
        write_nifti(bled, Grid(shape, np.diag([8.0, 8.0, 8.0, 1.0])), folder / f"{number}.nii.gz")
        rows.append([f"p{number}", f"{number}.nii.gz", split, 5 + number, "male", 1 + number % 5])
    with (folder / "cohort.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["patient_id", "image", "split", "glucose", "sex", "outcome"], *rows])
    description = {
        "task": "gos", "modality": "CT", "source": "drawn", "outcome": "outcome", "positive": "favourable", "seed": None,
        "features": [feature.model_dump(mode="json") for feature in FEATURES], "minimum_features": 0,
    }  # fmt: skip
    (folder / "cohort.json").write_text(json.dumps(description), encoding="utf-8")
    return folder


@pytest.mark.filterwarnings("ignore::UserWarning:monai")  # readers of formats that nobody asked for
@pytest.mark.filterwarnings("ignore::UserWarning:lightning")
def test_every_trainer_is_timed_on_the_same_epoch(tmp_path: Path) -> None:
    config = load_config(CONFIG.with_name("practice.toml"))
    coarse = config.grid.model_copy(update={"shape": (8, 22, 18), "spacing_mm": (20.0, 10.0, 10.0)})
    config = replace(config, grid=coarse, training=replace(config.training, batch_size=4, workers=1))
    table = compared(write_heads(tmp_path), config, rounds=1)
    names, speeds, ratios = (list(column.cells) for column in table.columns)
    assert len(names) == 5
    assert dict(zip(names, ratios, strict=True))["ours, later epochs"] == "1.00 x"
    assert all(float(str(speed)) > 0 for speed in speeds)
    assert str(table.caption).startswith(
        f"{TRAINED} phantom head CTs (NIfTI), network of training/configs/practice.toml"
    )
    assert not [path for path in tmp_path.iterdir() if path.is_dir()], "the cache is removed"


def test_the_network_that_is_timed_is_the_one_that_is_named() -> None:
    assert CONFIG.is_file()
    assert load_config(CONFIG).name == CONFIG.stem
