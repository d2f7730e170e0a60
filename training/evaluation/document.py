"""`evaluation.json`: everything a run's evaluation found, in one typed document.

`training.evaluate` fills it, `training.report`, the model card and `training.export` read it; nothing else computes a number.
Sections are None where they do not apply (no masks, no gates, no rivals), never filled with a guess.
"""

from pathlib import Path
from typing import Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.model_package.manifest import Metric
from training.cohort import CohortError
from training.files.whole_files import write_whole

EVALUATION_FILE = "evaluation.json"
Judged = TypeVar("Judged", bound=BaseModel)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Curve(_Frozen):
    """A line in a plot, with a band where `low` and `high` are not empty."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


class Discrimination(_Frozen):
    """ROC and precision-recall of the event, and the confusion matrix of the classes.

    Attributes:
        roc: False positive rate to true positive rate.
        precision_recall: Recall to precision.
        confusion: [true class][most likely class] counts.
        threshold: Probability of the event at which sensitivity and specificity are given; fixed on validation.
    """

    roc: Curve
    precision_recall: Curve
    confusion: tuple[tuple[int, ...], ...]
    threshold: float


class Calibration(_Frozen):
    """Agreement of probability and frequency of the event.

    Attributes:
        curve: Predicted probability to observed frequency (flexible, with 95 % band).
        bins: Mean predicted probability to observed frequency in equal-mass bins.
        counts: Patients in each bin of width 0.05 of the predicted probability, for the histogram below the curve.
    """

    curve: Curve
    bins: Curve
    counts: tuple[int, ...]


class DecisionCurve(_Frozen):
    """Net benefit over threshold probability (Vickers and Elkin 2006).

    Attributes:
        strategies: Curves of `model`, `all`, `none`, and of rivals by their names.
        gains: `net_benefit_gain_at_30` and so on: the model less the better of `all` and `none`, at stated thresholds in percent.
    """

    strategies: dict[str, Curve]
    gains: tuple[Metric, ...] = ()


class Group(_Frozen):
    """Numbers of some of the patients.

    Attributes:
        variable: What the group is by, such as `sex`, or `class`.
        level: Its value, in words.
        n: Patients.
        events: Of them with the event.
        too_few: Fewer than 10 events or non-events: metrics are then empty.
        metrics: By name.
    """

    variable: str
    level: str
    n: int
    events: int
    too_few: bool
    metrics: tuple[Metric, ...]


class Resplits(_Frozen):
    """The sets made anew, over random deals of the calibration and the test patients.

    Attributes:
        draws: Deals.
        calibration: Patients that calibrate in each deal, as many as in the run.
        judged: Patients that are judged in each.
        groups: Everyone (`all`) and each true class; n counts both parts. Of `set_coverage` and `set_size` the mean over the
            deals, and the range of 95 % of them.
    """

    draws: int
    calibration: int
    judged: int
    groups: tuple[Group, ...]


class PredictionSets(_Frozen):
    """Split conformal sets.

    Attributes:
        nominal: Coverage promised.
        method: In words, as the card says it.
        metrics: `set_coverage`, `set_size`, `set_full` (share of sets that hold every class).
        groups: Coverage and size per true class and per subgroup.
        resplits: Whether the procedure holds, and not this calibration split alone; None in a document that predates it.
    """

    nominal: float
    method: str
    metrics: tuple[Metric, ...]
    groups: tuple[Group, ...]
    resplits: Resplits | None = None


class Comparison(_Frozen):
    """One row of the model table against another on the same patients, paired.

    Attributes:
        row: Name of the model.
        against: Name of the other.
        metric: What differs, such as `auroc`.
        difference: row - against, with its 95 % interval.
        p: Two-sided, unadjusted.
        p_holm: After Holm's correction over the planned comparisons of the document.
    """

    row: str
    against: str
    metric: str
    difference: Metric
    p: float
    p_holm: float


class Selective(_Frozen):
    """Risk when the least sure are left out: share answered to error (Brier) among the answered."""

    risk: Curve


class Distance(_Frozen):
    """Out-of-distribution score: share flagged per set of cases (`test`, and shifted copies of it), with the threshold."""

    threshold: float
    flagged: dict[str, float]


class HeatmapMethod(_Frozen):
    """One map (ours, record effect, Grad-CAM, centre Gaussian, ...) held against the masks.

    Attributes:
        name: In words.
        metrics: Those that apply, of: `pointing` (peak in the mask or within one voxel of the served map of it),
            `pointing_strict` (peak in the mask), `relevance_mass`, `relevance_rank`, `auprc`, `dice`; and without any mask
            `deletion`, `insertion`, `deletion_contralateral`, `deletion_gain` (random order's deletion area less this map's).
        dice_threshold: Share of the map's maximum at which `dice` is taken, fixed on validation; None without `dice`.
    """

    name: str
    metrics: tuple[Metric, ...]
    dice_threshold: float | None = None


class Heatmaps(_Frozen):
    """Do the maps point at the masks, and does the answer depend on where they point?

    Attributes:
        n: Cases with a mask; 0 in a cohort without masks, where only what needs none is filled.
        chance: Mean share of the head that the mask fills; None without masks.
        methods: Compared maps.
        randomisation: Layers randomised, from the head backwards, to similarity (SSIM) with the trained map.
        randomisation_rank: The same with Spearman's rank correlation as the similarity.
        randomised: What was randomised at each step, in the order of the curves' points; the first is `nothing`.
        record_swap: Metrics of the map before and after another patient's record is given: `map_correlation`,
            `map_ssim`, `peak_shift_mm`, `probability_change`.
        repeatability: Metrics of this run's maps against a second run's with another seed; empty without one.
    """

    n: int
    chance: float | None
    methods: tuple[HeatmapMethod, ...]
    randomisation: Curve | None
    randomised: tuple[str, ...]
    record_swap: tuple[Metric, ...]
    randomisation_rank: Curve | None = None
    repeatability: tuple[Metric, ...] = ()


class Disturbance(_Frozen):
    """The test patients disturbed on purpose (noise, spacing, tilt, record fields removed).

    Attributes:
        kind: In words.
        level: How much, with its unit; empty for the undisturbed line.
        metrics: `auroc`, `nll`, `calibration_slope`, `mean_change` (mean absolute change of the event's probability),
            `auroc_change` (paired, to the undisturbed line), `flagged` (share called out of distribution).
    """

    kind: str
    level: str
    metrics: tuple[Metric, ...]


class Characteristic(_Frozen):
    """A line of the cohort table: one variable in every split, as words ready to print (`62.1 (11.8)`, `41 %`)."""

    variable: str
    unit: str
    by_split: dict[str, str]


class Example(_Frozen):
    """A patient in the heatmap gallery.

    Attributes:
        kind: `best`, `median` or `worst` (by log-likelihood of the true class).
        picture: PNG in the run's folder: key slices with the heatmap and the mask's outline.
        outcome: True class, in words.
        probability: Given to the true class.
        caption: What a reader should know.
    """

    kind: str
    picture: str
    outcome: str
    probability: float
    caption: str


class External(_Frozen):
    """A package, judged on patients of another cohort (`training.validate`).

    Attributes:
        title: What it answers, in its own words. Untrusted text, as are the next two.
        training_data: What it was trained on.
        intended_use: What it is for.
        stated: Held-out numbers of its manifest.
        refused: Patients who got no answer, by the code of the error.
        absent: Titles of features that it reads and the cohort does not have.
        abstained: Share of the answers that the package itself advises not to rely on.
    """

    title: str
    training_data: str
    intended_use: str
    stated: tuple[Metric, ...]
    refused: dict[str, int]
    absent: tuple[str, ...]
    abstained: float


class Evaluation(_Frozen):
    """One run, or one package on another cohort, judged.

    Attributes:
        row: Its row in the model table; of a package its name and version, `gos@2`.
        task: `gos` or `ad`.
        counts: Patients of each split.
        epochs: Given to this network (`model`; `full` in a document that predates the name) and to each rival.
        metrics: Headline numbers, as they go into the manifest.
        split: How the patients were dealt, such as `test from 2021-01-01`; empty where the run does not say. Untrusted text.
        source: Where the patients come from, in the cohort's own words; `phantoms` where there are none. Untrusted text.
        classes: Titles of the outcome's classes, in order.
        events: Patients of each split with the event.
        intervals: How they were made: plain percentiles of the resamples in a document that does not say.
        external: Of a package on another cohort; all patients are then of the split `test`.
    """

    row: str
    task: str
    event: str
    counts: dict[str, int]
    epochs: dict[str, int]
    metrics: tuple[Metric, ...]
    source: str = ""
    split: str = ""
    classes: tuple[str, ...] = ()
    events: dict[str, int] = Field(default_factory=dict)
    intervals: Literal["percentile", "expanded"] = "percentile"
    external: External | None = None
    cohort_table: tuple[Characteristic, ...] = ()
    discrimination: Discrimination | None = None
    calibration: Calibration | None = None
    decision: DecisionCurve | None = None
    sets: PredictionSets | None = None
    comparisons: tuple[Comparison, ...] = ()
    subgroups: tuple[Group, ...] = ()
    selective: Selective | None = None
    distance: Distance | None = None
    heatmaps: Heatmaps | None = None
    robustness: tuple[Disturbance, ...] = ()
    examples: tuple[Example, ...] = ()


AT_A_THRESHOLD: Final = frozenset({"sensitivity", "specificity", "balanced_accuracy"})


def stated_beside(evaluation: Evaluation) -> dict[str, Metric]:
    """What a package states of its own held-out patients, by name, of the numbers found on others; not those at another threshold."""
    if evaluation.external is None:
        return {}
    found = {metric.name for metric in evaluation.metrics} - AT_A_THRESHOLD
    return {metric.name: metric for metric in evaluation.external.stated if metric.name in found}


def save_evaluation(evaluation: Evaluation, run: Path) -> Path:
    """Write `evaluation.json` into a run's folder, atomically."""
    return write_whole(run / EVALUATION_FILE, evaluation.model_dump_json(indent=2) + "\n")


def load_evaluation(run: Path) -> Evaluation:
    """Read what `save_evaluation` wrote; errors as of `as_written`."""
    return as_written(Evaluation, run / EVALUATION_FILE)


def as_written(kind: type[Judged], file: Path) -> Judged:
    """Read a document that an evaluation wrote.

    Raises:
        CohortError: Another release wrote it, or it is damaged.
    """
    try:
        return kind.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise CohortError(
            f"expected {file.name} as this release writes it, found another, such as an earlier release's; run `python -m training evaluate` again, "
            "or `validate` where that wrote it"
        ) from error
