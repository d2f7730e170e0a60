"""Plots over time and size: learning curves of the loop, and what more patients would bring."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from app.model_package.manifest import Metric
from training.evaluation.document import Curve
from training.report.curves import band
from training.report.history import Epoch
from training.report.style import (
    BLUE,
    CYCLE,
    DASHES,
    HAIRLINE,
    VERMILION,
    End,
    label_ends,
    label_line,
    plot,
)
from training.report.words import clipped, metric_words

FULL = "this model"
LONGEST_STEP = 24


def loss(history: Sequence[Epoch]) -> Markup:
    """Training loss of the run."""

    def draw(ax: Axes) -> None:
        ax.plot([each.epoch for each in history], [each.loss for each in history], color=BLUE)
        ax.set(xlabel="Epoch", ylabel="Training loss")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))

    return plot("training-loss", draw, "Training loss over epochs", height_in=2.6)


def validation(histories: Mapping[str, Sequence[Epoch]]) -> Markup:
    """Validation NLL of the run and its rivals; the kept epoch of each is marked."""

    def draw(ax: Axes) -> None:
        ends: list[End] = []
        for index, (name, history) in enumerate(histories.items()):
            color, dash = CYCLE[index % len(CYCLE)], DASHES[index % len(DASHES)]
            x, y = [each.epoch for each in history], [each.nll for each in history]
            best = min(history, key=lambda each: each.nll)
            ax.plot(x, y, color=color, linestyle=dash)
            ax.plot(best.epoch, best.nll, "o", color=color, markersize=4.5)
            ends.append(End(x[-1], y[-1], name, color))
        ax.set(xlabel="Epoch", ylabel="Validation NLL")
        label_ends(ax, ends)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))

    return plot("validation-nll", draw, "Validation negative log-likelihood over epochs", height_in=2.6)


def cohort_sizes(rows: Mapping[str, Sequence[tuple[int, Metric]]], metric: str) -> Markup:
    """A metric over the number of training patients, per row of the model table.

    Args:
        rows: Per row, (patients, metric) in rising order.
        metric: Name of the metric.
    """

    def draw(ax: Axes) -> None:
        ends: list[End] = []
        for index, (name, points) in enumerate(rows.items()):
            color, dash = CYCLE[index % len(CYCLE)], DASHES[index % len(DASHES)]
            x = [n * (1 + 0.03 * (index - len(rows) / 2)) for n, _ in points]
            y = [each.value for _, each in points]
            spread = [
                [each.value - each.low for _, each in points],
                [each.high - each.value for _, each in points],
            ]
            ax.errorbar(x, y, spread, fmt="o", linestyle=dash, color=color, markersize=3.5, elinewidth=0.8)
            ends.append(End(x[-1], y[-1], name, color))
        ax.set(xscale="log", xlabel="Training patients", ylabel=metric_words(metric).short)
        sizes = sorted({n for points in rows.values() for n, _ in points})
        ax.set_xticks(sizes, [str(size) for size in sizes], minor=False)
        ax.set_xticks([], minor=True)
        label_ends(ax, ends)

    return plot("cohort-sizes", draw, f"{metric_words(metric).short} over the number of training patients")


def randomisation(curve: Curve, rank: Curve | None, steps: Sequence[str]) -> Markup:
    """Similarity of the map with the trained one while layers are randomised from the head backwards."""

    def draw(ax: Axes) -> None:
        lowest = min(0.0, *curve.y, *(rank.y if rank else ()))
        ax.axhline(0, color=HAIRLINE, linewidth=0.8)
        for each, name, color, dash in (
            (curve, "SSIM", BLUE, DASHES[0]),
            (rank, "rank correlation", VERMILION, DASHES[1]),
        ):
            if each is None:
                continue
            band(ax, each, color)
            ax.plot(each.x, each.y, "o", linestyle=dash, color=color, markersize=3.5)
            label_line(ax, name, (each.x[-1], each.y[-1]), color, va="center")
        ax.set(
            ylim=(lowest - 0.02, 1.02),
            ylabel="Similarity with the trained map",
            xlabel="Randomised, from the head back to",
        )
        if len(steps) == len(curve.x):
            ax.set_xticks(
                list(curve.x),
                [clipped(step, LONGEST_STEP) for step in steps],
                rotation=40,
                ha="right",
                rotation_mode="anchor",
            )

    return plot("randomisation", draw, "Map similarity under cascading weight randomisation", height_in=3.2)
