"""MODEL_CARD.md from the numbers of one evaluation; nothing in it is typed by hand."""

from collections.abc import Sequence

from app.model_package.manifest import Manifest, Metric
from training.config import RunConfig

EXPLAINED = {
    "auroc": "AUROC of the reported event",
    "auroc_attainable": "AUROC of the true probability: the ceiling no model can pass on these cases",
    "auroc_share_of_attainable": "AUROC as a share of that ceiling",
    "auroc_image": "AUROC of the same network with the image alone",
    "auroc_record": "AUROC of the same network with the record alone",
    "auroc_gain_over_image": "paired gain in AUROC over image alone",
    "auroc_gain_over_record": "paired gain in AUROC over record alone",
    "brier": "Brier score",
    "calibration_slope": "calibration slope (ideal 1)",
    "calibration_in_the_large": "calibration in the large, logit (ideal 0)",
    "nll": "negative log-likelihood of the classes",
    "quadratic_weighted_kappa": "quadratic weighted kappa of the most likely class",
    "set_coverage": "share of prediction sets that hold the true class",
    "set_size": "mean number of classes in a prediction set",
    "heatmap_peak_in_mask": "share of cases whose heatmap peak lies in the guiding mask",
}
"""What each metric means, in the words of the card."""


def model_card(manifest: Manifest, config: RunConfig, counts: dict[str, int], epochs: dict[str, int]) -> str:
    """The card as Markdown.

    Args:
        manifest: Of the package (digests may still be empty).
        config: Of the run.
        counts: Patients of each split.
        epochs: Epochs that this network (`full`) and each rival were given.
    """
    sections = (
        f"# {manifest.title}",
        f"Package `{manifest.name}` version {manifest.version}, created {manifest.created:%Y-%m-%d}.",
        f"**Intended use.** {manifest.intended_use}",
        f"**Training data.** {manifest.training_data} Patients: "
        + ", ".join(f"{count} {split}" for split, count in counts.items())
        + ".",
        _method(config),
        "## Held-out results\n\n" + _metric_table(manifest.metrics) + "\n\n" + _epochs(epochs),
        _calibration(manifest),
        _limits(manifest),
    )
    return "\n\n".join(sections) + "\n"


def _metric_table(metrics: Sequence[Metric]) -> str:
    rows = [
        f"| {EXPLAINED.get(metric.name, metric.name)} | {metric.value:.3f} | {metric.low:.3f} to {metric.high:.3f} | {metric.n} |"
        for metric in metrics
    ]
    return "\n".join(
        ["| on the test split | value | 95 % interval (bootstrap) | n |", "|---|---|---|---|", *rows]
    )


def _epochs(epochs: dict[str, int]) -> str:
    return (
        "Epochs given to each network: "
        + ", ".join(f"{name} {count}" for name, count in epochs.items())
        + "."
    )


def _method(config: RunConfig) -> str:
    guidance = (
        f"The spatial gates were guided by masks during training (weight {config.guidance.weight:g}); "
        "the heatmap therefore shows what the gates were taught to find as well as what the outcome needs."
        if config.guidance.weight
        else "The spatial gates were trained on the outcome alone, without masks."
    )
    return (
        "## Method\n\nRecord-guided attention (MMA) and a multi-head gated multimodal unit (MH-GMU) on a 3D "
        f"{config.model.backbone.depth}, after the abstract of arXiv:2112.11710; the equations are this project's reading "
        f"of it (`docs/concepts/method.md`). {guidance} Seed {config.seed}."
    )


def _calibration(manifest: Manifest) -> str:
    fit = manifest.calibration
    numbers = ", ".join(f"{name} {value:.3f}" for name, value in fit.parameters.items())
    return (
        f"## Calibration and doubt\n\n{fit.method.capitalize()} scaling inside the graph ({numbers}), fitted on the validation "
        f"split. Prediction sets: a class enters at probability {fit.conformal_threshold:.3f} (split conformal, nominal coverage "
        f"{fit.coverage:.0%}, {fit.n} calibration cases). An image and record farther from training than "
        f"{manifest.out_of_distribution.threshold:.1%} of the calibration cases are flagged as out of distribution."
    )


def _limits(manifest: Manifest) -> str:
    return (
        "## Limits\n\n"
        "- The numbers above hold for cases drawn like the training data. They say nothing about patients of any hospital.\n"
        "- The heatmap is relative within one image (1 = its peak). It shows attention, not cause; a good overlap with a lesion "
        "is not evidence of a right reason.\n"
        "- The image share is a share of a mixture, not a causal importance.\n"
        f"- The record may be empty; fewest known features: {manifest.ehr.minimum_features}. Missing values are told to the "
        "network as missing, not imputed."
    )
