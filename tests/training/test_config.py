"""training.config: files become dataclasses, and back; what no field stands for is refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from training.cohort import CohortError
from training.config import TrainingConfig, config_from_dict, config_to_dict, load_config

CONFIGS = sorted((Path(__file__).parents[2] / "training" / "configs").glob("*.toml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_shipped_config_loads_and_survives_a_round_trip(path: Path) -> None:
    config = load_config(path)
    assert config.name == path.stem
    assert config_from_dict(config_to_dict(config)) == config


def test_an_unknown_key_is_named_with_the_known_ones() -> None:
    tree = config_to_dict(load_config(CONFIGS[0]))
    tree["optimizer"]["learning_rat"] = 1
    with pytest.raises(CohortError, match=r"unknown keys \['optimizer.learning_rat'\].*learning_rate"):
        config_from_dict(tree)


def test_a_wrong_value_is_named_by_its_place() -> None:
    tree = config_to_dict(load_config(CONFIGS[0]))
    tree["training"]["precision"] = "8-bit"
    with pytest.raises(CohortError, match=r"training\.precision"):
        config_from_dict(tree)


def test_steps_become_whole_epochs_of_whole_batches() -> None:
    training = TrainingConfig(epochs=3, steps=100, batch_size=16)
    assert training.most_epochs(200) == 9  # twelve steps an epoch, the rest of eight patients left out
    assert training.most_epochs(10) == 100  # one step of them all
    assert replace(training, steps=0).most_epochs(200) == 3
