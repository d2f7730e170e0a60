"""What a reader of the head CT noted: size and place of the haemorrhage, for the clinical scores that ask for them.

Optional columns of cohort.csv, an empty cell where unknown:

    volume_ml         parenchymal blood in mL
    intraventricular  yes | no
    location          lobar | deep | infratentorial

A phantom cohort has them as `truth_*`: what a reader without error would note. The networks never see them.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path

from training.cohort import TABLE_FILE, CohortError, number_in, read_rows

READINGS = ("volume_ml", "intraventricular", "lobar", "infratentorial")
LOCATIONS = ("lobar", "deep", "infratentorial")
PREFIXES = ("", "truth_")


def read_readings(root: Path) -> dict[str, dict[str, float]]:
    """Readings of a cohort's patients.

    Args:
        root: Folder of the cohort.

    Returns:
        By name of `READINGS`, patient's pseudonym to number, known ones only.

    Raises:
        CohortError: A cell is neither empty nor of the form above.
    """
    read: dict[str, dict[str, float]] = {name: {} for name in READINGS}
    for number, row in read_rows(root / TABLE_FILE).items():
        for column, parse in _PARSERS.items():
            text = _cell(row, column)
            if not text:
                continue
            if (found := parse(text)) is None:
                raise CohortError(f"row {number}: {column} must be {_EXPECTED[column]} or empty")
            for name, value in found.items():
                read[name][row["patient_id"]] = value
    return read


def _cell(row: Mapping[str, str], column: str) -> str:
    return next((text for prefix in PREFIXES if (text := row.get(prefix + column))), "")


def _volume(text: str) -> dict[str, float] | None:
    try:
        volume_ml = number_in(text)
    except ValueError:
        return None
    return {"volume_ml": volume_ml} if 0 <= volume_ml < math.inf else None


def _ventricles(text: str) -> dict[str, float] | None:
    return {"intraventricular": float(text == "yes")} if text in {"yes", "no"} else None


def _location(text: str) -> dict[str, float] | None:
    if text not in LOCATIONS:
        return None
    return {"lobar": float(text == "lobar"), "infratentorial": float(text == "infratentorial")}


_PARSERS: dict[str, Callable[[str], dict[str, float] | None]] = {
    "volume_ml": _volume,
    "intraventricular": _ventricles,
    "location": _location,
}
_EXPECTED = {
    "volume_ml": "a number of mL",
    "intraventricular": "yes, no",
    "location": "one of lobar, deep, infratentorial",
}
