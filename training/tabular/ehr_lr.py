"""EHR-LR: L2-penalised logistic regression on the record, with flags for what is missing.

Numbers are standardised by observed training values, a missing number is the training mean with a flag beside it, a category has
one column per level with its own for missing. The penalty is chosen by cross-validation within the training patients,
everything refitted in each part.
"""

from functools import partial
from typing import Any, Self

import numpy as np
from jaxtyping import Float32, Float64
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from app.ehr.schema import Feature
from training.tabular.records import Records
from training.tabular.row import Tabular
from training.tabular.thresholds import Thresholds, exceedance_nll

INVERSE_PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
INNER_PARTS = 5


class EhrLogistic:
    """The row."""

    note = ""

    def fit(self, train: Records, validation: Records) -> Self:  # noqa: ARG002 - one signature for all rows
        """Choose the penalty, then fit on all training patients."""
        self.inverse_penalty = _best_inverse_penalty(train)
        self._model = _fitted(train.table, train, self.inverse_penalty)
        return self

    def logits(self, records: Records) -> Float32[np.ndarray, "N L"]:
        """CORN logits."""
        inputs, thresholds = self._model
        return thresholds.logits(inputs.transform(records.table))


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


def _fitted(
    table: Float64[np.ndarray, "N F"],
    records: Records,
    inverse_penalty: float,
    rows: Any = slice(None),  # noqa: ANN401 - any NumPy index
) -> tuple[ColumnTransformer, Thresholds]:
    inputs = record_inputs(records.features).fit(table[rows])
    make = partial(LogisticRegression, C=inverse_penalty, max_iter=1000)
    return inputs, Thresholds(make).fit(inputs.transform(table[rows]), records.labels[rows], records.classes)


def _best_inverse_penalty(train: Records) -> float:
    """Lowest mean negative log-likelihood over the inner parts."""
    parts = list(KFold(min(INNER_PARTS, len(train)), shuffle=True, random_state=0).split(train.table))

    def loss(inverse_penalty: float) -> float:
        losses = []
        for rows, held in parts:
            inputs, thresholds = _fitted(train.table, train, inverse_penalty, rows)
            answers = thresholds.logits(inputs.transform(train.table[held]))
            losses.append(exceedance_nll(answers, train.labels[held]))
        return float(np.mean(losses))

    return min(INVERSE_PENALTIES, key=loss)


ROW = Tabular("ehr-lr", 1, "Logistic regression on the record", EhrLogistic)
