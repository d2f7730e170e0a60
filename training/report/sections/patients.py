"""Who was studied, for whom it works, for whom a set or a refusal is the better answer."""

import re

from app.ehr.unit_words import unit_words
from training.evaluation.document import Group, PredictionSets, Resplits
from training.report.blocks import Block, Cell, Paragraph, Section, Table
from training.report.forest import axis, mark, scale_for
from training.report.headline import judged_on, patients
from training.report.material import Material
from training.report.words import (
    decimal,
    estimate,
    find,
    metric_words,
    percent,
    percent_estimate,
    sentence,
)

SPLIT_TITLES = {
    "train": "Training",
    "validation": "Validation",
    "calibration": "Calibration",
    "test": "Held out",
}
COUNTED = "Patients"
"""A line of the cohort table that the counts of the splits already say."""
FITTED = (
    "The model is fitted on training, stopped on validation, calibrated on validation and calibration, and judged "
    "once on the held-out split. One row is one patient, so no patient is in two splits."
)
ASKED = "Nothing was fitted to them. One row is one patient."
SUBGROUP_NUMBERS = ("calibration_slope", "brier")


def cohort(material: Material) -> Section:
    """Table 1."""
    evaluation = material.evaluation
    splits = [split for split in SPLIT_TITLES if split in evaluation.counts]
    splits += [split for split in evaluation.counts if split not in splits]
    rows: list[tuple[Cell | str, ...]] = [
        (patients(material).capitalize(), *(str(evaluation.counts[split]) for split in splits))
    ]
    if evaluation.events:
        rows.append(("With the event", *(_events(material, split) for split in splits)))
    for line in evaluation.cohort_table:
        if line.variable == COUNTED:
            continue
        unit = unit_words(line.unit)
        rows.append(
            (
                f"{line.variable}, {unit}" if unit else line.variable,
                *(_unbroken(line.by_split.get(split, "")) for split in splits),
            )
        )
    table = Table(
        caption=f"The cohort: {patients(material)} {'who got an answer' if material.external else 'of each split'}.",
        columns=("Characteristic", *(_split_title(material, split) for split in splits)),
        rows=rows,
        note=f"The event is: {evaluation.event}. {ASKED if material.external else FITTED}",
    )
    blocks: list[Block] = [
        Paragraph(f"Source, in the cohort's own words: {evaluation.source or 'not stated'}."),
        table,
    ]
    if not evaluation.cohort_table:
        blocks.append(Paragraph("The evaluation holds no characteristics of the patients.", "missing"))
    return Section("cohort", "Cohort", blocks)


def _split_title(material: Material, split: str) -> str:
    return "Answered" if material.external else SPLIT_TITLES.get(split, split)


def _unbroken(text: str) -> str:
    """`7.2 [6.4, 8.5]` may break before its bracket only."""
    return re.sub(r" (?![\[(])", "\N{NO-BREAK SPACE}", text)


def _events(material: Material, split: str) -> str:
    events, count = material.evaluation.events.get(split), material.evaluation.counts[split]
    if events is None:
        return ""
    return f"{events} ({percent(events / count)})" if count else str(events)


def sets(material: Material) -> Section:
    """Coverage overall, per class and per group."""
    judged = material.evaluation.sets
    if judged is None:
        return Section("sets", "Prediction sets", absent="the evaluation holds no prediction sets")
    overall = find(judged.metrics, "set_coverage"), find(judged.metrics, "set_size")
    lines = [("All", "", overall[0].n if overall[0] else None, *overall)]
    for group in judged.groups:
        own = find(group.metrics, "set_coverage"), find(group.metrics, "set_size")
        lines.append((group.variable, group.level, group.n, *own))
    scale = scale_for([each[3] for each in lines if each[3]], judged.nominal)
    rows = [
        (
            _group_words(variable, level),
            "" if n is None else str(n),
            percent_estimate(coverage) if coverage else "too few",
            estimate(size, 2) if size else "",
            Cell(mark=mark(scale, coverage)),
        )
        for variable, level, n, coverage, size in lines
    ]
    table = Table(
        caption=f"Coverage of the prediction sets; the line marks the promised {percent(judged.nominal, 0)}.",
        columns=(
            "Patients" if not material.phantoms else "Phantoms",
            "n",
            "Coverage (95 % interval)",
            "Classes a set",
            "",
        ),
        rows=rows,
        foot=("", "", "", "", Cell(mark=axis(scale, "below promise", "above"))),
        note="Coverage: share of sets that hold the true class.",
    )
    blocks: list[Block] = [Paragraph(_method(material, judged)), table]
    if judged.resplits:
        blocks.append(_resplits(judged.resplits, judged.nominal))
    return Section("sets", "Prediction sets", blocks)


def _resplits(dealt: Resplits, nominal: float) -> Table:
    """Whether the procedure holds, whoever happens to calibrate."""
    found = [
        (group, find(group.metrics, "set_coverage"), find(group.metrics, "set_size"))
        for group in dealt.groups
    ]
    scale = scale_for([coverage for _, coverage, _ in found if coverage], nominal)
    rows = [
        (
            sentence(group.level) if group.variable == "all" else group.level,
            str(group.n),
            percent_estimate(coverage) if coverage else "too few",
            decimal(size.value) if size else "",
            Cell(mark=mark(scale, coverage)),
        )
        for group, coverage, size in found
    ]
    return Table(
        caption=f"Coverage over {dealt.draws} random deals of the calibration and held-out cases, {dealt.calibration} to calibrate "
        f"and {dealt.judged} to judge in each.",
        columns=("Cases", "n", "Mean coverage (95 % of deals)", "Classes a set", ""),
        rows=rows,
        foot=("", "", "", "", Cell(mark=axis(scale, "below promise", "above"))),
        note="The mean says whether the procedure keeps its promise; the range is what one split of this size may show by chance. "
        "The thresholds of the model are those of its calibration split alone.",
    )


def _method(material: Material, judged: PredictionSets) -> str:
    """How the sets are made, with the fitted thresholds where the run holds them."""
    fitted = material.fitted
    classes = material.evaluation.classes
    words = f"{sentence(judged.method)}. "
    if fitted is None or len(fitted.thresholds) != len(classes):
        return words
    each = [
        f"{title} {decimal(threshold)} ({cases} cases)"
        for title, threshold, cases in zip(classes, fitted.thresholds, fitted.cases, strict=True)
    ]
    return (
        f"{words}Least probability with which a class enters, and calibration cases of it: {', '.join(each)}."
    )


def _group_words(variable: str, level: str) -> str:
    if not level:
        return variable
    return level if variable == "class" else f"{variable}: {level}"


def subgroups(material: Material) -> Section:
    """Forest table of AUROC with counts."""
    groups = material.evaluation.subgroups
    if not groups:
        return Section("subgroups", "Subgroups", absent="the cohort names no subgroup columns")
    whole = find(material.metrics, "auroc")
    known = [found for group in groups if (found := find(group.metrics, "auroc"))]
    scale = scale_for([*known, *([whole] if whole else [])], whole.value if whole else 0.5)
    rows: list[tuple[Cell | str, ...]] = []
    if whole:
        rows.append((Cell("All", strong=True), *_numbers_of_all(material), Cell(mark=mark(scale, whole))))
    variable = ""
    for group in groups:
        if group.variable != variable:
            variable = group.variable
            rows.append(
                (
                    Cell(sentence(variable), strong=True),
                    *[""] * (2 + len(SUBGROUP_NUMBERS)),
                    Cell(mark=mark(scale, None)),
                )
            )
        area = find(group.metrics, "auroc")
        rows.append((Cell(group.level, indent=True), *_numbers(group), Cell(mark=mark(scale, area))))
    heads = (metric_words(name).short for name in SUBGROUP_NUMBERS)
    table = Table(
        caption=f"Subgroups of the {judged_on(material)}; the line marks the AUROC of all.",
        columns=("Group", "n (events)", "AUROC (95 % interval)", *heads, ""),
        rows=rows,
        foot=("", "", *[""] * (1 + len(SUBGROUP_NUMBERS)), Cell(mark=axis(scale, "AUROC", ""))),
        note="Too few: fewer than 10 events or non-events, where no number would mean anything. Subgroups were not tested against "
        "each other; overlapping intervals are no proof of equality.",
    )
    return Section("subgroups", "Subgroups", (table,))


def _numbers_of_all(material: Material) -> tuple[str, ...]:
    n, events = material.evaluation.counts.get("test"), material.evaluation.events.get("test")
    counts = "" if n is None else f"{n}" if events is None else f"{n}\N{NO-BREAK SPACE}({events})"
    found = (find(material.metrics, name) for name in ("auroc", *SUBGROUP_NUMBERS))
    return (counts, *("" if each is None else estimate(each, 2) for each in found))


def _numbers(group: Group) -> tuple[str, ...]:
    counts = f"{group.n}\N{NO-BREAK SPACE}({group.events})"
    if group.too_few:
        return (counts, "too few", *[""] * len(SUBGROUP_NUMBERS))
    found = (find(group.metrics, name) for name in ("auroc", *SUBGROUP_NUMBERS))
    return (counts, *("" if each is None else estimate(each, 2) for each in found))


def distance(material: Material) -> Section:
    """How often a case is called out of distribution."""
    judged = material.evaluation.distance
    if judged is None:
        return Section(
            "distance", "Out of distribution", absent="the model has no embedding to measure distances in"
        )
    told = {f"{line.kind} {line.level}".strip() for line in material.evaluation.robustness}
    rows = [
        (_split_title(material, name), percent(share))
        for name, share in judged.flagged.items()
        if name not in told
    ]
    elsewhere = " Disturbed copies are in Robustness, with the share flagged of each." if told else ""
    table = Table(
        caption="Share of cases flagged as out of distribution.",
        columns=("Cases", "Flagged"),
        rows=rows,
        note="A case is flagged when its embedding lies farther from training (Mahalanobis distance) than "
        f"{percent(judged.threshold)} of the calibration cases. Cases unlike training should be flagged, those of the same kind should not.{elsewhere}",
    )
    return Section("distance", "Out of distribution", (table,))
