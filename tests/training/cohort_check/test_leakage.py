"""A feature leaks by what it holds, and as much by being there."""

from pathlib import Path

import pytest

from tests.training.cohort_check.test_report import AGE, PATIENTS, found, write_cohort

LINES = range(2, PATIENTS + 2)
"""Outcomes are good in every second of them."""


def test_a_feature_that_is_known_of_those_alone_who_fare_well_is_a_leak(tmp_path: Path) -> None:
    """As what is measured at a visit that the others did not live to see."""
    told = {(line, "age"): str(40 + line % 20) if line % 2 else "" for line in LINES}
    assert found(write_cohort(tmp_path, told))["leak-by-value"].column == "age"


def test_a_feature_that_is_missing_as_often_whatever_the_outcome_is_none(tmp_path: Path) -> None:
    some = {(line, "age"): "" for line in LINES if line % 3 == 0}
    assert "leak-by-value" not in found(write_cohort(tmp_path, some))


@pytest.mark.parametrize(
    ("name", "title", "said"),
    [
        ("entlassungsart", "", "entlassungsart"),
        ("x_1", "Überlebt 90 Tage", "uberlebt"),
        ("gcs_sortie", "", "sortie"),
        ("x_2", "Décès à 30 jours", "deces"),
        ("fecha_de_alta", "", "fecha de alta"),
        ("x_3", "Días de estancia", "estancia"),
        ("obito_hospitalar", "", "obito"),
        ("x_4", "Tempo de internação", "tempo de internacao"),
        ("x_5", "Mortalità a 90 giorni", "mortalita"),
        ("durata_degenza", "", "degenza"),
        ("x_6", "Cirugía prevista", "cirugia"),
        ("x_7", "GOS prima visita di controllo", "gos"),
        ("x_8", "mRS vor Verlegung", "mrs"),
        ("x_9", "Rankin Vorhersage", "rankin"),
    ],
)
def test_a_leak_is_known_by_its_name_in_the_languages_of_other_hospitals(
    tmp_path: Path, name: str, title: str, said: str
) -> None:
    finding = found(_with_feature(tmp_path, name, title))["leak-by-name"]
    assert finding.column == name
    assert f'"{said}"' in finding.problem


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("pressao_alta", "Hipertensão (pressão alta)"),
        ("x_1", "Neurochirurgische Operation vor der Blutung"),
        ("x_2", "Antécédent de craniotomie"),
        ("x_3", "Cirugía previa"),
        ("x_4", "Pregresso intervento di chirurgia"),
        ("orbital", "Sitio orbitario"),
        ("x_5", "Heute gemessen"),
        ("x_6", "Troponina T de alta sensibilidad"),
        ("x_7", "Lipoproteínas de alta densidad (HDL)"),
        ("admission_tod", "Time of day"),
        ("wiek", "Wiek (lata)"),
        ("x_8", "Vivant seul à domicile"),
        ("x_9", "Esito TC encefalo all'ingresso"),
        ("x_10", "Zustand nach Operation"),
        ("x_11", "Kraniotomie in der Vorgeschichte"),
        ("x_12", "ATCD de chirurgie"),
        ("x_13", "Cirurgia anterior"),
        ("x_14", "Past surgery"),
    ],
)
def test_what_was_before_the_illness_and_what_only_sounds_alike_is_no_leak(
    tmp_path: Path, name: str, title: str
) -> None:
    assert "leak-by-name" not in found(_with_feature(tmp_path, name, title))


def _with_feature(folder: Path, name: str, title: str) -> Path:
    edits = {(line, name): str(line % 6) for line in LINES}
    return write_cohort(
        folder, edits, features=[AGE, AGE | {"name": name, "title": title, "plausible_range": [0, 6]}]
    )
