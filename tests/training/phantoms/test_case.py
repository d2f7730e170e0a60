"""One case: its streams of chance, its cells."""

import numpy as np

from app.ehr.encode import encode
from app.ehr.reference import AD_SCHEMA, GOS_SCHEMA
from training.phantoms import risk_ad, risk_gos
from training.phantoms.case import CaseSeed, draw_case, record_cells


def test_streams_differ_between_parts_cases_and_seeds_and_repeat() -> None:
    def first(seed: int, index: int) -> list[float]:
        streams = CaseSeed.of(seed, index)
        return [float(getattr(streams, name).random()) for name in CaseSeed.__annotations__]

    draws = first(1, 0) + first(1, 1) + first(2, 0)
    assert len(set(draws)) == len(draws)
    assert first(1, 0) == first(1, 0)


def test_every_cell_is_a_value_the_records_door_takes() -> None:
    for schema, shares, columns in (
        (GOS_SCHEMA, risk_gos.MISSING_SHARE, risk_gos.draw_patients(1, np.random.default_rng(0)).record),
        (AD_SCHEMA, risk_ad.MISSING_SHARE, risk_ad.draw_patients(1, np.random.default_rng(0)).record),
    ):
        cells = record_cells(columns, schema, dict.fromkeys(shares, 0.0), np.random.default_rng(1))
        record = {
            feature.name: cells[feature.name] if feature.categories else float(cells[feature.name])
            for feature in schema.features
        }
        encoded = encode(record, schema)
        assert not encoded.missing.any()
        np.testing.assert_allclose(
            encoded.values, [float(columns[feature.name][0]) for feature in schema.features], rtol=1e-5
        )


def test_a_hidden_field_is_an_empty_cell_and_leaves_the_others_alone() -> None:
    columns = risk_ad.draw_patients(1, np.random.default_rng(0)).record
    shares = {**dict.fromkeys(columns, 0.0), "apoe4_alleles": 1.0}
    cells = record_cells(columns, AD_SCHEMA, shares, np.random.default_rng(1))
    assert cells.pop("apoe4_alleles") == ""
    assert all(cells.values())


def test_the_case_carries_the_probability_of_its_own_patient() -> None:
    case = draw_case("ad", CaseSeed.of(5, 0))
    people = risk_ad.draw_patients(1, CaseSeed.of(5, 0).patient)
    assert case.true_probability == float(risk_ad.ad_probability(people)[0])
    assert float(case.truths["hippocampus_z"]) == people.hippocampus_z[0]
    assert case.mask.shape == case.volume.voxels.shape
