"""Everything a report is written from: the evaluation, and the files that the run left beside it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.ehr.schema import Feature
from app.model_package.manifest import Metric
from training.checkpoint import CHECKPOINT_FILE, load_checkpoint
from training.cohort import DESCRIPTION_FILE, CohortDescription, CohortError, read_description
from training.cohort_description import PHANTOMS
from training.config import RunConfig, config_to_dict
from training.environment import read_environment
from training.evaluation.document import (
    EVALUATION_FILE,
    Comparison,
    Evaluation,
    External,
    load_evaluation,
)
from training.evaluation.fitted import CALIBRATION_FILE, CalibrationFile, load_calibration
from training.packaging.served import why_not_served
from training.report.history import Epoch, read_history
from training.report.study import Study, read_study
from training.runs import RUN_FILE, place_of_cohort, read_notes


@dataclass(frozen=True)
class Material:
    """What is known of a run.

    Attributes:
        name: Of the run's folder.
        evaluation: The numbers.
        config: How a network was trained; None for a row that is no network.
        features: The record; empty where unknown.
        fewest_features: Known ones that an answer needs; None where unknown.
        parameters: Trained numbers of the network.
        kept_epoch: Epoch whose weights were kept.
        is_served: Whether a service can answer with the network.
        history: Of the run, by epoch.
        fitted: `calibration.json`; None where it was not kept.
        environment: Versions and machine.
        study: The other rows of the model table, where an ablation was made.
        pictures: Bytes of the gallery's PNG files, by name.
    """

    name: str
    evaluation: Evaluation
    config: RunConfig | None = None
    features: tuple[Feature, ...] = ()
    fewest_features: int | None = None
    parameters: int | None = None
    kept_epoch: int | None = None
    is_served: bool = False
    history: tuple[Epoch, ...] = ()
    fitted: CalibrationFile | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    study: Study | None = None
    pictures: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def phantoms(self) -> bool:
        """Whether no patient is behind any of it."""
        return self.evaluation.source == PHANTOMS

    @property
    def external(self) -> External | None:
        """What is told of a package that was judged on another cohort; None of a run."""
        return self.evaluation.external

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Headline numbers."""
        return self.evaluation.metrics

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Of the study where there is one, for it holds every row; else of the run."""
        return (self.study.table.comparisons if self.study else ()) or self.evaluation.comparisons

    @property
    def config_digest(self) -> str:
        """First half of the SHA-256 of the configuration, for telling runs apart."""
        if self.config is None:
            return ""
        text = json.dumps(config_to_dict(self.config), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def gather(run: Path, ablation: Path | None = None, cohort: Path | None = None) -> Material:
    """Read a run's folder, and an ablation's where there is one.

    Args:
        run: The run's folder.
        ablation: An ablation's folder.
        cohort: The cohort's folder, where it has been moved since.

    Raises:
        CohortError: The run has not been evaluated, the ablation is one of another cohort, or the cohort is not where it is said to be.
    """
    if not (run / EVALUATION_FILE).is_file():
        raise CohortError(
            f"expected {EVALUATION_FILE} in the run's folder, found none; run `python -m training evaluate` first"
        )
    evaluation = load_evaluation(run)
    description = (
        read_description(place_of_cohort(run, cohort) / DESCRIPTION_FILE) if cohort else _description(run)
    )
    if description and not evaluation.source:
        evaluation = evaluation.model_copy(update={"source": description.source})
    study = read_study(ablation) if ablation else None
    if study and (study.ablation.source, study.ablation.event) != (evaluation.source, evaluation.event):
        raise CohortError(
            "expected an ablation on the cohort of this run, found one whose source or event differs; give the ablation of this cohort"
        )
    material = Material(
        name=run.resolve().name,
        evaluation=evaluation,
        features=description.features if description else (),
        fewest_features=description.minimum_features if description else None,
        history=read_history(run),
        fitted=load_calibration(run) if (run / CALIBRATION_FILE).is_file() else None,
        environment=read_environment(run),
        study=study,
        pictures={each.picture: _picture(run, each.picture) for each in evaluation.examples},
    )
    return _with_network(material, run / CHECKPOINT_FILE, len(description.images) if description else 1)


def _with_network(material: Material, checkpoint: Path, images: int) -> Material:
    if not checkpoint.is_file():
        return material
    trained = load_checkpoint(checkpoint)
    return replace(
        material,
        config=trained.config,
        features=trained.features,
        parameters=trained.net.trained_numbers,
        kept_epoch=trained.epoch,
        is_served=not why_not_served(trained.net, images),
    )


def _description(run: Path) -> CohortDescription | None:
    """The cohort's own words, where the cohort is still in its place."""
    if not (run / RUN_FILE).is_file():
        return None
    path = Path(read_notes(run)["cohort"]) / DESCRIPTION_FILE
    return read_description(path) if path.is_file() else None


def _picture(run: Path, name: str) -> bytes:
    """Bytes of a picture inside the run's folder."""
    path = (run / name).resolve()
    if not path.is_relative_to(run.resolve()) or not path.is_file():
        raise CohortError(
            f"expected the gallery's pictures in the run's folder, {EVALUATION_FILE} names another"
        )
    return path.read_bytes()
