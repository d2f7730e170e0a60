"""External validation: a package asked about patients of another cohort whose outcome is known, by the service's own code.

Nothing is fitted to these patients: probabilities, thresholds of the sets and the distance of embeddings are those of the package. Who would get
no answer from the service gets none here, and is counted by the reason, since a number on the rest alone would flatter the package.
"""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from app.ehr.schema import Feature
from app.ehr.units import accepted_units
from app.errors import RequestError
from app.imaging.load import Loader, load_case
from app.imaging.workers.isolation import ImageWorkers, WorkerLimits
from app.inference.case import analyse
from app.inference.onnx_runtime.session import OnnxSession
from app.inference.predictor import Outputs, Predictor
from app.inference.self_test import self_test
from app.model_package.manifest import Manifest
from app.model_package.package import MANIFEST, open_package
from training.calibrate import Scaling
from training.cohort import DESCRIPTION_FILE, Case, Cohort, CohortError, load_cohort
from training.cohort_check.beforehand import tell_errors
from training.cohort_description import CohortDescription
from training.evaluation.answers import Answers
from training.evaluation.cohort_table import cohort_table
from training.evaluation.document import Distance, Evaluation, External
from training.evaluation.fitted import Fitted
from training.evaluation.judge import judge_answers
from training.evaluation.sets import ClassThresholds
from training.files.whole_files import write_whole
from training.kept_answers import KeptAnswers
from training.outcomes import as_classes_of, outcome_of
from training.predictions import PREDICTIONS_FILE
from training.runs import RUN_FILE

ANSWERS_FILE = "answers.csv"
OPERATING_POINT = 0.5
"""A package states no threshold for decisions; at this one the event is the likelier of the two."""
SHARED = "split conformal, one threshold for all classes together"


@dataclass(frozen=True)
class Asked:
    """One patient, and what the service would say.

    Attributes:
        case: The patient, with the label as the package counts classes.
        outputs: The answer; its heatmap is not kept. None where the patient is refused.
        refused: Code of the error; empty where there is an answer.
    """

    case: Case
    outputs: Outputs | None
    refused: str = ""


def validate_package(
    package_folder: Path, cohort_folder: Path, workers: int = 1, out: Path | None = None
) -> tuple[Evaluation, list[Asked]]:
    """Ask a package about every patient of a cohort, and judge its answers.

    Args:
        package_folder: A package, such as `model_store/gos/2`.
        cohort_folder: A cohort, as for training; its splits do not matter here.
        workers: Processes that read images; 1 reads in this one.
        out: Folder in which answers are kept as they come, and from which those of an earlier start are taken.

    Returns:
        The numbers, and what became of each patient, in the table's order.

    Raises:
        PackageInvalidError: The package is broken; as `GoldenMismatchError`, it does not answer here as it should.
        CohortError: The cohort's task, modality, outcome or record is not what the package answers or reads, or nobody got an answer.
    """
    predictor, cohort = opened_for(package_folder, cohort_folder)
    asked = ask_everyone(predictor, cohort, workers, out)
    return _judged(predictor.package.manifest, cohort, asked), asked


def opened_for(package_folder: Path, cohort_folder: Path) -> tuple[Predictor, Cohort]:
    """A package that answers as it should, and a cohort that it can be asked about, with labels as the package counts classes.

    Raises:
        PackageInvalidError: The package is broken; as `GoldenMismatchError`, it does not answer here as it should.
        CohortError: There is no package, or the cohort's task, modality, outcome or record is not what it answers or reads.
    """
    if not (package_folder / MANIFEST).is_file():
        raise CohortError(
            f"expected the folder of one version of a package, such as model_store/gos/2, found none with a {MANIFEST}; correct the path"
        )
    package = open_package(package_folder)
    cohort = _as_the_package_reads(load_cohort(cohort_folder), package.manifest)
    predictor = Predictor(package, OnnxSession(package))
    self_test(predictor)
    return predictor, cohort


def require_own_folder(out: Path) -> None:
    """Refuse a folder whose content would be replaced, or be no longer whole.

    Raises:
        CohortError: It is that of a run, a package or a cohort.
    """
    if any((out / name).exists() for name in (RUN_FILE, PREDICTIONS_FILE, MANIFEST, DESCRIPTION_FILE)):
        raise CohortError(
            "expected a folder of its own for --out, found that of a run, a package or a cohort; name another"
        )


def save_answers(asked: Sequence[Asked], out: Path) -> Path:
    """Write `answers.csv`: a line for each patient in the table's order, empty cells where there is no answer."""
    labels = next(list(each.outputs.probabilities) for each in asked if each.outputs)
    table = csv.writer(text := io.StringIO(), lineterminator="\n")
    table.writerow(
        ["patient_id", "outcome", "refused", *labels, "prediction_set", "out_of_distribution", "abstained"]
    )
    for each in asked:
        row: list[object] = [each.case.patient_id, labels[each.case.label], each.refused]
        if found := each.outputs:
            row += [f"{value:.6f}" for value in found.probabilities.values()]
            unlike = f"{found.out_of_distribution.score:.4f}"
            row += [" ".join(found.prediction_set), unlike, str(found.abstained).lower()]
        table.writerow(row + [""] * (len(labels) + 6 - len(row)))
    return write_whole(out / ANSWERS_FILE, text.getvalue())


def _as_the_package_reads(cohort: Cohort, manifest: Manifest) -> Cohort:
    """The cohort with labels as the package counts classes, held against the package's task, image and record."""
    told = cohort.description
    if told.task != manifest.task or told.modality != manifest.image.modality:
        raise CohortError(
            f"expected a cohort for the task {manifest.task} with images of {manifest.image.modality}, as {manifest.name}@{manifest.version} reads, "
            f"found {told.task} and {told.modality}; give another package or cohort"
        )
    if told.few_slices:
        raise CohortError(
            "expected a cohort of volumes, found one of single slices, which a package does not read; give whole series"
        )
    labels = [each.label for each in manifest.outputs.classes]
    outcome = outcome_of(manifest.task, labels)
    if outcome is None:
        raise CohortError(
            f"expected a package with this project's classes of {manifest.task}, found others; it was not exported by this program"
        )
    own = {feature.name: feature for feature in told.features}
    for feature in manifest.ehr.features:
        _require_the_same(feature, own.get(feature.name))
    if told.classes < len(labels):
        raise CohortError(
            f"the cohort tells {told.classes} outcomes apart, the package {len(labels)}; give the outcome in grades, or a package of two classes"
        )
    return as_classes_of(cohort, outcome)


def _require_the_same(feature: Feature, own: Feature | None) -> None:
    """One name must not stand for two things; what is told in another unit is converted."""
    if own is None:
        if feature.required:
            raise CohortError(
                f"the package requires {feature.name}, found no such feature in cohort.json; add it"
            )
        return
    if own.kind != feature.kind or not set(own.categories) <= set(feature.categories):
        expected = (
            f"one of {list(feature.categories)}" if feature.categories else f"a number in {feature.unit}"
        )
        raise CohortError(
            f"the package reads {feature.name} as {expected}, found another kind or other categories in cohort.json; bring the column to the "
            "package's words, or take it out of cohort.json"
        )
    if feature.unit and own.unit not in (units := accepted_units(feature.unit, feature.loinc)):
        raise CohortError(
            f"the package reads {feature.name} in {feature.unit}, found {own.unit} in cohort.json, which cannot be converted; expected one of {list(units)}"
        )


def ask_everyone(predictor: Predictor, cohort: Cohort, workers: int, out: Path | None = None) -> list[Asked]:
    """Ask a package about every patient, several at a time where there are several workers; in the table's order.

    What the table and copied images tell against the numbers to come is printed first. What an earlier start has kept in `out` is not asked again;
    who got no answer is.

    Raises:
        CohortError: A file cannot be read, or nobody gets an answer.
    """
    schema = predictor.package.manifest.ehr
    units = {feature.name: feature.unit for feature in cohort.description.features}
    unread = units.keys() - {feature.name for feature in schema.features}
    tell_errors(cohort.root, None, Console(stderr=True), unread)
    read = {feature.name: units[feature.name] for feature in schema.features if feature.name in units}
    with ExitStack() as stack:
        loader: Loader = load_case
        if workers > 1:
            loader = stack.enter_context(ImageWorkers(WorkerLimits(workers=workers)))
        threads = stack.enter_context(ThreadPoolExecutor(workers))
        kept = KeptAnswers(out, predictor.package.sha256)
        one = partial(_asked, predictor=predictor, loader=loader, units=read, kept=kept)
        asked = list(track(threads.map(one, count(1), cohort.cases), "Asking", total=len(cohort.cases)))
    if not any(each.outputs for each in asked):
        refused = ", ".join(f"{code} {count} times" for code, count in refusals(asked).items())
        raise CohortError(f"nobody got an answer: {refused}; `neurofuse inspect` shows how an image is read")
    return asked


def refusals(asked: Sequence[Asked]) -> dict[str, int]:
    """How many got no answer, by the code of the error."""
    return dict(sorted(Counter(each.refused for each in asked if each.refused).items()))


def _asked(
    place: int,
    case: Case,
    predictor: Predictor,
    loader: Loader,
    units: dict[str, str | None],
    kept: KeptAnswers,
) -> Asked:
    record = {
        name: value if units[name] is None else {"value": value, "unit": units[name]}
        for name, value in case.record.items()
        if name in units
    }
    try:
        key = kept.key(case.image, record)
        if known := kept.get(key):
            return Asked(case, known)
        answer = analyse(case.image, record, predictor, heatmap="none", loader=loader, voxels=False)
    except RequestError as error:
        return Asked(case, None, error.code)
    except OSError as error:
        raise CohortError(
            f"the files of patient {place} in the table cannot be read: {error.strerror or 'an error of reading'}; mend the disk, the file's rights or what "
            "is short, and begin again"
        ) from None
    return Asked(case, kept.add(key, answer.outputs))


def answers_of(asked: Sequence[Asked]) -> Answers:
    """The answers of those who got one, with what happened to them."""
    found = [(each.case, each.outputs) for each in asked if each.outputs]
    true = [case.true_probability for case, _ in found]
    return Answers(
        patient_id=tuple(case.patient_id for case, _ in found),
        label=np.array([case.label for case, _ in found], np.int64),
        probabilities=np.array([list(each.probabilities.values()) for _, each in found], np.float64),
        true_probability=np.array([np.nan if each is None else each for each in true], np.float64),
    )


def _judged(manifest: Manifest, cohort: Cohort, asked: Sequence[Asked]) -> Evaluation:
    answered = [(each.case, each.outputs) for each in asked if each.outputs is not None]
    cases, outputs = zip(*answered, strict=True)
    held = replace(cohort, cases=tuple(replace(case, split="test") for case in cases))
    given = answers_of(asked)
    found = judge_answers(f"{manifest.name}@{manifest.version}", given, fitted_of(manifest), held)
    flagged = float(np.mean([each.out_of_distribution.flagged for each in outputs]))
    return found.model_copy(
        update={
            "cohort_table": cohort_table(held, given.label, found.classes),
            "distance": Distance(threshold=manifest.out_of_distribution.threshold, flagged={"test": flagged}),
            "sets": found.sets
            if manifest.calibration.class_thresholds or not found.sets
            else found.sets.model_copy(update={"method": SHARED}),
            "external": External(
                title=manifest.title,
                training_data=manifest.training_data,
                intended_use=manifest.intended_use,
                stated=manifest.metrics,
                refused=refusals(asked),
                absent=_absent(manifest, cohort.description),
                abstained=float(np.mean([each.abstained for each in outputs])),
            ),
        }
    )


def fitted_of(manifest: Manifest) -> Fitted:
    """What the package promises, in the words of the evaluation; its scaling is inside its graph."""
    labels = [each.label for each in manifest.outputs.classes]
    own = manifest.calibration.class_thresholds
    cases = [own[label].n if own else manifest.calibration.n for label in labels]
    sets = ClassThresholds(
        manifest.calibration.thresholds(labels), tuple(cases), manifest.calibration.coverage
    )
    return Fitted(Scaling(1.0, 0.0), sets, OPERATING_POINT, None)


def _absent(manifest: Manifest, told: CohortDescription) -> tuple[str, ...]:
    own = {feature.name for feature in told.features}
    return tuple(feature.title for feature in manifest.ehr.features if feature.name not in own)
