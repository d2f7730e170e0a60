"""The plots of one model's probabilities: ROC, precision-recall, calibration, decision curve, selective risk."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Plot

from app.model_package.manifest import Metric
from training.evaluation.document import Calibration, Curve, DecisionCurve, Discrimination, Selective
from training.evaluation.judge import MODEL
from training.outcomes import event_from
from training.report.style import (
    BLUE,
    CYCLE,
    DASHES,
    HAIRLINE,
    QUIET,
    VERMILION,
    End,
    figure,
    label_ends,
    label_line,
    plot,
    unit_square,
)
from training.report.words import estimate, find

HISTOGRAM_BIN = 0.05
FLOOR = -0.05
"""Net benefit below this is of no interest; "treat all" falls without bound."""
DEFAULTS = {"all": "treat all", "none": "treat none"}
MOST_RIVALS = 3
"""Lines beyond these could not be told apart."""


def band(ax: Axes, curve: Curve, color: str) -> None:
    """The interval of a line, where it has one."""
    if curve.low and curve.high:
        ax.fill_between(curve.x, curve.low, curve.high, color=color, alpha=0.18, linewidth=0)


def roc(discrimination: Discrimination, metrics: Sequence[Metric]) -> Markup:
    """Receiver operating characteristic with the operating point that was fixed on validation."""
    found = tuple(metrics)
    area, sensitivity, specificity = (find(found, name) for name in ("auroc", "sensitivity", "specificity"))

    def draw(ax: Axes) -> None:
        ax.plot([0, 1], [0, 1], color=HAIRLINE, linewidth=0.8)
        band(ax, discrimination.roc, BLUE)
        ax.plot(discrimination.roc.x, discrimination.roc.y, color=BLUE)
        if area:
            ax.text(0.98, 0.08, f"AUROC\n{estimate(area)}", ha="right", color=BLUE, fontweight="bold")
        if sensitivity and specificity:
            ax.plot(1 - specificity.value, sensitivity.value, "o", color=VERMILION, markersize=4.5)
            label_line(
                ax,
                f"threshold {discrimination.threshold:.2f}",
                (1 - specificity.value + 0.015, sensitivity.value - 0.03),
                VERMILION,
                va="top",
            )
        unit_square(ax, "1 \N{MINUS SIGN} specificity", "Sensitivity")

    return plot("roc", draw, _area_words("ROC curve", area), height_in=3.3)


def precision_recall(discrimination: Discrimination, metrics: Sequence[Metric]) -> Markup:
    """Precision against recall, with the share of events as its floor."""
    curve = discrimination.precision_recall
    area = find(tuple(metrics), "auprc")
    cases = np.array(discrimination.confusion).sum(axis=1)
    prevalence = cases[event_from(len(cases)) :].sum() / cases.sum()

    def draw(ax: Axes) -> None:
        ax.axhline(prevalence, color=HAIRLINE, linewidth=0.8)
        ax.text(
            0.02, prevalence - 0.02, f"share of events {prevalence:.2f}", va="top", color=QUIET, fontsize=7.5
        )
        band(ax, curve, BLUE)
        ax.plot(curve.x, curve.y, color=BLUE)
        if area:
            ax.text(0.02, 0.08, f"AUPRC\n{estimate(area)}", color=BLUE, fontweight="bold")
        unit_square(ax, "Recall (sensitivity)", "Precision (positive predictive value)")

    return plot("precision-recall", draw, _area_words("Precision-recall curve", area), height_in=3.3)


def _area_words(title: str, area: Metric | None) -> str:
    return f"{title}; area {estimate(area)}" if area else title


def calibration(judged: Calibration, metrics: Sequence[Metric]) -> Markup:
    """Observed against predicted, above a histogram of the predictions."""
    slope = find(tuple(metrics), "calibration_slope")

    def draw(canvas: Plot) -> None:
        above, below = canvas.subplots(2, 1, sharex=True, height_ratios=(5, 1))
        above.plot([0, 1], [0, 1], color=HAIRLINE, linewidth=0.8)
        band(above, judged.curve, BLUE)
        above.plot(judged.curve.x, judged.curve.y, color=BLUE)
        _bins(above, judged.bins)
        if slope:
            above.text(0.02, 0.95, f"Slope {estimate(slope, 2)}", color=BLUE, fontweight="bold", va="top")
        unit_square(above, "", "Observed frequency")
        edges = np.arange(len(judged.counts)) * HISTOGRAM_BIN
        below.bar(edges, judged.counts, width=HISTOGRAM_BIN * 0.9, align="edge", color=QUIET, alpha=0.7)
        below.set(xlabel="Predicted probability", ylabel="Patients", xlim=(-0.01, 1.01))
        below.spines["left"].set_visible(False)
        below.locator_params(axis="y", nbins=2, integer=True)

    words = f"Calibration plot; slope {estimate(slope, 2)}" if slope else "Calibration plot"
    return figure("calibration", draw, words, height_in=4.2)


def _bins(ax: Axes, bins: Curve) -> None:
    x, y = np.array(bins.x), np.array(bins.y)
    spread = [y - np.array(bins.low), np.array(bins.high) - y] if bins.low else None
    ax.errorbar(
        x,
        y,
        None if spread is None else np.maximum(spread, 0),
        fmt="o",
        color=VERMILION,
        markersize=3.5,
        elinewidth=0.8,
    )


def drawn_strategies(decision: DecisionCurve) -> dict[str, Curve]:
    """The model, both defaults, and as many rivals as can be told apart."""
    rivals = [name for name in decision.strategies if name not in DEFAULTS and name != MODEL]
    shown = {MODEL, *DEFAULTS, *rivals[:MOST_RIVALS]}
    return {name: curve for name, curve in decision.strategies.items() if name in shown}


def decision_curve(decision: DecisionCurve) -> Markup:
    """Net benefit of every drawn strategy; the names stand where the lines end."""
    strategies = drawn_strategies(decision)
    rivals = [name for name in strategies if name not in DEFAULTS and name != MODEL]

    def draw(ax: Axes) -> None:
        ends: list[End] = []
        for name, curve in strategies.items():
            index = 1 + rivals.index(name) if name in rivals else 0
            color = QUIET if name in DEFAULTS else CYCLE[index % len(CYCLE)]
            y = np.where(np.array(curve.y) >= FLOOR, curve.y, np.nan)
            if np.isnan(y).all():
                continue
            width = 1.8 if name == MODEL else 1.1
            ax.plot(curve.x, y, color=color, linestyle=DASHES[index % len(DASHES)], linewidth=width)
            last = int(np.flatnonzero(~np.isnan(y))[-1])
            ends.append(
                End(
                    curve.x[last],
                    curve.y[last],
                    DEFAULTS.get(name, "this model" if name == MODEL else name),
                    color,
                )
            )
        ax.set(xlabel="Threshold probability", ylabel="Net benefit", ylim=(FLOOR, None), xlim=(0, None))
        band(ax, Curve(**_floored(strategies[MODEL])), BLUE)
        label_ends(ax, ends)

    return plot("decision", draw, "Decision curves: net benefit over threshold probability", height_in=3.0)


def _floored(curve: Curve) -> dict[str, tuple[float, ...]]:
    """The band is drawn inside the axes only."""
    return {
        "x": curve.x,
        "y": curve.y,
        "low": tuple(max(each, FLOOR) for each in curve.low),
        "high": tuple(max(each, FLOOR) for each in curve.high),
    }


def selective_risk(selective: Selective) -> Markup:
    """Error among the answered, over the share answered."""

    def draw(ax: Axes) -> None:
        band(ax, selective.risk, BLUE)
        ax.plot(selective.risk.x, selective.risk.y, color=BLUE)
        ax.set(
            xlim=(0, 1.01),
            ylim=(0, 1.06 * max((*selective.risk.y, *selective.risk.high))),
            xlabel="Share of patients answered",
            ylabel="Brier score of the answered",
        )

    return plot("selective", draw, "Selective risk: error over the share of patients answered", height_in=2.7)
