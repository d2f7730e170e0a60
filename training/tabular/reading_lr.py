"""The record and what a reader of the CT noted (`training.tabular.readings`) in one logistic regression.

What a department can have without any network: a network that looks at the image itself has to come near it. On phantoms the
readings are without error, so the row stands for a perfect reader.
"""

from dataclasses import replace
from typing import Self

import numpy as np
from jaxtyping import Float32

from training.cohort import CohortError
from training.features import unitless
from training.tabular.ehr_lr import EhrLogistic
from training.tabular.readings import READINGS
from training.tabular.records import Records
from training.tabular.row import Tabular


class ReadingLogistic:
    """The row."""

    note = ""

    def fit(self, train: Records, validation: Records) -> Self:
        """Fit as the regression on the record alone is.

        Raises:
            CohortError: The cohort has none of the readings.
        """
        if not any(np.isfinite(train.column(name)).any() for name in READINGS):
            raise CohortError(
                "the regression on record and CT reading needs some of the columns volume_ml, intraventricular and location, found none of "
                "them in the training patients; leave this row out, or add the columns (docs/how-to/ablation.md)"
            )
        self._regression = EhrLogistic().fit(with_readings(train), with_readings(validation))
        return self

    def logits(self, records: Records) -> Float32[np.ndarray, "N L"]:
        """CORN logits."""
        return self._regression.logits(with_readings(records))


def with_readings(records: Records) -> Records:
    """The record with the readings as further numbers; the volume as log2(1 + mL), for each doubling weighs about the same."""
    read = np.stack([records.column(name) for name in READINGS], axis=1)
    read[:, 0] = np.log2(1 + read[:, 0])
    missing = np.isnan(read)
    return replace(
        records,
        features=(*records.features, *(unitless(name, 0, 1000) for name in READINGS)),
        values=np.concatenate([records.values, np.where(missing, 0, read)], axis=1, dtype=np.float32),
        missing=np.concatenate([records.missing, missing], axis=1, dtype=np.float32),
    )


ROW = Tabular(
    "reading-lr",
    1,
    "Logistic regression on the record and a CT reading",
    ReadingLogistic,
    place=2,
    tasks=("gos",),
    readings=True,
)
