"""MODEL_CARD.md from the numbers of one evaluation; nothing in it is typed by hand.

Plain Markdown of headings, paragraphs, lists and tables, since the service shows it as it is. A cohort's own words are stripped of
everything that Markdown or HTML would act on.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from app.model_package.manifest import Manifest, Metric
from training.cohort_description import PHANTOMS
from training.config import RunConfig
from training.evaluation.document import Evaluation, Group, Resplits
from training.names import Precision
from training.report.words import (
    FAITHFULNESS,
    at_the_ends,
    decimal,
    estimate,
    find,
    metric_words,
    most,
    p_value,
    percent,
    sentence,
)

SUBGROUP_METRICS = ("auroc", "calibration_slope", "brier")
MAP_METRICS = ("pointing_strict", "relevance_mass", "pointing", "deletion", "insertion")
CARE_LIMITATION = (
    "- Outcome models of intracerebral haemorrhage are biased by care limitation: patients whose care was withdrawn could not "
    "recover. Never use the answer to decide on withdrawal."
)


HALF_LIMITATION = (
    "- The numbers above were measured in float32; this graph computes in float16. Of its golden case no probability differs by more than 0.002; "
    "of other cases one may."
)


def model_card(
    manifest: Manifest, config: RunConfig, evaluation: Evaluation, precision: Precision = "float32"
) -> str:
    """The card as Markdown.

    Args:
        manifest: Of the package (digests may still be empty).
        config: Of the run.
        evaluation: Of the run.
        precision: Of the graph.
    """
    sections = (
        f"# {manifest.title}",
        f"Package `{manifest.name}` version {manifest.version}, created {manifest.created:%Y-%m-%d}.",
        f"**Intended use.** {plain(manifest.intended_use)}",
        f"**Training data.** {plain(manifest.training_data).rstrip('.')}. Cases: {_counts(evaluation)}."
        + (f" Split: {plain(evaluation.split)}." if evaluation.split else ""),
        _method(config),
        _results(evaluation),
        _comparisons(evaluation),
        _calibration(manifest, evaluation),
        _sets(evaluation),
        _subgroups(evaluation),
        _distance(manifest, evaluation),
        _heatmaps(evaluation),
        _robustness(evaluation),
        _limits(manifest, evaluation, precision),
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def recalibrated_card(
    manifest: Manifest, old: str, before: Evaluation, after: Evaluation, counts: Mapping[str, int]
) -> str:
    """The card of a package that was recalibrated, above the card of the version it comes from.

    Args:
        manifest: Of the new version (digests may still be empty).
        old: Card of the old version.
        before: The old version on the patients that nothing was fitted to.
        after: The new one on the same.
        counts: Patients of each split.
    """
    fitted, earlier = manifest.calibration.parameters, {each.name: each for each in before.metrics}
    rows = [
        (sentence(metric_words(each.name).long), estimate(earlier[each.name]), estimate(each), str(each.n))
        for each in after.metrics
        if each.name in earlier
    ]
    sections = (
        f"# {manifest.title}",
        f"Package `{manifest.name}` version {manifest.version}, recalibrated {manifest.created:%Y-%m-%d}.",
        f"**Intended use.** {plain(manifest.intended_use)}",
        f"**Training data.** {plain(manifest.training_data).rstrip('.')}.",
        "## Recalibration\n\nThe network is that of the version below, and so are its heatmaps. Slope and intercept of its logits (now "
        f"{decimal(fitted['slope'])} and {decimal(fitted['intercept'])}) were fitted to {counts['validation']} cases, prediction sets to {counts['calibration']} others; "
        f"what follows was measured on {counts['test']} that nothing was fitted to. The event is: {plain(after.event)}.",
        _table(("on the held-out cases", "before (95 % interval)", "recalibrated", "n"), rows),
        f"{at_the_ends(after)} Sensitivity and specificity are at a probability of 0.5.",
        *(likelihood_changed(each.difference) for each in after.comparisons),
        _promise(manifest, after),
        _sets(after),
        _unlike(after),
        _subgroups(after),
        "## The version it comes from\n\nNumbers below are of other patients, and of probabilities and sets as they were before.",
        # No heading of Markdown is deeper than six.
        re.sub(
            r"^(#+) ", lambda found: "#" * min(6, len(found[1]) + 2) + " ", old, flags=re.MULTILINE
        ).strip(),
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def likelihood_changed(difference: Metric) -> str:
    """What recalibration gained on the patients that judged it, in words.

    Args:
        difference: Of the negative log-likelihood, recalibrated less before, on the same patients.
    """
    shown = (
        "so what happens to such patients is likelier under it than before."
        if difference.high < 0
        else "which holds 0: these patients are too few, or too little changed, to show that it is better than before."
    )
    return f"Negative log-likelihood, recalibrated less before: {estimate(difference)}, {shown}"


def _promise(manifest: Manifest, evaluation: Evaluation) -> str:
    own = manifest.calibration.class_thresholds
    if evaluation.sets is None or own is None:
        return ""
    each = [
        f"{plain(c.title)} {decimal(own[c.label].threshold)} ({own[c.label].n} cases)"
        for c in manifest.outputs.classes
    ]
    return (
        f"Prediction sets: {evaluation.sets.method}. Least probability with which a class enters, and calibration cases of it: "
        f"{', '.join(each)}."
    )


def _unlike(evaluation: Evaluation) -> str:
    if evaluation.distance is None:
        return ""
    share = percent(evaluation.distance.flagged["test"])
    return (
        f"Of these cases {share} count as unlike those of training, before as after: recalibration changes nothing about that. Where that share is "
        "large, the numbers above say little of such cases."
    )


def plain(text: str) -> str:
    """A cohort's words on one line, without characters that could become markup or split a table."""
    return re.sub(r"\s+", " ", re.sub(r"[*`<>\[\]]", "", text).replace("|", "/")).strip()


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [" | ".join(row) for row in rows]
    return "\n".join(
        [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {line} |" for line in lines)]
    )


def _counts(evaluation: Evaluation) -> str:
    return ", ".join(
        f"{count} {split}"
        + (f" ({evaluation.events[split]} with the event)" if split in evaluation.events else "")
        for split, count in evaluation.counts.items()
    )


def _method(config: RunConfig) -> str:
    guidance = (
        f"The spatial gates were guided by masks during training (weight {config.guidance.weight:g}); "
        "the heatmap therefore shows what the gates were taught to find as well as what the outcome needs."
        if config.guided
        else "The spatial gates were trained on the outcome alone, without masks."
    )
    return (
        "## Method\n\nRecord-guided attention (MMA) and a multi-head gated multimodal unit (MH-GMU) on a "
        f"{config.model.backbone.spatial_dims}D {config.model.backbone.depth}, after the abstract of arXiv:2112.11710; the equations "
        f"are this project's reading of it (`docs/concepts/method.md`). {guidance} Seed {config.seed}."
    )


def _results(evaluation: Evaluation) -> str:
    rows = [
        (
            sentence(metric_words(each.name).long),
            decimal(each.value),
            f"{decimal(each.low)} to {decimal(each.high)}",
            str(each.n),
        )
        for each in evaluation.metrics
    ]
    epochs = ", ".join(f"{plain(name)} {count}" for name, count in evaluation.epochs.items())
    return (
        f"## Held-out results\n\nThe event is: {plain(evaluation.event)}.\n\n"
        + _table(("on the test split", "value", "95 % interval (bootstrap)", "n"), rows)
        + f"\n\n{at_the_ends(evaluation)}"
        + _operating_point(evaluation)
        + (f"\n\nEpochs given to each network: {epochs}." if epochs else "")
    )


def _operating_point(evaluation: Evaluation) -> str:
    """Without it nobody could act as these patients were counted."""
    if evaluation.discrimination is None:
        return ""
    threshold = decimal(evaluation.discrimination.threshold)
    return (
        f"\n\nSensitivity (of cases with the event) and specificity (of those without) hold where the event is expected from a probability of {threshold} on; "
        "this threshold was fixed on the validation split."
    )


def _comparisons(evaluation: Evaluation) -> str:
    if not evaluation.comparisons:
        return ""
    rows = [
        (
            plain(each.against),
            metric_words(each.metric).short,
            _estimate(each.difference),
            p_value(each.p_holm),
        )
        for each in evaluation.comparisons
    ]
    return (
        "## Against other models\n\nThis model less each rival, paired on the same patients.\n\n"
        + _table(("rival", "measure", "difference (95 % interval)", "Holm p"), rows)
        + "\n\nAn interval that holds 0 is no proof that models are alike."
    )


def _calibration(manifest: Manifest, evaluation: Evaluation) -> str:
    fit = manifest.calibration
    numbers = ", ".join(f"{name} {value:.3f}" for name, value in fit.parameters.items())
    method = f" ({evaluation.sets.method})" if evaluation.sets else ""
    titles = {each.label: each.title for each in manifest.outputs.classes}
    if fit.class_thresholds is None:
        threshold = f"a class enters at probability {fit.conformal_threshold:.3f}"
    else:
        each = (
            f"{titles[label]} {own.threshold:.3f} ({own.n} cases)"
            for label, own in fit.class_thresholds.items()
        )
        threshold = f"each class enters at its own probability: {', '.join(each)}"
    # Of one class against another, the intercept has a prior (`training.calibrate.prior_intercept_sd`).
    weighed = (
        ", its intercept weighed against what the training patients know" if fit.method == "platt" else ""
    )
    return (
        f"## Calibration and doubt\n\n{fit.method.capitalize()} scaling inside the graph ({numbers}), fitted on the validation split{weighed}. "
        f"Prediction sets{method}: {threshold}; nominal coverage {fit.coverage:.0%}, {fit.n} calibration cases. The most likely class "
        "is always in the set."
    )


def _sets(evaluation: Evaluation) -> str:
    if evaluation.sets is None:
        return ""
    rows = [("all", *_set_numbers(evaluation.sets.metrics))]
    rows += [
        (
            plain(group.level if group.variable == "class" else f"{group.variable} {group.level}"),
            *_set_numbers(group.metrics, group.n),
        )
        for group in evaluation.sets.groups
    ]
    head = ("held-out cases", "n", "coverage (95 % interval)", "classes in a set")
    return (
        f"### Prediction sets on held-out cases\n\n{_table(head, rows)}{_resplits(evaluation.sets.resplits)}"
    )


def _resplits(dealt: Resplits | None) -> str:
    if dealt is None:
        return ""
    rows = [(plain(group.level), *_set_numbers(group.metrics, group.n)) for group in dealt.groups]
    head = ("calibration and held-out cases", "n", "mean coverage (95 % of the deals)", "classes in a set")
    return (
        f"\n\nThe same procedure over {dealt.draws} random deals of these cases, {dealt.calibration} to calibrate and "
        f"{dealt.judged} to judge in each:\n\n{_table(head, rows)}"
    )


def _set_numbers(metrics: tuple[Metric, ...], n: int | None = None) -> tuple[str, str, str]:
    coverage, size = find(metrics, "set_coverage"), find(metrics, "set_size")
    count = n if n is not None else coverage.n if coverage else 0
    return (str(count), _estimate(coverage) if coverage else "too few", _estimate(size, 2) if size else "")


def _subgroups(evaluation: Evaluation) -> str:
    if not evaluation.subgroups:
        return ""
    head = ("group", "n (events)", *(metric_words(name).short for name in SUBGROUP_METRICS))
    return "## Subgroups\n\n" + _table(head, [_subgroup(group) for group in evaluation.subgroups])


def _subgroup(group: Group) -> tuple[str, ...]:
    words = (plain(f"{group.variable} {group.level}"), f"{group.n} ({group.events})")
    if group.too_few:
        return (*words, "too few", *[""] * (len(SUBGROUP_METRICS) - 1))
    found = (find(group.metrics, name) for name in SUBGROUP_METRICS)
    return (*words, *("" if each is None else _estimate(each, 2) for each in found))


def _distance(manifest: Manifest, evaluation: Evaluation) -> str:
    flagged = evaluation.distance.flagged if evaluation.distance else {}
    shares = "; ".join(f"{plain(name)} {percent(share)}" for name, share in flagged.items())
    return (
        "## Out of distribution\n\nAn image and record farther from training than "
        f"{manifest.out_of_distribution.threshold:.1%} of the calibration cases are flagged as out of distribution."
        + (f" Flagged: {shares}." if shares else "")
        + (
            f" Held-out cases of which there are disturbed copies: {most(evaluation.robustness[0].metrics)}."
            if evaluation.robustness
            else ""
        )
    )


def _heatmaps(evaluation: Evaluation) -> str:
    maps = evaluation.heatmaps
    if maps is None or not maps.methods:
        return ""
    shown = [name for name in MAP_METRICS if any(find(each.metrics, name) for each in maps.methods)]
    rows = []
    for method in maps.methods:
        found = (find(method.metrics, name) for name in shown)
        rows.append((plain(method.name), *("" if each is None else _estimate(each, 2) for each in found)))
    chance = (
        f" The mask fills {percent(maps.chance)} of the head: chance level of a peak in the mask itself and of relevance mass."
        if maps.chance
        else ""
    )
    with_mask = f"On {maps.n} held-out cases with a mask." if maps.n else "The cohort has no masks."
    removed = [metric for method in maps.methods for metric in method.metrics if metric.name in FAITHFULNESS]
    tried = f" Held-out cases in which voxels were removed and given: {most(removed)}." if removed else ""
    head = ("map", *(sentence(metric_words(name).long) for name in shown))
    return f"## Heatmaps\n\n{with_mask}{chance}{tried}\n\n{_table(head, rows)}"


def _robustness(evaluation: Evaluation) -> str:
    lines = [(line, area) for line in evaluation.robustness if (area := find(line.metrics, "auroc"))]
    if not lines:
        return ""
    rows = [(plain(f"{line.kind} {line.level}"), str(area.n), _estimate(area)) for line, area in lines]
    return "## Robustness\n\n" + _table(("held-out cases, disturbed", "n", "AUROC (95 % interval)"), rows)


def _estimate(metric: Metric, digits: int = 3) -> str:
    """With ordinary spaces, since a card is also read as text."""
    return estimate(metric, digits).replace("\N{NO-BREAK SPACE}", " ")


def _limits(manifest: Manifest, evaluation: Evaluation, precision: Precision) -> str:
    others = (
        "any hospital"
        if evaluation.source == PHANTOMS
        else "hospitals that none of them comes from; that needs an external evaluation"
    )
    return (
        "## Limits\n\n"
        f"- The numbers above hold for cases drawn like the held-out ones. They say nothing about patients of {others}.\n"
        "- The heatmap is relative within one image (1 = its peak). It shows attention, not cause; a good overlap with a lesion "
        "is not evidence of a right reason.\n"
        "- The image share is a share of a mixture, not a causal importance.\n"
        + (f"{CARE_LIMITATION}\n" if manifest.task == "gos" else "")
        + (f"{HALF_LIMITATION}\n" if precision == "float16" else "")
        + f"- {_fewest(manifest.ehr.minimum_features)} Missing values are told to the network as missing."
    )


def _fewest(features: int) -> str:
    return f"A record has at least {features} known features." if features else "The record may be empty."
