"""EHR-LR: L2-penalised logistic regression on the record, with flags for what is missing.

Numbers are standardised by observed training values, a missing number is the training mean with a flag beside it, a category has
one column per level with its own for missing. The penalty is chosen by cross-validation within the training patients,
everything refitted in each part.
"""

from functools import partial
from typing import Self

import numpy as np
from jaxtyping import Float32, Int64
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from app.ehr.schema import Feature
from training.cohort import CohortError
from training.tabular.records import Records
from training.tabular.row import Tabular
from training.tabular.thresholds import Design, Thresholds, exceedance_nll

INVERSE_PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
INNER_PARTS = 5
Rows = Int64[np.ndarray, " M"]


class EhrLogistic:
    """The row."""

    note = ""

    def fit(self, train: Records, validation: Records) -> Self:  # noqa: ARG002 - one signature for all rows
        """Choose the penalty, then fit on all training patients.

        Raises:
            CohortError: There is one training patient.
        """
        if len(train) == 1:
            raise CohortError(
                "the regression chooses its penalty by cross-validation within the training patients, and expected at least 2 of them, found 1; "
                "add patients, or leave this row out"
            )
        with np.errstate(invalid="ignore"):  # a feature nobody has has no mean, and becomes a column of zeros
            self.inverse_penalty = _best_inverse_penalty(train)
            self._inputs = record_inputs(train.features)
            design = self._inputs.fit_transform(train.table)
        self._thresholds = _thresholds(design, train, np.arange(len(train)), self.inverse_penalty)
        return self

    def logits(self, records: Records) -> Float32[np.ndarray, "N L"]:
        """CORN logits."""
        return self._thresholds.logits(self._inputs.transform(records.table))


def record_inputs(features: tuple[Feature, ...]) -> ColumnTransformer:
    """From [N, F] with NaN for missing to the regression's inputs; learns from the rows it is fitted on alone."""
    numbers = [i for i, feature in enumerate(features) if feature.kind == "numeric"]
    categories = [i for i, feature in enumerate(features) if feature.kind == "categorical"]
    # After standardising, 0 is the observed mean. A feature nobody has is a column of zeros.
    fill = SimpleImputer(strategy="constant", fill_value=0.0, add_indicator=True, keep_empty_features=True)
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(StandardScaler(), fill), numbers),
            ("categories", OneHotEncoder(handle_unknown="ignore", sparse_output=False), categories),
        ]
    )


def _thresholds(design: Design, records: Records, rows: Rows, inverse_penalty: float) -> Thresholds:
    # The solver for many patients and few inputs; several times faster here than the default.
    make = partial(LogisticRegression, C=inverse_penalty, solver="newton-cholesky")
    return Thresholds(make).fit(design, records.labels[rows], records.classes)


def _best_inverse_penalty(train: Records) -> float:
    """Lowest mean negative log-likelihood over the inner parts."""
    parts = KFold(min(INNER_PARTS, len(train)), shuffle=True, random_state=0).split(train.table)
    losses = [_losses(train, rows, held) for rows, held in parts]
    return INVERSE_PENALTIES[int(np.mean(losses, axis=0).argmin())]


def _losses(train: Records, rows: Rows, held: Rows) -> list[float]:
    """On the held patients, for every penalty."""
    inputs = record_inputs(train.features)
    fitted_on, judged_on = inputs.fit_transform(train.table[rows]), inputs.transform(train.table[held])
    return [
        exceedance_nll(_thresholds(fitted_on, train, rows, each).logits(judged_on), train.labels[held])
        for each in INVERSE_PENALTIES
    ]


ROW = Tabular("ehr-lr", 1, "Logistic regression on the record", EhrLogistic)
