"""ICH Score, 0 (best) to 6: Hemphill et al. 2001, Stroke 32:891-897, table 2 (doi:10.1161/01.STR.32.4.891).

GCS 3-4: 2, 5-12: 1, 13-15: 0    volume >= 30 mL: 1    blood in the ventricles: 1
infratentorial origin: 1         age >= 80 years: 1
"""

from functools import partial

from training.tabular.records import Column, Records
from training.tabular.row import Tabular
from training.tabular.score import ScoreRow, points_above


def ich_items(records: Records) -> dict[str, Column]:
    """Points of every item."""
    return {
        "GCS": points_above(records.column("gcs"), (5, 1), (13, 0), below=2),
        "volume": points_above(records.column("volume_ml"), (30, 1), below=0),
        "ventricles": points_above(records.column("intraventricular"), (1, 1), below=0),
        "location": points_above(records.column("infratentorial"), (1, 1), below=0),
        "age": points_above(records.column("age", "a"), (80, 1), below=0),
    }


ich_score = partial(ScoreRow, "the ICH Score", ich_items)
ROW = Tabular("ich-score", 0, "ICH Score", ich_score, place=1, tasks=("gos",), readings=True)
