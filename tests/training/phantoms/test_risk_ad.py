"""The world of Alzheimer's disease: who the people are, what drives the diagnosis, what can be known."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from app.ehr.reference import AD_SCHEMA
from training.metrics import auroc
from training.phantoms.risk_ad import EFFECTS, MISSING_SHARE, AdPatients, ad_probability, draw_patients

N = 40_000
DOCUMENTATION = Path(__file__).parents[3] / "docs/concepts/phantoms.md"


@pytest.fixture(scope="module")
def people() -> AdPatients:
    return draw_patients(N, np.random.default_rng(0))


@pytest.fixture(scope="module")
def diseased(people: AdPatients) -> np.ndarray:
    return np.random.default_rng(1).random(N) < ad_probability(people)


def _changed(people: AdPatients, name: str, value: float) -> AdPatients:
    return replace(people, record={**people.record, name: np.full(N, value)})


def _log_odds(people: AdPatients) -> np.ndarray:
    p = ad_probability(people)
    return np.asarray(np.log(p / (1 - p)))


def test_the_record_has_the_schemas_fields_within_their_ranges(people: AdPatients) -> None:
    assert set(people.record) == {feature.name for feature in AD_SCHEMA.features} == set(MISSING_SHARE)
    for feature in AD_SCHEMA.features:
        values = people.record[feature.name]
        low, high = feature.plausible_range or (0, len(feature.categories) - 1)
        assert low <= values.min() <= values.max() <= high, feature.name


def test_atrophy_grows_with_age_and_goes_together_but_loosely(people: AdPatients) -> None:
    age = people.record["age"]
    assert np.corrcoef(age, people.hippocampus_z)[0, 1] < -0.1
    assert np.corrcoef(age, people.ventricle_scale)[0, 1] > 0.1
    together = np.corrcoef([-people.hippocampus_z, people.ventricle_scale, people.cortical_thinning])
    assert 0.2 < together[np.triu_indices(3, 1)].min() <= together[np.triu_indices(3, 1)].max() < 0.6


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("age", 65, 82),
        ("apoe4_alleles", 0, 1),
        ("diabetes", 0, 1),
        ("hypertension", 0, 1),
        ("family_history", 0, 1),
    ],
)
def test_on_average_each_risk_factor_raises_the_risk(
    people: AdPatients, name: str, low: float, high: float
) -> None:
    assert (
        ad_probability(_changed(people, name, high)) - ad_probability(_changed(people, name, low))
    ).mean() > 0.01


def test_each_apoe4_allele_triples_the_odds_at_the_mean_hippocampus(people: AdPatients) -> None:
    average = replace(people, hippocampus_z=np.full(N, -1.2))
    ratio = np.exp(
        _log_odds(_changed(average, "apoe4_alleles", 1)) - _log_odds(_changed(average, "apoe4_alleles", 0))
    )
    np.testing.assert_allclose(ratio, 3.0)


def test_education_protects(people: AdPatients) -> None:
    gain = ad_probability(_changed(people, "education_years", 8)) - ad_probability(
        _changed(people, "education_years", 18)
    )
    assert gain.mean() > 0.1


def test_each_kind_of_atrophy_raises_the_risk_on_average(people: AdPatients) -> None:
    base = ad_probability(people)
    shrunk = replace(people, hippocampus_z=people.hippocampus_z - 1)
    assert (ad_probability(shrunk) - base).mean() > 0.05
    assert (ad_probability(replace(people, ventricle_scale=people.ventricle_scale * 1.5)) > base).all()
    assert (
        ad_probability(replace(people, cortical_thinning=people.cortical_thinning + 1)) - base
    ).mean() > 0.02


def test_a_lost_hippocampus_means_less_in_the_very_old_and_more_in_carriers(people: AdPatients) -> None:
    def weight(name: str, value: float) -> float:
        changed = _changed(people, name, value)
        full, lost = (_log_odds(replace(changed, hippocampus_z=np.full(N, z))) for z in (0.0, -2.0))
        return float(np.mean(lost - full))

    assert weight("age", 65) > weight("age", 88) + 1
    assert weight("apoe4_alleles", 2) > weight("apoe4_alleles", 0) + 1


def test_nearly_half_have_the_disease(diseased: np.ndarray) -> None:
    assert 0.40 < diseased.mean() < 0.50


def test_drawn_diagnoses_are_calibrated_against_the_true_probability(
    people: AdPatients, diseased: np.ndarray
) -> None:
    truth = ad_probability(people)
    for part in np.array_split(np.argsort(truth), 10):
        assert diseased[part].mean() == pytest.approx(truth[part].mean(), abs=0.03)


def test_the_documentation_lists_every_effect_with_its_coefficient() -> None:
    page = DOCUMENTATION.read_text(encoding="utf-8").split("\n## ")
    chapter = next(part for part in page if part.startswith("`ad`"))
    listed = dict(re.findall(r"^\| `([^`]+)` \| (-?[\d.]+) \|", chapter, flags=re.MULTILINE))
    assert {name: float(size) for name, size in listed.items()} == pytest.approx(dict(EFFECTS), abs=1e-4)


@pytest.mark.slow
def test_neither_image_nor_record_alone_reaches_the_ceiling(people: AdPatients, diseased: np.ndarray) -> None:
    image = np.stack([people.hippocampus_z, people.ventricle_scale, people.cortical_thinning], axis=1)
    record = np.stack(list(people.record.values()), axis=1)
    ceiling = auroc(ad_probability(people), diseased)
    seen = {
        name: _held_out_auroc(columns, diseased)
        for name, columns in (("image", image), ("record", record), ("both", np.hstack([image, record])))
    }
    assert 0.86 < ceiling < 0.90
    assert 0.78 < seen["image"] < 0.83
    assert 0.70 < seen["record"] < 0.77
    assert seen["both"] > max(seen["image"], seen["record"]) + 0.04


def _held_out_auroc(columns: np.ndarray, event: np.ndarray) -> float:
    half = N // 2
    model = HistGradientBoostingClassifier(max_iter=80, max_leaf_nodes=15, random_state=0)
    model.fit(columns[:half], event[:half])
    return auroc(model.predict_proba(columns[half:])[:, 1], event[half:])
