"""`cohort.json`: what the columns of a cohort's table mean, and in which words it tells the outcome."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.ehr.schema import EhrSchema, Feature
from app.imaging.volume import Modality
from app.model_package.manifest import Task

GRADES: Final = ("1", "2", "3", "4", "5")
"""Glasgow Outcome Scale, 1 dead to 5 good recovery."""
PHANTOMS: Final = "phantoms"
"""Source of a cohort that is of no patients."""
MASK: Final = "mask"
"""Column of a volume's mask, where the description names none; it may be absent."""
TWO_CLASSES: Final = {"gos": ("unfavourable", "favourable"), "ad": ("cn", "ad")}
"""Words of an outcome in two classes; the second is the reported event."""


class CohortDescription(BaseModel):
    """What the table's columns mean (`cohort.json`).

    Attributes:
        task: `gos` (outcome 1..5) or `ad` (outcome `cn` or `ad`).
        modality: What the images are.
        source: `phantoms`, or words for where the patients come from; goes into the model card.
        outcome: Name of the outcome column.
        positive: Words for the event whose probability is reported.
        seed: Seed of a generated cohort; null for patients.
        features: The record, in order.
        minimum_features: Fewest known features for an answer.
        images: Columns of the images. Several are axial slices, one file each, of one few-slice image, from below upwards.
        masks: Columns of lesion or region masks, one for each of `images`; empty reads a volume's from `mask`, where there is one.
        site: Column of the hospital or scanner, for `--leave-site` and subgroups.
        date: Column of the admission's day (YYYY-MM-DD), for `--test-from`.
        subgroups: Further columns by which the model is judged; they are no features.
        levels: The table's own words for the outcome to `1`..`5` or, where the grades are not known, to `favourable` and
            `unfavourable`; for the task `ad` to `cn` and `ad`. Empty where the table uses these words itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: Task
    modality: Modality
    source: str
    outcome: str
    positive: str
    seed: int | None
    features: tuple[Feature, ...] = Field(min_length=1)
    minimum_features: int = Field(ge=0)
    images: tuple[str, ...] = Field(default=("image",), min_length=1)
    masks: tuple[str, ...] = ()
    site: str | None = None
    date: str | None = None
    subgroups: tuple[str, ...] = ()
    levels: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _columns_and_levels_make_sense(self) -> "CohortDescription":
        if len(set(self.images)) != len(self.images):
            raise ValueError("images must name different columns")
        if self.masks and not (
            len(self.masks) == len(self.images) and len({*self.images, *self.masks}) == 2 * len(self.images)
        ):
            raise ValueError("masks must name a column of its own for each of images, in the same order")
        roles = Counter(
            ["patient_id", "split", "true_probability", *self.images, *self.mask_columns, self.outcome]
            + [feature.name for feature in self.features]
        )
        if twice := sorted(column for column, count in roles.items() if count > 1):
            # A feature that is the outcome would make every number beautiful.
            raise ValueError(
                f"one column each for pseudonym, split, images, masks, outcome and every feature, found several uses of {twice}"
            )
        made = {"class", "record missing"} | ({"site"} if self.site not in {None, "site"} else set())
        if taken := sorted(made & set(self.subgroups)):
            # Their patients would stand among those of the evaluation's own groups, or in their place.
            raise ValueError(
                f"subgroups: every evaluation has groups named {taken} of its own; rename the column"
            )
        if "" in self.levels:
            raise ValueError("levels must not give an empty cell, that is an unknown outcome, a meaning")
        if not set(self.levels.values()) <= set(self._class_words):
            raise ValueError(
                f"levels must lead to {list(TWO_CLASSES[self.task])}"
                + (f" or all to {list(GRADES)}" if self.task == "gos" else "")
            )
        return self

    @property
    def outcome_words(self) -> Mapping[str, int]:
        """What the outcome's column may hold, and the index of the class it means."""
        words = {word: word for word in self._class_words} if not self.levels else self.levels
        return {word: self._class_words.index(meaning) for word, meaning in words.items()}

    @property
    def classes(self) -> int:
        """How many outcomes the table tells apart: 5 grades, or 2."""
        return len(self._class_words)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns the table must have, in the order a person would look for them."""
        named = [name for name in (self.site, self.date) if name]
        features = [feature.name for feature in self.features]
        return tuple(
            dict.fromkeys(
                ["patient_id", *self.images, *self.masks, *features, self.outcome, *named, *self.subgroups]
            )
        )

    @property
    def mask_columns(self) -> tuple[str, ...]:
        """Columns in which masks are looked for, one for each image column; none for slices whose masks are not named."""
        return self.masks or (() if self.few_slices else (MASK,))

    @property
    def of_phantoms(self) -> bool:
        """Whether the cohort says that it is of no patients."""
        return self.source == PHANTOMS

    @property
    def few_slices(self) -> bool:
        """Whether the image is a handful of slices, each in a file of its own, rather than a volume."""
        return len(self.images) > 1

    @property
    def _class_words(self) -> tuple[str, ...]:
        in_two = self.task == "ad" or bool(set(self.levels.values()) & set(TWO_CLASSES["gos"]))
        return TWO_CLASSES[self.task] if in_two else GRADES

    @property
    def ehr(self) -> EhrSchema:
        """The record as `app.ehr` reads it."""
        return EhrSchema(features=self.features, minimum_features=self.minimum_features)
