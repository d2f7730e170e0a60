"""How numbers and metrics are written: one name, one unit and one rounding for each, everywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.model_package.manifest import Metric
from training.evaluation.document import Evaluation

MINUS = "\N{MINUS SIGN}"
NBSP = "\N{NO-BREAK SPACE}"
SMALLEST_P = 0.001
TWO_DIGIT_P = 0.1


_AT_THE_ENDS = (
    "Of a share the interval is Wilson's, of an AUROC of 1 Newcombe's; of AUPRC, weighted kappa or ordinal MAE at its best it is what "
    "Wilson's leaves open, if patients not seen were told by chance. Where sensitivity or specificity is of none or all, balanced accuracy is as open as that share."
)
_NO_WIDTH = "Where few were judged, an interval without width means that they were too few to show any spread, not that it is certain."


def at_the_ends(evaluation: Evaluation) -> str:
    """How shares are given, and numbers of which no resample shows a spread (`training.evaluation.bootstrap.Bounded`); plain percentiles knew neither."""
    return f"{_AT_THE_ENDS} {_NO_WIDTH}" if evaluation.intervals == "expanded" else _NO_WIDTH


@dataclass(frozen=True)
class MetricWords:
    """What a metric is called.

    Attributes:
        short: In a table's head or an axis.
        long: In a sentence or the model card.
        percent: Written as a percentage.
    """

    short: str
    long: str
    percent: bool = False


METRICS = {
    "auroc": MetricWords("AUROC", "area under the ROC curve of the reported event"),
    "auprc": MetricWords("AUPRC", "area under the precision-recall curve of the reported event"),
    "auroc_attainable": MetricWords(
        "Attainable AUROC", "AUROC of the true probability: the ceiling no model can pass on these cases"
    ),
    "auroc_share_of_attainable": MetricWords("Share of attainable", "AUROC as a share of that ceiling"),
    "balanced_accuracy": MetricWords("Balanced accuracy", "mean of sensitivity and specificity"),
    "sensitivity": MetricWords("Sensitivity", "sensitivity at the threshold fixed beforehand"),
    "specificity": MetricWords("Specificity", "specificity at the threshold fixed beforehand"),
    "brier": MetricWords("Brier score", "Brier score"),
    "brier_skill": MetricWords("Brier skill", "Brier skill against the prevalence (0 no better, 1 perfect)"),
    "calibration_slope": MetricWords("Calibration slope", "calibration slope (ideal 1)"),
    "calibration_in_the_large": MetricWords(
        "Calibration in the large", "calibration in the large, logit (ideal 0)"
    ),
    "ece": MetricWords("ECE", "expected calibration error, 15 equal-mass bins (ideal: as by chance)"),
    "ece_by_chance": MetricWords(
        "ECE by chance",
        "ECE that a perfectly calibrated model with these forecasts would show on as many cases",
    ),
    "nll": MetricWords("NLL", "negative log-likelihood of the classes"),
    "quadratic_weighted_kappa": MetricWords(
        "Weighted kappa", "quadratic weighted kappa of the most likely class"
    ),
    "ordinal_mae": MetricWords(
        "Ordinal MAE", "mean distance of the most likely class from the true one, in classes"
    ),
    "ranked_probability_score": MetricWords("RPS", "ranked probability score (0 perfect)"),
    "set_coverage": MetricWords("Coverage", "share of prediction sets that hold the true class"),
    "set_full": MetricWords(
        "Full sets", "share of prediction sets that hold every class and so say nothing", percent=True
    ),
    "selective_risk": MetricWords(
        "Selective risk", "mean Brier score while the least sure are left out (area below the curve)"
    ),
    "set_size": MetricWords("Set size", "mean number of classes in a prediction set"),
    "heatmap_peak_in_mask": MetricWords(
        "Peak in mask", "share of cases whose heatmap peak lies in the guiding mask"
    ),
    "pointing": MetricWords(
        "Pointing game", "share of cases whose peak lies in the mask or one cell of the map beside it"
    ),
    "pointing_strict": MetricWords("Peak in mask", "share of cases whose peak lies in the mask itself"),
    "relevance_mass": MetricWords("Relevance mass", "share of the map's positive mass inside the mask"),
    "relevance_rank": MetricWords(
        "Relevance rank", "share of the mask found by as many top voxels as it has"
    ),
    "dice": MetricWords("Dice", "overlap with the mask at a threshold fixed on validation"),
    "deletion": MetricWords(
        "Deletion", "area under the answer while the most relevant voxels are removed (lower is better)"
    ),
    "insertion": MetricWords(
        "Insertion", "area under the answer while the most relevant voxels are given (higher is better)"
    ),
    "deletion_contralateral": MetricWords(
        "Deletion, other side", "as deletion, filled from the opposite side of the brain"
    ),
    "deletion_gain": MetricWords(
        "Deletion gain", "deletion area of a random order less that of the map (higher is better)"
    ),
    "map_correlation": MetricWords("Correlation", "correlation of the two maps"),
    "map_correlation_between_patients": MetricWords(
        "Correlation between patients", "correlation of the maps of two different patients, for comparison"
    ),
    "map_ssim_between_patients": MetricWords(
        "SSIM between patients", "structural similarity of the maps of two different patients, for comparison"
    ),
    "map_ssim": MetricWords("SSIM", "structural similarity of the two maps"),
    "peak_shift_mm": MetricWords("Peak shift, mm", "how far the peak moves, in mm"),
    "probability_change": MetricWords(
        "Probability change", "mean absolute change of the event's probability"
    ),
    "auroc_change": MetricWords("AUROC change", "paired change of AUROC to the undisturbed cases"),
    "flagged": MetricWords("Flagged", "share flagged as out of distribution", percent=True),
    "mean_change": MetricWords("Mean change", "mean absolute change of the event's probability"),
}
"""Every metric that `training.evaluation` writes; one that is not listed is shown by its own name."""


FAITHFULNESS = ("deletion", "deletion_contralateral", "insertion", "deletion_gain")
"""Of maps: what comes of the answer while voxels are removed, or given; a mask is not needed."""
MAP_METRICS = {
    "auprc": MetricWords(
        "AUPRC", "area under the precision-recall curve of the map's voxels against the mask"
    )
}
"""Names that mean something else where maps are held against masks."""

OF_RIVALS = (
    ("auroc_gain_over_", "Gain over", "paired gain in AUROC over"),
    ("auroc_", "AUROC of", "AUROC on the same cases of the rival"),
)
RIVALS = {"image": "image alone", "record": "record alone"}
GAIN_AT = "net_benefit_gain_at_"


def metric_words(name: str) -> MetricWords:
    """Words for a metric; an unknown name is spelled with spaces."""
    if name.startswith(GAIN_AT):
        threshold = f"{name.removeprefix(GAIN_AT)} %"
        return MetricWords(
            f"Gain at {threshold}", f"net benefit over the better of treating all and none at {threshold}"
        )
    for prefix, short, long in OF_RIVALS:
        if name.startswith(prefix) and name not in METRICS:
            rival = RIVALS.get(name.removeprefix(prefix), name.removeprefix(prefix))
            return MetricWords(f"{short} {rival}", f"{long} {rival}")
    spelled = name.replace("_", " ")
    return METRICS.get(name, MetricWords(sentence(spelled), spelled))


def sentence(text: str) -> str:
    """The text with a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]


def clipped(text: str, longest: int) -> str:
    """A label that fits a plot; what is cut off ends in an ellipsis, and the tables have it in full."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def most(metrics: Sequence[Metric]) -> int:
    """How many cases numbers are of that need not all be of the same."""
    return max((each.n for each in metrics), default=0)


def glossary(names: Sequence[str], own: Mapping[str, MetricWords] | None = None) -> str:
    """What the columns of a table mean, as its note; a name that says it all is left out."""
    found = [(own or {}).get(name) or metric_words(name) for name in names]
    return (
        "; ".join(f"{each.short}: {each.long}" for each in found if each.short.lower() != each.long.lower())
        + "."
    )


def decimal(value: float, digits: int = 3) -> str:
    """A number with a true minus sign; nothing is written as minus zero."""
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def interval(low: float, high: float, digits: int = 3) -> str:
    """`0.82 to 0.88`, unbroken: "to", because a dash beside a minus sign misleads."""
    return f"{decimal(low, digits)}{NBSP}to{NBSP}{decimal(high, digits)}"


def estimate(metric: Metric, digits: int = 3) -> str:
    """`0.857 (0.827 to 0.885)`."""
    return f"{decimal(metric.value, digits)} ({interval(metric.low, metric.high, digits)})"


def percent(value: float, digits: int = 1) -> str:
    """`94.8 %`, with a space that does not break."""
    return f"{decimal(100 * value, digits)}{NBSP}%"


def percent_estimate(metric: Metric) -> str:
    """`90.7 % (88.5 to 92.9)`."""
    return f"{percent(metric.value)} ({interval(100 * metric.low, 100 * metric.high, 1)})"


def p_value(p: float) -> str:
    """As journals print it: `<0.001`, `0.004`, `0.03`, `0.41`."""
    if p < SMALLEST_P:
        return f"<{SMALLEST_P}"
    digits = 3 if p < TWO_DIGIT_P / 10 else 2
    return f"{p:.{digits}f}"


def find(metrics: tuple[Metric, ...], name: str) -> Metric | None:
    """The metric of a name, where it was measured."""
    return next((metric for metric in metrics if metric.name == name), None)


def listed(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) <= 1:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
