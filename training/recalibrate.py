"""A package brought to another cohort without training: its network stays, what is fitted after training is fitted anew (model updating).

The logits get a new slope and intercept (logistic recalibration; Van Calster et al. 2019, doi:10.1186/s12916-019-1466-7, and for grades the same on every cut),
prediction sets come from other patients of that cohort, and numbers from others again, which nothing was fitted to. What counts as unlike training stays
as it was, since the network knows no more than before. The result is a new version of the package, which says so.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Float64

from app.errors import GoldenMismatchError
from app.inference.calibration import OutOfDistributionScorer
from app.inference.onnx_runtime.session import OnnxSession
from app.inference.predictor import Predictor
from app.inference.self_test import make_golden_case, self_test
from app.model_package.golden import read_golden_case
from app.model_package.manifest import Calibration, ClassThreshold, Manifest
from app.model_package.naming import Reference
from app.model_package.package import (
    CARD,
    GOLDEN_CASE,
    MODEL,
    Package,
    seal,
)
from app.model_package.store import ModelStore
from app.model_package.training_summary import TRAINING_SUMMARY, load_training_summary
from training.calibrate import Scaling, fit_scaling
from training.cohort import Case, Cohort, CohortError, Split
from training.evaluation.answers import answers, scaled_probabilities
from training.evaluation.comparison import Planned, Rows
from training.evaluation.distance import Distances
from training.evaluation.document import Distance, Evaluation
from training.evaluation.fitted import Fitted
from training.evaluation.judge import judge_answers
from training.evaluation.sets import fit_thresholds
from training.export import INTENDED_USE
from training.outcomes import event_from
from training.packaging.graph_scaling import INTERCEPT, SLOPE, rescale
from training.packaging.model_card import recalibrated_card
from training.packaging.summary import abstained, scores
from training.predictions import Predictions
from training.splits.saved import save_splits
from training.splits.shares import deal
from training.validate import (
    OPERATING_POINT,
    Asked,
    answers_of,
    ask_everyone,
    fitted_of,
    opened_for,
    require_own_folder,
)

SHARES: Final[Mapping[Split, float]] = {"validation": 0.3, "calibration": 0.35, "test": 0.35}
SHARES_UNTESTED: Final[Mapping[Split, float]] = {"validation": 0.45, "calibration": 0.55}
"""Where rows of the table name the test split: it was chosen, and nobody else is dealt into it."""
INTERCEPT_SD: Final = 1.0
"""How far the log odds of another hospital are expected from those of training, before its patients are seen: few patients change little."""
LOG_SLOPE_SD: Final = 0.5
"""The same of the slope's logarithm, for two thirds of hospitals within 0.6 to 1.65: half of what is expected of a network that was never scaled."""
FEWEST: Final = 10
"""Events, and non-events, below which two numbers cannot be fitted, no set be promised, and nothing be judged."""
UNCHANGED: Final = Scaling(1.0, 0.0)
NO_BETTER_THAN_CHANCE: Final = 0.5
CLIP: Final = 1e-6


@dataclass(frozen=True)
class Recalibrated:
    """A new version, and what it changed on patients that nothing was fitted to.

    Attributes:
        package: The new version, published.
        before: The old version on these patients.
        after: The new one on the same.
    """

    package: Package
    before: Evaluation
    after: Evaluation


def recalibrate_package(  # noqa: PLR0913 - what the command takes
    package_folder: Path,
    cohort_folder: Path,
    store: ModelStore,
    version: int,
    out: Path,
    *,
    workers: int = 1,
    seed: int = 1,
) -> Recalibrated:
    """Fit a package's calibration and sets to a cohort, and publish that as a new version.

    Args:
        package_folder: The old version.
        cohort_folder: A cohort, as for training. Rows that name the split validation (for slope and intercept), calibration (for the sets) or test
            keep it, the others are dealt; where rows name the test split, nobody else is dealt into it, and none may name training.
        store: Where the new version goes.
        version: Its number.
        out: Folder for the answers of the old version, as they come, and for who fitted and who judged, which stay also where no version is published.
        workers: Processes that read images; 1 reads in this one.
        seed: Decides the deal.

    Raises:
        PackageInvalidError: The package is broken.
        PackageExistsError: The version is taken.
        CohortError: As `validate_package`; or there are too few patients, the package was not exported by this program, `out` is another's, or the new
            version would be no better.
        GoldenMismatchError: The new package does not answer as the old one and the new scaling say; nothing is published.
    """
    require_own_folder(out)
    predictor, cohort = opened_for(package_folder, cohort_folder)
    old = predictor.package
    require_own_folder(told := deal_folder(out, old.manifest.name, version))
    _refuse_phantoms(old, cohort)
    # All that can be refused is, before the hours of reading.
    store.refuse_taken(Reference(old.manifest.name, version))
    if version == old.manifest.version:
        raise CohortError(
            f"expected another --version than the package's own, found {version}, also for another store: name and number tell whose answer it is; give another"
        )
    _require_enough(cohort.cases, _dealt(cohort.cases, seed), len(old.manifest.outputs.classes))
    with store.staging() as folder:
        rescale(Path(shutil.copyfile(old.model_path, folder / MODEL)), UNCHANGED)
    asked = ask_everyone(predictor, cohort, workers, out)
    held = dealt(cohort, asked, seed)
    how = f"recalibration of {old.manifest.name}@{old.manifest.version}"
    save_splits(held, how, seed, told)
    return recalibrate(old, held, asked, store, version)


def deal_folder(out: Path, name: str, version: int) -> Path:
    """Where it is told who fitted a version and who judged it, so that the next one does not take its place."""
    return out / f"{name}-{version}"


def dealt(cohort: Cohort, asked: Sequence[Asked], seed: int) -> Cohort:
    """Those who got an answer, each in a split."""
    answered = [each.case for each in asked if each.outputs]
    split = _dealt(answered, seed)
    return replace(cohort, cases=tuple(replace(case, split=split[case.patient_id]) for case in answered))


def recalibrate(
    old: Package, held: Cohort, asked: Sequence[Asked], store: ModelStore, version: int
) -> Recalibrated:
    """The same, from what the package has answered to patients who are `dealt`."""
    _refuse_phantoms(old, held)
    split: dict[str, Split] = {case.patient_id: case.split for case in held.cases if case.split}
    _require_enough(held.cases, split, len(old.manifest.outputs.classes))
    given = _as_predictions(asked, split)
    fitted = _fit(given, old)
    flagged = Distance(
        threshold=old.manifest.out_of_distribution.threshold, flagged={"test": _flagged(asked, split)}
    )
    names = tuple(f"{old.manifest.name}@{number}" for number in (old.manifest.version, version))
    told = tuple(
        (which, answers(given, which.scaling, "test")) for which in (fitted_of(old.manifest), fitted)
    )
    compared = Rows({name: [own] for name, (_, own) in zip(names, told, strict=True)}).compare(
        [Planned(names[1], names[0], "nll")]
    )
    before, after = (
        judge_answers(name, own, which, held).model_copy(
            update={"distance": flagged, "comparisons": compared}
        )
        for name, (which, own) in zip(names, told, strict=True)
    )
    _require_better(before, after)
    manifest = _manifest(old.manifest, version, fitted, after, given)
    return Recalibrated(_published(old, manifest, store, fitted, (before, after), given), before, after)


def _as_predictions(asked: Sequence[Asked], split: Mapping[str, Split]) -> Predictions:
    """What a package answered, with the logits of its calibrated probabilities.

    Args:
        asked: Patients with an answer.
        split: Of each, by pseudonym.
    """
    told, outputs = answers_of(asked), [each.outputs for each in asked if each.outputs]
    return Predictions(
        patient_id=told.patient_id,
        split=tuple(split[patient] for patient in told.patient_id),
        label=told.label,
        logits=cut_logits(told.probabilities).astype(np.float32),
        embedding=np.stack([each.embedding for each in outputs]),
        image_share=np.array([[each.image_share] for each in outputs], np.float32),
        true_probability=told.true_probability,
    )


def cut_logits(probabilities: Float64[np.ndarray, "N K"]) -> Float64[np.ndarray, "N L"]:
    """The logits of which `class_probabilities` makes these: log odds of passing each cut, given the one before was passed (L = K - 1)."""
    reached = probabilities[:, ::-1].cumsum(axis=1)[:, ::-1]
    passed = np.clip(reached[:, 1:] / np.maximum(reached[:, :-1], CLIP), CLIP, 1 - CLIP)
    logits: Float64[np.ndarray, "N L"] = np.log(passed / (1 - passed))
    return logits


def _refuse_phantoms(old: Package, cohort: Cohort) -> None:
    if cohort.description.of_phantoms and old.manifest.intended_use != INTENDED_USE[True]:
        raise CohortError(
            "expected patients for a package of patients, found phantoms, whose numbers would stand in its manifest; give a cohort of patients"
        )


def _dealt(cases: Sequence[Case], seed: int) -> dict[str, Split]:
    """Rows keep the split they name; the others are dealt."""
    kept: dict[str, Split] = {case.patient_id: case.split for case in cases if case.split}
    if "train" in kept.values():
        raise CohortError(
            "expected no row of the split train, since the package may have been trained on it, found some; take these rows out, or empty their cells "
            "where it was not"
        )
    shares = SHARES_UNTESTED if "test" in kept.values() else SHARES
    return kept | deal([case for case in cases if case.patient_id not in kept], shares, seed)


def _require_enough(cases: Sequence[Case], split: Mapping[str, Split], classes: int) -> None:
    """Events and non-events to fit, to promise and to judge."""
    for name in SHARES:
        happened = [case.label >= event_from(classes) for case in cases if split[case.patient_id] == name]
        events, others = sum(happened), len(happened) - sum(happened)
        if min(events, others) < FEWEST:
            raise CohortError(
                f"expected at least {FEWEST} patients with the event and as many without in the split {name}, found {events} and {others}; add patients, or "
                "deal them otherwise by the column split"
            )


def _fit(given: Predictions, old: Package) -> Fitted:
    """Relative to the package's own calibration, which these logits hold; the distance is the old one."""
    validation = given.part("validation")
    scaling = fit_scaling(
        torch.from_numpy(validation.logits),
        torch.from_numpy(validation.label),
        intercept_sd=INTERCEPT_SD,
        log_slope_sd=LOG_SLOPE_SD,
    )
    held = answers(given, scaling, "calibration")
    known = OutOfDistributionScorer.from_package(old)
    return Fitted(
        scaling=scaling,
        sets=fit_thresholds(held.probabilities, held.label, old.manifest.calibration.coverage),
        operating_point=OPERATING_POINT,
        distances=Distances(known.mean, known.precision, known.quantiles),
    )


def _flagged(asked: Sequence[Asked], split: Mapping[str, Split]) -> float:
    """Share of the judged patients who are unlike those of training; recalibration changes nothing about that."""
    told = [each.outputs for each in asked if each.outputs and split[each.case.patient_id] == "test"]
    return float(np.mean([each.out_of_distribution.flagged for each in told]))


def _require_better(before: Evaluation, after: Evaluation) -> None:
    """What does not tell patients apart, or holds as it is, is left as it is.

    Raises:
        CohortError: An AUROC of 0.5 lies in the interval, or the likelihood of what happened has not risen.
    """
    found, earlier = ({each.name: each for each in one.metrics} for one in (after, before))
    area = found.get("auroc")
    if area is None or area.low <= NO_BETTER_THAN_CHANCE:
        told = f"{area.value:.3f} ({area.low:.2f} to {area.high:.2f})" if area else "none"
        raise CohortError(
            f"expected patients who are told apart, found an AUROC of {told}, where no recalibration helps if it is {NO_BETTER_THAN_CHANCE}; add patients, or "
            "train on this cohort"
        )
    if found["nll"].value >= earlier["nll"].value:
        raise CohortError(
            "expected probabilities that fit the judged patients better, found a negative log-likelihood of "
            f"{found['nll'].value:.3f} after {earlier['nll'].value:.3f}; serve the version as it is, or add patients; nothing is published"
        )


def _manifest(old: Manifest, version: int, fitted: Fitted, after: Evaluation, given: Predictions) -> Manifest:
    labels = [each.label for each in old.outputs.classes]
    counts = {split: len(given.part(split)) for split in SHARES}
    relative = fitted.scaling
    slope, intercept = (
        old.calibration.parameters.get(name, default) for name, default in ((SLOPE, 1.0), (INTERCEPT, 0.0))
    )
    told = (
        f"{old.training_data.rstrip('.')}. Recalibrated from version {old.version} on {counts['validation'] + counts['calibration']} other cases, and judged "
        f"on {counts['test']}: {after.source}"
    )
    return old.model_copy(
        update={
            "version": version,
            "created": datetime.now(UTC).replace(microsecond=0),
            "training_data": told,
            "calibration": Calibration(
                method="platt",
                parameters={
                    SLOPE: slope * relative.slope,
                    INTERCEPT: intercept * relative.slope + relative.intercept,
                },
                class_thresholds={
                    label: ClassThreshold(threshold=threshold, n=n)
                    for label, threshold, n in zip(
                        labels, fitted.sets.thresholds, fitted.sets.cases, strict=True
                    )
                },
                coverage=fitted.sets.coverage,
                n=sum(fitted.sets.cases),
            ),
            "metrics": after.metrics,
            "sha256": {},
        }
    )


def _published(
    old: Package,
    manifest: Manifest,
    store: ModelStore,
    fitted: Fitted,
    judged: tuple[Evaluation, Evaluation],
    given: Predictions,
) -> Package:
    with store.staging() as folder:
        for name in old.manifest.sha256:  # contents alone: the old package may lie where nobody may write
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(old.path / name, folder / name)
        rescale(folder / MODEL, fitted.scaling)
        _summarise(old, folder, fitted, given)
        card = (old.path / CARD).read_text(encoding="utf-8")
        (folder / CARD).write_text(
            recalibrated_card(manifest, card, *judged, {split: len(given.part(split)) for split in SHARES}),
            encoding="utf-8",
        )
        golden = read_golden_case(old)
        earlier = make_golden_case(
            Predictor(old, OnnxSession(old)), golden.images, golden.record, golden.tolerance
        )
        predictor = Predictor(package := seal(folder, manifest), OnnxSession(package))
        case = make_golden_case(predictor, golden.images, golden.record, golden.tolerance)
        _check_parity(earlier.probabilities, case.probabilities, fitted.scaling, golden.tolerance)
        (folder / GOLDEN_CASE).write_text(case.model_dump_json(indent=2) + "\n", encoding="utf-8")
        self_test(Predictor(package := seal(folder, manifest), OnnxSession(package)))
        return store.publish(folder)


def _summarise(old: Package, folder: Path, fitted: Fitted, given: Predictions) -> None:
    """What the service holds its own answers against, from the patients of the calibration split; what training was like stays."""
    summary = load_training_summary(old)
    if summary is None:
        return
    labels = [each.label for each in old.manifest.outputs.classes]
    held = answers(given, fitted.scaling, "calibration")
    told = scores(held, given.part("calibration"), labels)
    changed = summary.model_copy(
        update={
            "distributions": (*(each for each in summary.distributions if each.kind != "score"), *told),
            "shares": (
                *(each for each in summary.shares if each.kind != "answer"),
                abstained(held, given, fitted),
            ),
        }
    )
    (folder / TRAINING_SUMMARY).write_text(changed.model_dump_json(indent=1) + "\n", encoding="utf-8")


def _check_parity(
    before: Mapping[str, float], after: Mapping[str, float], relative: Scaling, allowed: float
) -> None:
    """The golden case, by the changed graph and by arithmetic on the old answer."""
    logits = cut_logits(np.array([list(before.values())])).astype(np.float32)
    expected = scaled_probabilities(logits, relative)[0]
    if not np.abs(expected - np.array(list(after.values()))).max() <= allowed:
        raise GoldenMismatchError(
            f"expected the changed graph to answer as the old one with slope {relative.slope:.3f} and intercept {relative.intercept:.3f}, found another answer"
        )
