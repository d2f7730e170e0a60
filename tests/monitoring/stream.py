"""A stream of cases as a hospital might send them, drawn from distributions that are known; and the same, shifted."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from jaxtyping import Float32

from app.ehr.schema import Feature
from app.identifiers import uuid7
from app.imaging.intensity import intensity_of
from app.imaging.volume import Modality
from app.model_package.manifest import Manifest
from app.model_package.training_summary import (
    Share,
    TrainingSummary,
    distribution_of_categories,
    distribution_of_numbers,
)
from app.predictions.answer import (
    Answer,
    FeatureUsed,
    ImageUsed,
    ModelUsed,
    Outcome,
    OutOfDistributionScore,
    RecordUsed,
    Timing,
)

TRAINING_CASES = 2000
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """What is drawn of one case.

    Attributes:
        record: Values by feature, None where missing; a category by its name.
        spacing_mm: Of the image.
        brightness: Factor of the scanner's scale.
        score: Out-of-distribution score.
        event: Probability of the event.
        image_share: Of the evidence.
        sure: Whether the model committed itself.
    """

    record: dict[str, float | str | None]
    spacing_mm: tuple[float, float, float]
    brightness: float
    score: float
    event: float
    image_share: float
    sure: bool


Shift = Callable[[Case, np.random.Generator], Case]


def unshifted(case: Case, _chance: np.random.Generator) -> Case:
    """As in training."""
    return case


def older(case: Case, _chance: np.random.Generator) -> Case:
    """Half a standard deviation, and a little."""
    age = case.record["age"]
    return replace(case, record={**case.record, "age": age + 9 if isinstance(age, float) else None})


def no_glucose(case: Case, chance: np.random.Generator) -> Case:
    """The laboratory's interface breaks for half of the patients."""
    gone = chance.random() < 0.5
    return replace(case, record={**case.record, "glucose": None if gone else case.record["glucose"]})


def thicker(case: Case, _chance: np.random.Generator) -> Case:
    """A new protocol: slices twice as far apart."""
    first, second, third = case.spacing_mm
    return replace(case, spacing_mm=(first, second, 2 * third))


def brighter(case: Case, _chance: np.random.Generator) -> Case:
    """A new scanner with another scale."""
    return replace(case, brightness=1.3 * case.brightness)


def stranger(case: Case, _chance: np.random.Generator) -> Case:
    """Embeddings further out, none so far that it is flagged more often."""
    return replace(case, score=min(0.98, case.score**0.4) if case.score < 0.99 else case.score)


def surer(case: Case, _chance: np.random.Generator) -> Case:
    """Favourable outcomes are expected too often."""
    return replace(case, event=case.event**0.4)


def silent(case: Case, chance: np.random.Generator) -> Case:
    """The model often abstains."""
    return replace(case, sure=case.sure and chance.random() > 0.3)


@dataclass
class Stream:
    """Draws cases.

    Args:
        manifest: Of the package that answers.
        seed: Of the draws.
    """

    manifest: Manifest
    seed: int
    drawn: int = 0
    chance: np.random.Generator = field(init=False)
    phantom: Float32[np.ndarray, "D H W"] = field(init=False)

    def __post_init__(self) -> None:
        self.chance = np.random.default_rng(self.seed)
        shape = self.manifest.image.shape
        self.phantom = np.random.default_rng(0).gamma(4, 25, shape).astype(np.float32)

    def case(self) -> Case:
        """One case."""
        chance = self.chance
        thickness = float(chance.choice([1.25, 2.5, 5.0], p=[0.1, 0.3, 0.6]))
        in_plane = float(chance.normal(0.45, 0.03))
        return Case(
            record={each.name: self._value(each) for each in self.manifest.ehr.features},
            spacing_mm=(in_plane, in_plane, thickness),
            brightness=float(chance.lognormal(0, 0.1)),
            score=float(chance.random()),
            event=float(chance.beta(2, 2)),
            image_share=float(chance.beta(5, 3)),
            sure=bool(chance.random() > 0.1),
        )

    def image(self, case: Case) -> Float32[np.ndarray, "D H W"]:
        """What the network sees of it."""
        return (self.phantom * np.float32(case.brightness)).astype(np.float32)

    def answer(self, case: Case) -> Answer:
        """What the service gives."""
        self.drawn += 1
        labels = [each.label for each in self.manifest.outputs.classes]
        threshold = self.manifest.out_of_distribution.threshold
        unfavourable = (1 - case.event) / 3
        values = [unfavourable] * 3 + [case.event / 2] * 2
        manifest, flagged = self.manifest, case.score > threshold
        return Answer(
            id=str(uuid7()),
            created=BEGAN + timedelta(seconds=self.drawn),
            task="gos",
            model=ModelUsed(
                name=manifest.name,
                version=manifest.version,
                sha256="0" * 64,
                intended_use="Tests.",
                provider="CPUExecutionProvider",
            ),
            prediction=Outcome(
                label=labels[3] if case.event > 0.5 else labels[0],
                probabilities=dict(zip(labels, values, strict=True)),
                favourable=case.event,
                prediction_set=labels[3:],
                coverage=0.9,
                out_of_distribution=OutOfDistributionScore(
                    score=case.score, threshold=threshold, flagged=flagged
                ),
                abstained=flagged or not case.sure,
            ),
            ehr=RecordUsed(
                image_share=case.image_share,
                features=[
                    FeatureUsed(
                        name=name, value=value, unit=None, status="missing" if value is None else "used"
                    )
                    for name, value in case.record.items()
                ],
            ),
            image=ImageUsed(
                modality=Modality.CT,
                shape=(512, 512, 30),
                spacing_mm=case.spacing_mm,
                orientation="LPS",
                findings=[],
            ),
            heatmap=None,
            warnings=[],
            timing_ms=Timing(read=1, resample=1, queue=1, inference=1, heatmap=1, total=5),
        )

    def summary(self) -> TrainingSummary:
        """What training would say of cases of this stream."""
        cases = [self.case() for _ in range(TRAINING_CASES)]
        answers = [self.answer(case) for case in cases]
        distributions, shares = [], []
        for feature in self.manifest.ehr.features:
            known = [case.record[feature.name] for case in cases if case.record[feature.name] is not None]
            shares.append(
                Share(kind="missing", name=feature.name, n=len(cases), share=1 - len(known) / len(cases))
            )
            distributions.append(
                distribution_of_numbers("record", feature.name, [float(each or 0) for each in known])
                if feature.kind == "numeric"
                else distribution_of_categories(
                    "record",
                    feature.name,
                    [feature.categories.index(str(each)) for each in known],
                    feature.categories,
                )
            )
        brightness = [intensity_of(self.image(case)) for case in cases]
        labels = [each.label for each in self.manifest.outputs.classes]
        distributions += [
            *(
                distribution_of_numbers("intensity", name, [each[name] for each in brightness])
                for name in brightness[0]
            ),
            distribution_of_numbers("spacing", "in_plane_mm", [min(case.spacing_mm) for case in cases]),
            distribution_of_numbers("spacing", "slice_mm", [max(case.spacing_mm) for case in cases]),
            distribution_of_numbers("score", "event", [case.event for case in cases]),
            distribution_of_numbers("score", "image_share", [case.image_share for case in cases]),
            distribution_of_categories(
                "score", "label", [labels.index(each.prediction.label) for each in answers], labels
            ),
        ]
        abstained = sum(each.prediction.abstained for each in answers) / len(answers)
        shares.append(Share(kind="answer", name="abstained", n=len(cases), share=abstained))
        return TrainingSummary(schema_version=1, distributions=tuple(distributions), shares=tuple(shares))

    def _value(self, feature: Feature) -> float | str | None:
        if self.chance.random() < 0.1:
            return None
        if feature.kind == "categorical":
            share = np.array([0.7, *([0.3 / (len(feature.categories) - 1)] * (len(feature.categories) - 1))])
            return str(self.chance.choice(feature.categories, p=share))
        low, high = feature.plausible_range or (0.0, 1.0)
        return min(max(self.chance.normal(0.55 * high + 0.45 * low, (high - low) / 8), low), high)
