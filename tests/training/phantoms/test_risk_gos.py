"""The world of intracerebral haemorrhage: who the patients are, what drives their outcome, what can be known."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from app.ehr.reference import GOS_SCHEMA
from training.metrics import auroc
from training.phantoms.risk import draw_class
from training.phantoms.risk_gos import (
    DEEP,
    EFFECTS,
    INFRATENTORIAL,
    LOBAR,
    MISSING_SHARE,
    VOLUME_RANGE_ML,
    GosPatients,
    draw_patients,
    outcome_probabilities,
)

N = 40_000
DOCUMENTATION = Path(__file__).parents[3] / "docs/concepts/phantoms.md"


def favourable_probability(patients: GosPatients) -> np.ndarray:
    return np.asarray(outcome_probabilities(patients)[:, 3:].sum(axis=1))


@pytest.fixture(scope="module")
def patients() -> GosPatients:
    return draw_patients(N, np.random.default_rng(0))


@pytest.fixture(scope="module")
def outcomes(patients: GosPatients) -> np.ndarray:
    return draw_class(outcome_probabilities(patients), np.random.default_rng(1)) + 1


def _changed(patients: GosPatients, name: str, value: float) -> GosPatients:
    return replace(patients, record={**patients.record, name: np.full(N, value)})


def test_the_record_has_the_schemas_fields_within_their_ranges(patients: GosPatients) -> None:
    assert set(patients.record) == {feature.name for feature in GOS_SCHEMA.features} == set(MISSING_SHARE)
    for feature in GOS_SCHEMA.features:
        values = patients.record[feature.name]
        low, high = feature.plausible_range or (0, len(feature.categories) - 1)
        assert low <= values.min() <= values.max() <= high, feature.name


def test_the_population_is_that_of_a_stroke_unit(patients: GosPatients) -> None:
    assert np.median(patients.volume_ml) == pytest.approx(15, abs=2)
    assert patients.volume_ml.min() >= VOLUME_RANGE_ML[0]
    assert patients.volume_ml.max() <= VOLUME_RANGE_ML[1]
    assert patients.record["age"].mean() == pytest.approx(64, abs=1)
    assert patients.intraventricular.mean() == pytest.approx(0.4, abs=0.05)
    assert np.bincount(patients.location).min() / N > 0.1
    assert patients.left.mean() == pytest.approx(0.5, abs=0.02)


def test_fields_depend_on_each_other_as_in_patients(patients: GosPatients) -> None:
    record, volume = patients.record, patients.volume_ml
    drugged = record["anticoagulant"] == 1
    assert np.median(volume[drugged]) > 1.2 * np.median(volume[~drugged])
    assert np.median(record["inr"][drugged]) > 1.7
    assert np.median(record["inr"][~drugged]) < 1.3
    deep = patients.location == DEEP
    assert record["hypertension"][deep].mean() > record["hypertension"][patients.location == LOBAR].mean()
    old = record["age"] > 75
    assert record["pre_ich_mrs"][old].mean() > record["pre_ich_mrs"][~old].mean()
    assert record["anticoagulant"][old].mean() > record["anticoagulant"][~old].mean()
    assert volume[patients.location == INFRATENTORIAL].max() <= 40


def test_consciousness_tells_of_the_bleed_but_not_all(patients: GosPatients) -> None:
    correlation = np.corrcoef(patients.record["gcs"], np.log(patients.volume_ml))[0, 1]
    assert -0.5 < correlation < -0.15


@pytest.mark.parametrize(
    ("name", "better", "worse"),
    [
        ("age", 50, 80),
        ("gcs", 15, 6),
        ("pre_ich_mrs", 0, 4),
        ("glucose", 6, 14),
        ("anticoagulant", 0, 1),
    ],
)
def test_on_average_a_worse_record_means_a_worse_outcome(
    patients: GosPatients, name: str, better: float, worse: float
) -> None:
    gain = favourable_probability(_changed(patients, name, better)) - favourable_probability(
        _changed(patients, name, worse)
    )
    assert gain.mean() > 0.02


def test_a_larger_bleed_or_one_in_the_ventricles_means_a_worse_outcome(patients: GosPatients) -> None:
    small = favourable_probability(replace(patients, volume_ml=np.full(N, 5.0)))
    large = favourable_probability(replace(patients, volume_ml=np.full(N, 60.0)))
    assert (small - large).mean() > 0.2
    dry = favourable_probability(replace(patients, intraventricular=np.zeros(N)))
    wet = favourable_probability(replace(patients, intraventricular=np.ones(N)))
    assert (dry > wet).all()


def test_the_same_bleed_weighs_more_in_the_old_and_when_it_can_still_grow(patients: GosPatients) -> None:
    def log_odds_lost(name: str, value: float) -> float:
        p = [
            favourable_probability(replace(_changed(patients, name, value), volume_ml=np.full(N, ml)))
            for ml in (10.0, 40.0)
        ]
        return float(np.mean(np.log(p[0] / (1 - p[0])) - np.log(p[1] / (1 - p[1]))))

    assert log_odds_lost("age", 80) > log_odds_lost("age", 55) + 0.5
    assert log_odds_lost("anticoagulant", 1) > log_odds_lost("anticoagulant", 0) + 0.5
    assert log_odds_lost("onset_to_ct_hours", 1) > log_odds_lost("onset_to_ct_hours", 12) + 0.5


def test_consciousness_weighs_most_below_the_tentorium_and_least_in_the_lobes(patients: GosPatients) -> None:
    def log_odds_gained(location: int) -> float:
        placed = replace(patients, location=np.full(N, location))
        p = [favourable_probability(_changed(placed, "gcs", gcs)) for gcs in (8, 14)]
        return float(np.mean(np.log(p[1] / (1 - p[1])) - np.log(p[0] / (1 - p[0]))))

    assert log_odds_gained(INFRATENTORIAL) > log_odds_gained(DEEP) > log_odds_gained(LOBAR) > 0


def test_fields_without_an_effect_do_not_move_the_truth(patients: GosPatients) -> None:
    before = favourable_probability(patients)
    np.testing.assert_array_equal(before, favourable_probability(_changed(patients, "platelets", 90)))
    np.testing.assert_array_equal(before, favourable_probability(replace(patients, left=1 - patients.left)))


def test_every_outcome_occurs_and_four_in_ten_are_favourable(outcomes: np.ndarray) -> None:
    shares = np.bincount(outcomes, minlength=6)[1:] / N
    assert shares[3:].sum() == pytest.approx(0.40, abs=0.02)
    assert 0.02 < shares[1] < 0.06
    assert shares.min() > 0.02


def test_drawn_outcomes_are_calibrated_against_the_true_probability(
    patients: GosPatients, outcomes: np.ndarray
) -> None:
    truth = favourable_probability(patients)
    for part in np.array_split(np.argsort(truth), 10):
        assert (outcomes[part] >= 4).mean() == pytest.approx(truth[part].mean(), abs=0.03)


def test_the_documentation_lists_every_effect_with_its_coefficient() -> None:
    page = DOCUMENTATION.read_text(encoding="utf-8").split("\n## ")
    chapter = next(part for part in page if part.startswith("`gos`"))
    listed = dict(re.findall(r"^\| `([^`]+)` \| (-?[\d.]+) \|", chapter, flags=re.MULTILINE))
    assert {name: float(size) for name, size in listed.items()} == pytest.approx(dict(EFFECTS), abs=1e-4)


@pytest.mark.slow
def test_neither_image_nor_record_alone_reaches_the_ceiling(
    patients: GosPatients, outcomes: np.ndarray
) -> None:
    favourable = outcomes >= 4
    image = np.stack(
        [np.log(patients.volume_ml), patients.intraventricular, patients.location.astype(float)], axis=1
    )
    record = np.stack(list(patients.record.values()), axis=1)
    ceiling = auroc(favourable_probability(patients), favourable)
    seen = {
        name: _held_out_auroc(columns, favourable)
        for name, columns in (("image", image), ("record", record), ("both", np.hstack([image, record])))
    }
    assert 0.86 < ceiling < 0.90
    assert 0.74 < seen["image"] < 0.80
    assert 0.77 < seen["record"] < 0.82
    assert seen["both"] > max(seen["image"], seen["record"]) + 0.06


def _held_out_auroc(columns: np.ndarray, event: np.ndarray) -> float:
    half = N // 2
    model = HistGradientBoostingClassifier(max_iter=80, max_leaf_nodes=15, random_state=0)
    model.fit(columns[:half], event[:half])
    return auroc(model.predict_proba(columns[half:])[:, 1], event[half:])
