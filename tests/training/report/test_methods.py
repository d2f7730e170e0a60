"""The methods paragraph and the title name what a row reads, and nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.training.report.simulated import external_material, material
from training.config import load_config
from training.networks.rows import row
from training.report.blocks import Table
from training.report.material import Material
from training.report.methods import methods, read_in_words
from training.report.sections.performance import performance

CONFIGS = Path(__file__).parents[3] / "training" / "configs"


def _of_row(name: str, configuration: str = "gos") -> Material:
    config = load_config(CONFIGS / f"{configuration}.toml")
    return replace(material(study=False), config=replace(config, model=row(config.model, name)))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mma+mhgmu", " from head CT and admission record"),
        ("daft", " from head CT and admission record"),
        ("image", " from head CT"),
        ("record", " from admission record"),
    ],
)
def test_a_title_names_what_the_row_reads(name: str, words: str) -> None:
    assert read_in_words(_of_row(name)) == words


def test_another_modality_is_called_by_its_own_name() -> None:
    assert read_in_words(_of_row("mma+mhgmu", "ad")).startswith(" from brain MRI and ")


def test_a_row_that_is_no_network_leaves_it_to_its_methods() -> None:
    assert read_in_words(material()) == ""


def test_nothing_is_said_to_be_read_that_the_row_does_not_read() -> None:
    said = {name: methods(_of_row(name))[0] for name in ("record", "image", "film", "concat")}
    assert said["record"].startswith("No image is read. The record has 2 features")
    assert said["image"].startswith("Each head CT was resampled")
    assert said["image"].endswith("The record is not read.")
    assert all("resampled" in said[name] and "2 features" in said[name] for name in ("film", "concat"))


def test_of_intervals_it_is_said_how_they_were_made() -> None:
    """A document that does not say is of a release that took plain percentiles."""
    before = material()
    assert "(percentiles);" in methods(before)[-1]
    now = replace(before, evaluation=before.evaluation.model_copy(update={"intervals": "expanded"}))
    assert "(expanded percentiles, doi:" in methods(now)[-1]


def test_plain_percentiles_of_an_earlier_release_are_not_given_out_for_wilsons_interval() -> None:
    before = material()
    now = replace(before, evaluation=before.evaluation.model_copy(update={"intervals": "expanded"}))
    notes = [
        table.note for each in (before, now) for table in performance(each).blocks if isinstance(table, Table)
    ]
    assert ["Wilson" in note for note in notes] == [False, True]
    assert all("an interval without width" in note for note in notes)


def test_of_a_package_it_is_told_who_got_no_answer_and_what_was_missing_for_everyone() -> None:
    told = " ".join(methods(external_material()))
    assert "The package gos@2" in told
    assert "Nothing was fitted to them" in told
    assert "2 got no answer and are in no number: not-a-head (2)." in told
    assert "Missing for everyone, since the cohort does not have it: INR." in told
    assert "Phantoms: synthetic heads." in told
    assert "2.0\N{NO-BREAK SPACE}% of the answers" in told
    assert "calibrated on the validation split" not in told
    assert "Missing" not in " ".join(methods(external_material(absent=(), refused={})))
