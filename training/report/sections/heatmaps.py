"""Where the model looked: examples, agreement with masks, whether the answer depends on it, and sanity checks; then robustness."""

from base64 import b64encode
from collections import Counter

from markupsafe import Markup

from app.model_package.manifest import Metric
from training.evaluation.document import Disturbance, Example, Heatmaps
from training.report import progress_plots
from training.report.blocks import Block, Cell, Figure, FigureRow, Paragraph, Section, Table
from training.report.forest import Scale, axis, mark, scale_for
from training.report.material import Material
from training.report.words import (
    FAITHFULNESS,
    MAP_METRICS,
    estimate,
    find,
    glossary,
    metric_words,
    most,
    percent,
    percent_estimate,
    sentence,
)

AGREEMENT = ("pointing", "pointing_strict", "relevance_mass", "relevance_rank", "auprc", "dice")
ROBUSTNESS_METRICS = ("auroc", "auroc_change", "mean_change", "flagged")
OVERLAP_WARNING = "A map shows where the gates are open, relative within one image. A good overlap with a region is not evidence of a right reason."


def _absent(material: Material, words: str) -> str:
    return "maps are judged of a run, not of a package" if material.external else words


def gallery(material: Material) -> Section:
    """Best, median and worst cases."""
    examples = material.evaluation.examples
    if not examples:
        return Section(
            "gallery",
            "Heatmap gallery",
            absent=_absent(material, "the model gives no map, or no example was drawn"),
        )
    figures = tuple(_example(material, example) for example in examples)
    note = Paragraph(
        "Cases chosen by the log-likelihood of the true class, not by their looks: the best, those around the median, and the worst. "
        "Radiological convention: the patient's right (R) is on the left. Line: the mask, where there is one; cross: the peak of the "
        "attention; colour: attention as a share of this image's own peak.",
        "note",
    )
    return Section("gallery", "Heatmap gallery", (note, FigureRow(figures)))


def _example(material: Material, example: Example) -> Figure:
    data = b64encode(material.pictures[example.picture]).decode()
    words = f"{example.kind} case: {example.outcome}, given a probability of {example.probability:.2f}. {example.caption}"
    image = Markup('<img src="data:image/png;base64,{}" alt="{}">').format(Markup(data), words)  # noqa: S704 - base64  # nosec B704
    title = f"{example.kind.capitalize()} case."
    caption = f"{title} Outcome: {example.outcome}; probability given to it: {example.probability:.2f}. {example.caption}"
    return Figure(image, caption, wide=True)


def maps(material: Material) -> Section:
    """Maps against masks, and faithfulness."""
    judged = material.evaluation.heatmaps
    if judged is None or not judged.methods:
        return Section(
            "maps", "Heatmaps against masks", absent=_absent(material, "the model has no map to judge")
        )
    chance = (
        f" Chance level of peak in mask and of relevance mass: {percent(judged.chance)}; of the pointing game, which allows one cell more, higher."
        if judged.chance is not None
        else ""
    )
    agreement = _methods(
        judged, AGREEMENT, f"Maps held against the masks of {judged.n} cases, with 95 % intervals.", chance
    )
    tried = most([each for one in judged.methods for each in one.metrics if each.name in FAITHFULNESS])
    faithfulness = _methods(
        judged,
        FAITHFULNESS,
        f"Does the answer depend on where the maps point? With 95 % intervals; cases: {tried}.",
        "",
    )
    blocks: list[Block] = [Paragraph(OVERLAP_WARNING), *agreement, *faithfulness]
    if not judged.n:
        blocks.append(
            Paragraph("The cohort has no masks, so agreement with a region was not measured.", "note")
        )
    return Section("maps", "Heatmaps against masks", blocks)


def _methods(judged: Heatmaps, names: tuple[str, ...], caption: str, more: str) -> tuple[Table, ...]:
    """A table of those maps and metrics that have numbers; none where there are none."""
    shown = [name for name in names if any(find(each.metrics, name) for each in judged.methods)]
    if not shown:
        return ()
    rows = []
    for method in judged.methods:
        found = [find(method.metrics, name) for name in shown]
        if any(found):
            rows.append((method.name, *("" if each is None else estimate(each, 2) for each in found)))
    heads = (MAP_METRICS.get(name) or metric_words(name) for name in shown)
    return (
        Table(
            caption=caption,
            columns=("Map", *(each.short for each in heads)),
            rows=rows,
            note=glossary(shown, MAP_METRICS) + more,
        ),
    )


def sanity(material: Material) -> Section:
    """Weight randomisation, another patient's record, another seed."""
    judged = material.evaluation.heatmaps
    if judged is None or not (judged.randomisation or judged.record_swap or judged.repeatability):
        return Section(
            "sanity", "Sanity checks of the maps", absent=_absent(material, "no sanity check of maps was run")
        )
    blocks: list[Block] = []
    if judged.randomisation:
        blocks.append(_randomisation(judged))
    for metrics, caption in (
        (
            judged.record_swap,
            "The map before and after another patient's record is given; the image is the same.",
        ),
        (judged.repeatability, "The map of this run against that of a run with another seed."),
    ):
        if metrics:
            blocks.append(_measures(metrics, caption))
    return Section("sanity", "Sanity checks of the maps", blocks)


def _randomisation(judged: Heatmaps) -> FigureRow:
    curve = judged.randomisation
    if curve is None:
        return FigureRow(())
    cases = f" Cases: {most(judged.record_swap)}." if judged.record_swap else ""
    caption = (
        "Weight randomisation. The weights of each part are shuffled, from the head backwards; a map that does not change does not "
        f"depend on what was learnt.{cases}"
    )
    rank = judged.randomisation_rank
    drawing = progress_plots.randomisation(curve, rank, judged.randomised)
    return FigureRow((Figure(drawing, caption),))


def _measures(metrics: tuple[Metric, ...], caption: str) -> Table:
    rows = [(sentence(metric_words(each.name).long), estimate(each, 3), str(each.n)) for each in metrics]
    return Table(caption=caption, columns=("Measure", "Value (95 % interval)", "n"), rows=rows)


def robustness(material: Material) -> Section:
    """The held-out cases disturbed on purpose, as a forest table."""
    lines = material.evaluation.robustness
    if not lines:
        return Section("robustness", "Robustness", absent="no disturbance was tried")
    shown = [name for name in ROBUSTNESS_METRICS if any(find(each.metrics, name) for each in lines)]
    areas = [area for line in lines if (area := find(line.metrics, "auroc"))]
    undisturbed = next((find(line.metrics, "auroc") for line in lines if not line.level), None)
    scale = scale_for(areas, undisturbed.value) if undisturbed else None  # of few cases there is no AUROC
    kinds = Counter(line.kind for line in lines)
    rows: list[tuple[Cell | str, ...]] = []
    for before, line in zip((None, *lines), lines, strict=False):
        grouped = kinds[line.kind] > 1
        if grouped and (before is None or before.kind != line.kind):
            rows.append((Cell(line.kind, strong=True), *[""] * (1 + len(shown)), *_marked(scale, None)))
        head = Cell(line.level, indent=True) if grouped else Cell(_words(line), strong=not line.level)
        cells = ("" if (each := find(line.metrics, name)) is None else _written(each) for name in shown)
        n = str(most(line.metrics))
        rows.append((head, n, *cells, *_marked(scale, find(line.metrics, "auroc"))))
    line_words = "; the line marks the AUROC of the undisturbed cases" if scale else ""
    table = Table(
        caption=f"Held-out cases disturbed on purpose, with 95 % intervals{line_words}.",
        columns=("Disturbance", "n", *(metric_words(name).short for name in shown), *([""] if scale else [])),
        rows=rows,
        foot=(*[""] * (2 + len(shown)), Cell(mark=axis(scale, "AUROC", ""))) if scale else (),
        note=f"n: cases that were tried so; {glossary(shown)}",
    )
    return Section("robustness", "Robustness", (table,))


def _marked(scale: Scale | None, area: Metric | None) -> tuple[Cell, ...]:
    return () if scale is None else (Cell(mark=mark(scale, area)),)


def _written(metric: Metric) -> str:
    if metric_words(metric.name).percent:
        return percent_estimate(metric)
    return estimate(metric, 3 if metric.name == "mean_change" else 2)


def _words(line: Disturbance) -> str:
    return f"{line.kind}, {line.level}" if line.level else line.kind
