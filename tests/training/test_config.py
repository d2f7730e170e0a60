"""training.config: files become dataclasses, and back; what no field stands for is refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from training.cohort import CohortError
from training.config import TrainingConfig, config_from_dict, config_to_dict, load_config, with_epochs

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


def test_the_numbers_of_another_modality_are_refused() -> None:
    """A copy of `gos` for MR would train on what the windows of a CT leave of it."""
    tree = config_to_dict(load_config(next(path for path in CONFIGS if path.stem == "gos")))
    tree["grid"]["modality"] = "MR"
    with pytest.raises(
        CohortError, match=r'grid\.intensity_unit = "raw", grid\.fill 0 or more, model\.intensity'
    ):
        config_from_dict(tree)
    tree["grid"] |= {"intensity_unit": "raw", "fill": 0.0}
    with pytest.raises(CohortError, match=r'for grid\.modality MR, model\.intensity = "mr-zscore"'):
        config_from_dict(tree)
    tree["model"]["intensity"] = "mr-zscore"
    assert config_from_dict(tree).model.intensity == "mr-zscore"


def test_steps_become_whole_epochs_of_whole_batches() -> None:
    training = TrainingConfig(epochs=3, steps=100, batch_size=16)
    assert training.most_epochs(200) == 9  # twelve steps an epoch, the rest of eight patients left out
    assert training.most_epochs(10) == 100  # one step of them all
    assert replace(training, steps=0).most_epochs(200) == 3


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("training", "epochs", 0),
        ("training", "batch_size", 0),
        ("training", "patience", 0),
        ("training", "accumulate", 0),
        ("training", "average_decay", 1.0),
        ("optimizer", "learning_rate", -0.001),
        ("optimizer", "learning_rate", float("nan")),
        ("augmentation", "flip_probability", 50),
        ("augmentation", "shift_voxels", -1),
        ("augmentation", "scale", 1.0),
        ("model.ehr", "record_dropout", 20),
        ("model.ehr", "feature_dropout", -0.1),
        ("model.ehr", "dropout", 10),
        ("model.head", "dropout", 20),
        ("model.ehr", "width", 0),
        ("model.gmu", "width", 0),
        ("model.gmu", "heads", 0),
        ("model.backbone", "width_multiplier", 0),
    ],
)
def test_a_value_by_which_nothing_can_be_trained_is_refused(section: str, key: str, value: float) -> None:
    """Percent where a share is meant would hide every record in training, and nobody would notice."""
    tree = part = config_to_dict(load_config(CONFIGS[0]))
    for name in section.split("."):
        part = part[name]
    part[key] = value
    with pytest.raises(CohortError, match=rf"configuration: {section}\.{key}: "):
        config_from_dict(tree)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("backbone", "widths", [16, 0, 16, 16]),
        ("backbone", "stem_stride", [0, 2, 2]),
        ("mma", "kernel", [-3, 7, 7]),
        ("ehr", "width", 30),
    ],
)
def test_sizes_of_which_no_network_can_be_made_are_refused(section: str, key: str, value: object) -> None:
    tree = config_to_dict(load_config(CONFIGS[0]))
    tree["model"]["ehr"]["kind"] = "tokens"
    tree["model"][section][key] = value
    with pytest.raises(CohortError, match=rf"configuration: model\.{section}"):
        config_from_dict(tree)


@pytest.mark.parametrize("name", ["gos_ward", "GOS", "2024-gos", "gos ward", ""])
def test_a_name_that_no_package_can_have_is_refused_before_hours_are_spent(tmp_path: Path, name: str) -> None:
    path = tmp_path / "run.toml"
    path.write_text(
        CONFIGS[0].read_text(encoding="utf-8").replace(f'"{CONFIGS[0].stem}"', f'"{name}"', 1),
        encoding="utf-8",
    )
    with pytest.raises(CohortError, match=r"name: expected small letters, digits and hyphens"):
        load_config(path)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_no_generator_takes_is_refused(seed: int) -> None:
    with pytest.raises(CohortError, match="configuration: seed: "):
        config_from_dict(config_to_dict(load_config(CONFIGS[0])) | {"seed": seed})


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_epochs_that_are_asked_for_are_given_whatever_the_file_counts(path: Path) -> None:
    assert with_epochs(load_config(path), 2).training.most_epochs(200) == 2
    with pytest.raises(CohortError, match=r"training\.epochs"):
        with_epochs(load_config(path), 0)


def test_a_turn_is_refused_where_voxels_are_not_as_wide_as_deep() -> None:
    tree = config_to_dict(load_config(CONFIGS[0]))
    tree["grid"]["spacing_mm"] = [5.0, 2.5, 2.0]
    assert config_from_dict(tree).grid.spacing_mm == (5.0, 2.5, 2.0)
    tree["augmentation"]["rotation_degrees"] = 5.0
    with pytest.raises(CohortError, match=r"rotation_degrees turns voxels that are as wide as they are deep"):
        config_from_dict(tree)


def test_a_file_saved_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(b"\xef\xbb\xbf" + CONFIGS[0].read_bytes())
    assert load_config(path) == load_config(CONFIGS[0])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, r"expected a configuration in run\.toml, found none that can be read"),
        (b"name = practice\n", r"run\.toml is not TOML in UTF-8: .*line 1"),
        (b"# \xe4\n", r"run\.toml is not TOML in UTF-8"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused_in_words(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "run.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CohortError, match=words):
        load_config(path)
