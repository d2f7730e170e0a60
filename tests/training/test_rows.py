"""training.rows: masks guide a network where they hold what counts; where they cannot, it is said."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.imaging.read import read_image
from app.imaging.volume import Modality
from app.imaging.write import write_nifti
from tests.training.ablation.support import write_cohort
from training.checkpoint import load_checkpoint
from training.cohort import CohortError
from training.config import load_config, with_epochs
from training.names import FULL
from training.rows import fit_row
from training.runs import open_cohort

PRACTICE = load_config(Path(__file__).parents[2] / "training" / "configs" / "practice.toml")
COARSE = PRACTICE.grid.model_copy(update={"shape": (8, 22, 18), "spacing_mm": (20.0, 10.0, 10.0)})
CONFIG = with_epochs(replace(PRACTICE, grid=COARSE), epochs=1)


def with_masks(folder: Path, value: int) -> Path:
    """The cohort with a block of one value as everyone's mask."""
    image = read_image([folder / "image.nii.gz"], modality=Modality.CT)
    mask = np.zeros(image.voxels.shape, np.uint8)
    x, y, z = (slice(size // 3, size // 2) for size in image.grid.shape)
    mask[x, y, z] = value
    write_nifti(mask, image.grid, folder / "mask.nii.gz")
    header, *rows = (folder / "cohort.csv").read_text().splitlines()
    lines = [f"{header},mask", *(f"{row},mask.nii.gz" for row in rows)]
    (folder / "cohort.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_masks_in_whose_values_nothing_counts_guide_no_network(tmp_path: Path) -> None:
    folder = with_masks(write_cohort(tmp_path / "cohort", image=True), 255)
    with pytest.raises(CohortError, match=r"expected masks with the values \[1, 2\] .*guidance"):
        fit_row(FULL, open_cohort(folder, CONFIG), CONFIG, tmp_path / "cache", tmp_path / "run")
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


@pytest.mark.skipif(torch.accelerator.is_available(), reason="float16 is what a graphics card is for")
def test_float16_without_a_graphics_card_is_refused_before_an_image_is_prepared(tmp_path: Path) -> None:
    """Lightning would train in bfloat16 instead, under the name of float16."""
    folder = write_cohort(tmp_path / "cohort", image=True)
    config = replace(CONFIG, training=replace(CONFIG.training, precision="16-mixed"))
    with pytest.raises(CohortError, match="needs a graphics card"):
        fit_row(FULL, open_cohort(folder, config), config, tmp_path / "cache", tmp_path / "run")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("parts", "shape"),
    [({"depth": "densenet121"}, (16, 4, 4)), ({"widths": (2, 2, 2, 2)}, CONFIG.grid.shape)],
    ids=["no cell is left", "gates without width"],
)
@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_parts_of_which_no_network_can_be_made_are_refused_before_an_image_is_prepared(
    tmp_path: Path, parts: dict[str, Any], shape: tuple[int, int, int]
) -> None:
    folder = write_cohort(tmp_path / "cohort", image=False)
    model = replace(CONFIG.model, backbone=replace(CONFIG.model.backbone, **parts))
    config = replace(CONFIG, model=model, grid=CONFIG.grid.model_copy(update={"shape": shape}))
    with pytest.raises(CohortError, match=r"configuration: expected \[model\] and \[grid\]"):
        fit_row(FULL, open_cohort(folder, config), config, tmp_path / "cache", tmp_path / "run")
    assert not (tmp_path / "cache").exists()


def test_a_network_without_any_mask_is_trained_unguided_and_says_so(tmp_path: Path) -> None:
    folder = write_cohort(tmp_path / "cohort", image=True)
    fitted = fit_row(FULL, open_cohort(folder, CONFIG), CONFIG, tmp_path / "cache", tmp_path / "run")
    assert "no patient to train on has a mask" in fitted.note
    kept = load_checkpoint(tmp_path / "run" / "checkpoint.pt").config
    assert kept == replace(CONFIG, guidance=replace(CONFIG.guidance, weight=0.0))


def test_columns_that_only_a_score_reads_may_hold_anything_for_the_other_rows(tmp_path: Path) -> None:
    """A hospital's `location` may be a ward."""
    folder = write_cohort(tmp_path / "cohort", image=False)
    header, *rows = (folder / "cohort.csv").read_text().splitlines()
    (folder / "cohort.csv").write_text(
        "\n".join([f"{header},location", *(f"{row},ward 3" for row in rows)]) + "\n"
    )
    for name in ("prevalence", "ehr-lr"):
        fit_row(name, open_cohort(folder, CONFIG), CONFIG, tmp_path / "cache", tmp_path / name)
    with pytest.raises(CohortError, match="row 2: location must be one of lobar"):
        fit_row("ich-score", open_cohort(folder, CONFIG), CONFIG, tmp_path / "cache", tmp_path / "run")
