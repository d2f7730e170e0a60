"""training.checkpoint: what cannot be read is told in words."""

import resource
from pathlib import Path

import pytest
import torch

from tests.training.test_train import AGE, small_config
from training.checkpoint import CHECKPOINT_FILE, load_checkpoint, save_checkpoint
from training.cohort import CohortError
from training.networks.model import FusionNet


def test_a_folder_without_a_network_is_told_from_one_with(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match=r"expected checkpoint.pt in the run's folder, found none"):
        load_checkpoint(tmp_path / CHECKPOINT_FILE)


@pytest.mark.parametrize("kept", [0, 100, -1], ids=["empty", "a piece", "but for a byte"])
def test_a_damaged_file_is_named_and_how_to_mend_it(kept: int, tmp_path: Path) -> None:
    torch.save({"state": torch.zeros(100)}, path := tmp_path / CHECKPOINT_FILE)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CohortError, match=r"cannot read the file.*--no-resume"):
        load_checkpoint(path)


def test_a_disk_that_is_full_says_so_and_the_checkpoint_before_stays(tmp_path: Path) -> None:
    config, path = small_config(1), tmp_path / CHECKPOINT_FILE
    net = FusionNet(config.model, [AGE])
    save_checkpoint(path, net, config, [AGE], epoch=1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size // 2, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            save_checkpoint(path, net, config, [AGE], epoch=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert load_checkpoint(path).epoch == 1
