"""The record of some patients as one table, without opening an image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int64

from app.ehr.encode import encode
from app.ehr.schema import EhrSchema, Feature
from app.ehr.units import accepted_units, convert
from training.cohort import Case

Column = Float64[np.ndarray, " N"]
_NUMBERS: Final = {
    **dict.fromkeys(("no", "0", "n", "absent", "false", "none"), 0.0),
    **dict.fromkeys(("yes", "1", "y", "present", "true"), 1.0),
}
"""What a category of either kind counts."""


@dataclass(frozen=True)
class Records:
    """What a tabular row may know of some patients.

    Attributes:
        features: The record's features, in the order of the columns of `values`.
        values: [N, F] as `app.ehr` encodes them for the service, 0 where missing.
        missing: [N, F] 1 where missing.
        labels: [N] class indices.
        classes: K, the outcome's classes.
        readings: What a reader of the CT noted, by name (`training.tabular.readings`); NaN where unknown.
    """

    features: tuple[Feature, ...]
    values: Float32[np.ndarray, "N F"]
    missing: Float32[np.ndarray, "N F"]
    labels: Int64[np.ndarray, " N"]
    classes: int
    readings: Mapping[str, Column] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def table(self) -> Float64[np.ndarray, "N F"]:
        """The record with NaN where missing."""
        filled: Float64[np.ndarray, "N F"] = np.where(
            self.missing > 0, np.nan, self.values.astype(np.float64)
        )
        return filled

    def column(self, name: str, unit: str | None = None) -> Column:
        """A feature of the record or else a reading; NaN where it is unknown, also when nobody has it.

        Of a category, 1 for yes and 0 for no, in whichever order they are described; all others, such as ranges of an age, are no
        numbers, and unknown.

        Args:
            name: Of the feature or the reading.
            unit: UCUM unit that a feature is wanted in; one that has no such unit at all, as `1`, is taken as it is.
        """
        for index, feature in enumerate(self.features):
            if feature.name == name:
                found = self.table[:, index]
                return _worth(feature.categories, found) if feature.categories else _in(found, feature, unit)
        return self.readings.get(name, np.full(len(self), np.nan))


def _worth(categories: Sequence[str], index: Column) -> Column:
    worth = np.array([_NUMBERS.get(category.casefold(), np.nan) for category in categories])
    known = np.isfinite(index)
    column = np.full(len(index), np.nan)
    column[known] = worth[index[known].astype(np.int64)]
    return column


def _in(found: Column, feature: Feature, unit: str | None) -> Column:
    own = feature.unit
    if own is None or unit is None or own == unit or own not in accepted_units(unit, feature.loinc):
        return found
    # Rounded to what float32 holds, for 960 months are 80 years.
    return np.array([convert(value, own, unit, feature.loinc) for value in found.tolist()]).round(4)


def records_of(
    cases: Sequence[Case], schema: EhrSchema, classes: int, readings: Mapping[str, Mapping[str, float]]
) -> Records:
    """Encode the records of some patients by the service's own code.

    Args:
        cases: Patients.
        schema: The record.
        classes: K, the outcome's classes.
        readings: By name, patient's pseudonym to number; whoever is not in it is unknown.
    """
    encoded = [encode(case.record, schema) for case in cases]
    shape = (len(cases), len(schema.features))
    return Records(
        features=schema.features,
        values=np.array([each.values for each in encoded], dtype=np.float32).reshape(shape),
        missing=np.array([each.missing for each in encoded], dtype=np.float32).reshape(shape),
        labels=np.array([case.label for case in cases], dtype=np.int64),
        classes=classes,
        readings={
            name: np.array([known.get(case.patient_id, np.nan) for case in cases], dtype=np.float64)
            for name, known in readings.items()
        },
    )
