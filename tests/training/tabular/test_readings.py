"""training.tabular.readings: what a reader noted belongs to the patient of the same row, however the table is spaced."""

from pathlib import Path

import pytest

from training.cohort import CohortError
from training.tabular.readings import read_readings


def write_table(folder: Path, *lines: str) -> Path:
    (folder / "cohort.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_readings_are_found_behind_spaces_around_names_and_pseudonyms(tmp_path: Path) -> None:
    folder = write_table(
        tmp_path, " patient_id , volume_ml ,intraventricular,location", " p1 , 12.5 , yes , lobar ", "p2,,,"
    )
    assert read_readings(folder) == {
        "volume_ml": {"p1": 12.5},
        "intraventricular": {"p1": 1.0},
        "lobar": {"p1": 1.0},
        "infratentorial": {"p1": 0.0},
    }


@pytest.mark.parametrize("volume", ["inf", "nan", "-1", "12,5", "much"])
def test_a_volume_that_is_no_finite_number_of_ml_is_refused_with_its_row(tmp_path: Path, volume: str) -> None:
    with pytest.raises(CohortError, match="row 2: volume_ml must be a number of mL or empty"):
        read_readings(write_table(tmp_path, "patient_id,volume_ml", f'p1,"{volume}"'))
