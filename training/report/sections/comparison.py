"""This model beside its rivals: the model table, the paired differences, and what more patients bring."""

from app.model_package.manifest import Metric
from training.ablation.document import TableRow
from training.evaluation.document import Comparison
from training.evaluation.judge import MODEL
from training.report import progress_plots
from training.report.blocks import Block, Cell, Figure, FigureRow, Paragraph, Section, Table
from training.report.forest import axis, mark, scale_for
from training.report.headline import patients, row_title, signed
from training.report.material import Material
from training.report.study import Study, drawn
from training.report.words import estimate, find, glossary, interval, metric_words, p_value

TABLE_METRICS = ("auroc", "auprc", "brier", "nll", "calibration_slope", "quadratic_weighted_kappa")


def model_table(material: Material) -> Section:
    """Rows by metrics, with parameters."""
    study = material.study
    if study is None:
        return Section(
            "models",
            "All models",
            absent="no ablation was given (`--ablation DIR`), so this model stands alone",
        )
    table = study.table
    shown = [name for name in TABLE_METRICS if any(find(row.metrics, name) for row in table.rows)]
    repeated = any(row.models > 1 for row in table.rows)
    own = material.evaluation.row
    rows = [
        (*_model_row(row, shown, strong=row.name == own), *([_spread(row)] if repeated else []))
        for row in table.rows
    ]
    blocks: list[Block] = [
        Table(
            caption=f"Every row of the model table, trained on {table.train_patients} and measured on the same "
            f"{table.test_patients} {patients(material)} ({table.test_events} with the event){_design(study)}.",
            columns=(
                "Model",
                "Parameters",
                *(metric_words(name).short for name in shown),
                *(["AUROC over models"] if repeated else []),
            ),
            rows=rows,
            note=_model_note(study, shown, repeated=repeated),
        )
    ]
    if not study.ablation.finished:
        blocks.append(Paragraph("The ablation has not ended: rows and seeds may be missing.", "missing"))
    return Section("models", "All models", blocks)


def _design(study: Study) -> str:
    ablation = study.ablation
    if ablation.folds:
        again = f", repeated {ablation.repeats} times" if ablation.repeats > 1 else ""
        return f", in {ablation.folds}-fold cross-validation{again}"
    return ""


def _model_note(study: Study, shown: list[str], *, repeated: bool) -> str:
    parts = ["Values with 95 % bootstrap intervals over patients."]
    if repeated:
        parts.append(
            "Where a row was trained several times (seeds, repeats), values are means, and the last column is the range of the "
            "models and their number, which the intervals do not hold."
        )
    if study.table.attainable:
        parts.append(
            f"AUROC of the true probability, which none can pass: {estimate(study.table.attainable)}."
        )
    parts += [f"{row.title}: {row.note}." for row in study.table.rows if row.note]
    parts += [f"{row.title}: {row.failed} failed." for row in study.table.rows if row.failed]
    return " ".join([*parts, glossary(shown)])


def _model_row(row: TableRow, shown: list[str], *, strong: bool) -> tuple[Cell | str, ...]:
    parameters = "" if row.parameters is None else f"{row.parameters:,}".replace(",", "\N{THIN SPACE}")
    found = (find(row.metrics, name) for name in shown)
    return (
        Cell(row.title.replace("-", "\N{NON-BREAKING HYPHEN}"), strong=strong),
        parameters,
        *(Cell("" if each is None else estimate(each, 3), strong=strong) for each in found),
    )


def _spread(row: TableRow) -> str:
    areas = row.each.get("auroc", ())
    if row.models < 2 or not areas:  # noqa: PLR2004 - one model has no range
        return ""
    return f"{interval(min(areas), max(areas))} ({row.models})"


def differences(material: Material) -> Section:
    """Forest tables of the planned comparisons: this model against its rivals, then the controls."""
    compared = material.comparisons
    if not compared:
        return Section("differences", "Differences between models", absent="no planned comparison was made")
    main = compared[0].row
    groups = {
        (metric, is_main): [
            each for each in compared if each.metric == metric and (each.row == main) is is_main
        ]
        for metric in dict.fromkeys(each.metric for each in compared)
        for is_main in (True, False)
    }
    blocks = [_forest(material, metric, found) for (metric, _), found in groups.items() if found]
    return Section("differences", "Differences between models", blocks)


def _forest(material: Material, metric: str, comparisons: list[Comparison]) -> Table:
    scale = scale_for([each.difference for each in comparisons], 0.0)
    one = len({each.row for each in comparisons}) == 1
    own = row_title(material, comparisons[0].row)
    first = "this model" if one and comparisons[0].row in (material.evaluation.row, MODEL) else "first"
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
            Cell(mark=axis(scale, "rival higher", f"{first} higher")),
        ),
        note="Paired bootstrap over the same patients; p two-sided; Holm p adjusted over all comparisons planned. An interval that "
        "holds 0 is no proof that models are alike.",
    )


def sizes(material: Material) -> Section:
    """AUROC over the number of training patients."""
    found = material.study.sizes if material.study else {}
    if not found:
        return Section(
            "sizes", "Size of the cohort", absent="the ablation did not vary the number of training patients"
        )
    lines = {row_title(material, name): found[name] for name in drawn(found) if found[name]}
    hidden = len(found) - len(lines)
    figure = Figure(
        progress_plots.cohort_sizes(lines, "auroc"),
        f"Learning curve over {patients(material)}. AUROC on the same held-out split after training on more and more of them; lines "
        "that still rise at the right end say that more would help."
        + (f" {hidden} further rows are in the table below." if hidden else ""),
    )
    titled = {row_title(material, name): points for name, points in found.items()}
    return Section("sizes", "Size of the cohort", (FigureRow((figure,)), _size_table(material, titled)))


def _size_table(material: Material, rows: dict[str, tuple[tuple[int, Metric], ...]]) -> Table:
    counts = sorted({n for points in rows.values() for n, _ in points})
    body = []
    for name, points in rows.items():
        by_size = dict(points)
        body.append((name, *(estimate(by_size[n]) if n in by_size else "" for n in counts)))
    return Table(
        caption=f"AUROC (95 % interval) by the number of training {patients(material)}.",
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
