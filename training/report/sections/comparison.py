"""This model beside its rivals: the model table, the paired differences, and what more patients bring."""

from app.model_package.manifest import Metric
from training.evaluation.document import Comparison
from training.report import progress_plots
from training.report.blocks import Cell, Figure, FigureRow, Section, Table
from training.report.forest import axis, mark, scale_for
from training.report.headline import patients, row_title, signed
from training.report.material import Material
from training.report.study import ModelRow
from training.report.words import estimate, find, glossary, interval, metric_words, p_value

TABLE_METRICS = ("auroc", "auprc", "brier", "nll", "calibration_slope", "quadratic_weighted_kappa")


def model_table(material: Material) -> Section:
    """Rows by metrics, with parameters."""
    study = material.study
    if study is None:
        return Section(
            "models",
            "All models",
            absent="no ablation was given (`--ablation DIR`), so this run stands alone",
        )
    shown = [name for name in TABLE_METRICS if any(find(row.metrics, name) for row in study.rows)]
    repeated = any(row.runs > 1 for row in study.rows)
    rows = [
        (
            *_model_row(material, row, shown, strong=row.name == material.evaluation.row),
            *([_spread(row)] if repeated else []),
        )
        for row in study.rows
    ]
    table = Table(
        caption=f"Every row of the model table on the same held-out {patients(material)}: same splits, same optimiser, "
        "same budget.",
        columns=(
            "Model",
            "Parameters",
            *(metric_words(name).short for name in shown),
            *(["AUROC over runs"] if repeated else []),
        ),
        rows=rows,
        note="Values with 95 % bootstrap intervals over patients. "
        + (
            "Where a row has several runs (seeds, folds), values are their means, and the last column is the range of the runs, which "
            "the intervals do not hold. "
            if repeated
            else ""
        )
        + glossary(shown),
    )
    return Section("models", "All models", (table,))


def _spread(row: ModelRow) -> str:
    if not row.spread:
        return ""
    return f"{interval(min(row.spread), max(row.spread))} ({row.runs})"


def _model_row(
    material: Material, row: ModelRow, shown: list[str], *, strong: bool
) -> tuple[Cell | str, ...]:
    parameters = "" if row.parameters is None else f"{row.parameters:,}".replace(",", "\N{THIN SPACE}")
    found = (find(row.metrics, name) for name in shown)
    return (
        Cell(row_title(material, row.name), strong=strong),
        parameters,
        *(Cell("" if each is None else estimate(each, 3), strong=strong) for each in found),
    )


def differences(material: Material) -> Section:
    """Forest table of the planned comparisons."""
    if not material.comparisons:
        return Section("differences", "Differences between models", absent="no planned comparison was made")
    by_metric = {
        metric: [each for each in material.comparisons if each.metric == metric]
        for metric in dict.fromkeys(each.metric for each in material.comparisons)
    }
    blocks = [_forest(material, metric, found) for metric, found in by_metric.items()]
    return Section("differences", "Differences between models", blocks)


def _forest(material: Material, metric: str, comparisons: list[Comparison]) -> Table:
    scale = scale_for([each.difference for each in comparisons], 0.0)
    one = len({each.row for each in comparisons}) == 1
    own = row_title(material, comparisons[0].row)
    rows = [
        (
            row_title(material, each.against)
            if one
            else f"{row_title(material, each.row)} against {row_title(material, each.against)}",
            f"{signed(each.difference.value)} ({interval(each.difference.low, each.difference.high)})",
            p_value(each.p),
            p_value(each.p_holm),
            Cell(mark=mark(scale, each.difference)),
        )
        for each in comparisons
    ]
    word = metric_words(metric).short
    return Table(
        caption=f"Paired differences in {word}" + (f": {own} less each rival." if one else "."),
        columns=("Rival" if one else "Comparison", "Difference (95 % interval)", "p", "Holm p", ""),
        rows=rows,
        foot=(
            "",
            "",
            "",
            "",
            Cell(mark=axis(scale, "rival higher", f"{'this model' if one else 'first'} higher")),
        ),
        note="Paired bootstrap over the same patients; p two-sided; Holm p adjusted over all comparisons planned. An interval that "
        "holds 0 is no proof that models are alike.",
    )


def sizes(material: Material) -> Section:
    """AUROC over the number of training patients."""
    study = material.study
    if study is None or not study.sizes:
        return Section(
            "sizes", "Size of the cohort", absent="the ablation did not vary the number of training patients"
        )
    titled = {row_title(material, name): points for name, points in study.sizes.items()}
    figure = Figure(
        progress_plots.cohort_sizes(titled, "auroc"),
        "Learning curve over patients. AUROC on the same held-out split after training on more and more patients; lines that still "
        "rise at the right end say that more patients would help.",
    )
    return Section("sizes", "Size of the cohort", (FigureRow((figure,)), _size_table(titled)))


def _size_table(rows: dict[str, tuple[tuple[int, Metric], ...]]) -> Table:
    counts = sorted({n for points in rows.values() for n, _ in points})
    body = []
    for name, points in rows.items():
        by_size = dict(points)
        body.append((name, *(estimate(by_size[n]) if n in by_size else "" for n in counts)))
    return Table(
        caption="AUROC (95 % interval) by the number of training patients.",
        columns=("Model", *(str(n) for n in counts)),
        rows=body,
    )


def learning(material: Material) -> Section:
    """Loss and validation NLL over epochs."""
    histories = {progress_plots.FULL: material.history} if material.history else {}
    if material.study:
        own = material.evaluation.row
        histories |= {
            row_title(material, name): history
            for name, history in material.study.histories.items()
            if name != own
        }
    if not histories:
        return Section("learning", "Learning curves", absent="this row is not trained by epochs")
    kept = f" The weights of epoch {material.kept_epoch} were kept." if material.kept_epoch else ""
    figures = [
        Figure(
            progress_plots.validation(histories),
            "Validation. Negative log-likelihood of the classes (nats) on the validation split; the dot is the epoch that was "
            f"kept, the one with the lowest value.{kept}",
        )
    ]
    if material.history:
        figures.insert(
            0,
            Figure(
                progress_plots.loss(material.history),
                "Training loss. Mean over the batches of an epoch; it holds the guidance by masks where there is one, and is not "
                "comparable with the plot beside it.",
            ),
        )
    return Section("learning", "Learning curves", (FigureRow(figures),))
