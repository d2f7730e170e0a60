"""FUNC score, 0 (worst) to 11: Rost et al. 2008, Stroke 39:2304-2309, table 3 (doi:10.1161/STROKEAHA.107.512202).

    volume < 30 mL: 4, 30-60: 2, > 60: 0    age < 70: 2, 70-79: 1, >= 80: 0
    lobar: 2, deep: 1, infratentorial: 0    GCS >= 9: 2, <= 8: 0    no cognitive impairment before: 1

Disability before the haemorrhage (`pre_ich_mrs`) is not cognition and does not stand in for it; a cohort that knows it has a
feature `pre_ich_cognitive_impairment` with the categories no and yes.
"""

from functools import partial

import numpy as np

from training.tabular.records import Column, Records
from training.tabular.row import Tabular
from training.tabular.score import ScoreRow, points_above


def func_items(records: Records) -> dict[str, Column]:
    """Points of every item."""
    just_above_60_ml = float(np.nextafter(60, 61))
    return {
        "volume": points_above(records.column("volume_ml"), (30, 2), (just_above_60_ml, 0), below=4),
        "age": points_above(records.column("age", "a"), (70, 1), (80, 0), below=2),
        "location": 1 + records.column("lobar") - records.column("infratentorial"),
        "GCS": points_above(records.column("gcs"), (9, 2), below=0),
        "cognitive impairment before": 1 - records.column("pre_ich_cognitive_impairment"),
    }


func_score = partial(ScoreRow, "FUNC", func_items)
ROW = Tabular("func", 0, "FUNC score", func_score, place=2, tasks=("gos",), readings=True)
