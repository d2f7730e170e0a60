"""What a package wants to know of the patient: features with their codes, units and plausible ranges."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MINIMUM_CATEGORIES = 2
WHOLE_UNIT = "{count}"
WHOLE_SCORES = frozenset({"9267-6", "9268-4", "9269-2", "9270-0", "75859-9"})
"""Glasgow coma score: eye opening, motor, total, verbal; modified Rankin scale. Not every score is whole, so `{score}` alone says
nothing: the Clinical Dementia Rating has halves, ADAS-Cog thirds."""
WHOLE_NAMES = frozenset({"pre_ich_mrs"})
"""The modified Rankin scale before a haemorrhage has no LOINC code of its own, so packages know it by its name."""
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Feature(BaseModel):
    """One field of the record; part of the manifest, nothing has a default.

    Attributes:
        name: Key in the JSON record, snake case.
        title: Words for people, with no unit.
        kind: `numeric` (a number in `unit`) or `categorical` (one of `categories`).
        loinc: LOINC code, or null where none could be confirmed.
        unit: UCUM unit of the model's value; null for a category. Counts and scores use UCUM's annotations, `{score}`.
        plausible_range: Inclusive [low, high] in `unit`; a value outside is refused. Null for a category.
        categories: Allowed levels, in the order of their index in the tensor; empty for a number.
        required: Refuse a record without it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    title: str
    kind: Literal["numeric", "categorical"]
    loinc: str | None
    unit: str | None
    plausible_range: tuple[float, float] | None
    categories: tuple[str, ...]
    required: bool

    @model_validator(mode="after")
    def _kind_agrees_with_fields(self) -> "Feature":
        numeric = self.unit is not None and self.plausible_range is not None and not self.categories
        categorical = (
            self.unit is None and self.plausible_range is None and len(self.categories) >= MINIMUM_CATEGORIES
        )
        if not (numeric if self.kind == "numeric" else categorical):
            raise ValueError(
                f"feature {self.name!r}: a numeric feature needs unit and plausible_range and no categories; "
                "a categorical one needs at least two categories and neither unit nor range"
            )
        return self

    @property
    def is_whole(self) -> bool:
        """Whether only whole numbers have a meaning: of a count, and of a score whose LOINC code or name says so."""
        return self.unit == WHOLE_UNIT or self.loinc in WHOLE_SCORES or self.name in WHOLE_NAMES


class EhrSchema(BaseModel):
    """The record a package reads.

    Attributes:
        features: In the order of the tensors `ehr_values` and `ehr_missing`.
        minimum_features: Fewest known features for an answer; 0 makes an empty record legal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: tuple[Feature, ...]
    minimum_features: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _names_are_unique(self) -> "EhrSchema":
        names = [feature.name for feature in self.features]
        if len(set(names)) != len(names):
            raise ValueError("feature names must be unique")
        return self
