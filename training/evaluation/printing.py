"""The tables a person reads at the end of an evaluation; the report has all of it."""

from collections.abc import Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Column, Table

from app.model_package.manifest import Metric
from training.evaluation.document import (
    Comparison,
    Evaluation,
    External,
    PredictionSets,
    Resplits,
    stated_beside,
)
from training.evaluation.document import Group as Patients

_NONE = "-"


def print_evaluation(evaluation: Evaluation) -> None:
    """Headline numbers, then what was compared, covered and found in subgroups."""
    tables: list[RenderableType] = [_headline(evaluation)]
    if evaluation.external:
        tables.append(_asked(evaluation.external, evaluation.counts["test"]))
    if evaluation.sets:
        tables.append(_sets(evaluation.sets))
        if evaluation.sets.resplits:
            tables.append(resplits_table(evaluation.sets.resplits, evaluation.sets.nominal))
    if evaluation.comparisons:
        tables.append(_comparisons(evaluation.comparisons))
    if evaluation.subgroups:
        tables.append(_subgroups(evaluation.subgroups))
    # A cohort's own words are no markup: "mRS [low]" would lose its bracket.
    Console(markup=False, emoji=False).print(Group(*tables))


def _headline(evaluation: Evaluation) -> Table:
    table = Table(
        Column("metric", no_wrap=True),
        "value",
        "95 % interval",
        "n",
        title=f"{evaluation.row}: {evaluation.event}",
        title_justify="left",
    )
    stated = stated_beside(evaluation)
    if stated:
        table.add_column("stated by the package")
    for metric in evaluation.metrics:
        own = stated.get(metric.name)
        table.add_row(
            metric.name,
            f"{metric.value:.3f}",
            interval(metric),
            str(metric.n),
            *([f"{own.value:.3f} ({interval(own)})" if own else ""] if stated else []),
        )
    return table


def _asked(external: External, answered: int) -> Table:
    """Who got an answer, and what the package went without."""
    table = Table("patients", "n", title="Asked", title_justify="left")
    table.add_row("answered", str(answered))
    table.add_row("of them, advised not to rely on it", f"{external.abstained * answered:.0f}")
    for code, count in external.refused.items():
        table.add_row(f"refused: {code}", str(count))
    if external.absent:
        table.caption = (
            f"Missing for everyone, since the cohort has no such column: {', '.join(external.absent)}"
        )
    return table


def _sets(sets: PredictionSets) -> Table:
    table = Table(
        "class", "n", "coverage", "95 % interval", "size",
        title=f"Prediction sets, nominal coverage {sets.nominal:.0%}", title_justify="left",
    )  # fmt: skip
    for group in (each for each in sets.groups if each.variable == "class"):
        coverage, size = _named(group.metrics, ("set_coverage", "set_size"))
        table.add_row(group.level, str(group.n), _value(coverage), interval(coverage), _value(size))
    return table


def resplits_table(dealt: Resplits, nominal: float) -> Table:
    """Coverage over random deals: everyone, then each class."""
    table = Table(
        "class", "n", "mean coverage", "95 % of deals", "size",
        title=f"The same, nominal {nominal:.0%}: mean of {dealt.draws} deals into {dealt.calibration} calibration and {dealt.judged} judged cases",
        title_justify="left",
    )  # fmt: skip
    for group in dealt.groups:
        coverage, size = _named(group.metrics, ("set_coverage", "set_size"))
        table.add_row(group.level, str(group.n), _value(coverage), interval(coverage), _value(size))
    return table


def _comparisons(comparisons: Sequence[Comparison]) -> Table:
    table = Table(
        "against", "metric", "difference", "95 % interval", "p", "p (Holm)",
        title="Against the other rows, paired", title_justify="left",
    )  # fmt: skip
    for each in comparisons:
        table.add_row(
            each.against,
            each.metric,
            f"{each.difference.value:+.3f}",
            interval(each.difference),
            p_value(each.p),
            p_value(each.p_holm),
        )
    return table


def p_value(p: float) -> str:
    """Three digits, and no more is claimed below 0.001."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"  # noqa: PLR2004 - the customary limit of print


def _subgroups(groups: Sequence[Patients]) -> Table:
    table = Table(
        "subgroup",
        "n",
        "events",
        "auroc",
        "95 % interval",
        "slope",
        "brier",
        title="Subgroups",
        title_justify="left",
    )
    for group in groups:
        auroc, slope, brier = _named(group.metrics, ("auroc", "calibration_slope", "brier"))
        numbers = (_value(auroc), interval(auroc), _value(slope), _value(brier))
        cells = ("too few", "", "", "") if group.too_few else numbers
        table.add_row(f"{group.variable}: {group.level}", str(group.n), str(group.events), *cells)
    return table


def _named(metrics: Iterable[Metric], names: Sequence[str]) -> tuple[Metric | None, ...]:
    known = {metric.name: metric for metric in metrics}
    return tuple(known.get(name) for name in names)


def _value(metric: Metric | None) -> str:
    return f"{metric.value:.3f}" if metric else _NONE


def interval(metric: Metric | None) -> str:
    """`0.70 to 0.90`."""
    return f"{metric.low:.2f} to {metric.high:.2f}" if metric else _NONE
