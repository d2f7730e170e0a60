"""Discrimination, calibration, clinical utility and selective risk of the model itself."""

from training.evaluation.document import stated_beside
from training.evaluation.judge import MODEL
from training.report import curves
from training.report.blocks import Block, Cell, Figure, FigureRow, Paragraph, Section, Table
from training.report.headline import judged_on, patients, row_title, slope_in_words
from training.report.material import Material
from training.report.words import (
    at_the_ends,
    decimal,
    estimate,
    find,
    interval,
    listed,
    metric_words,
    sentence,
)


def performance(material: Material) -> Section:
    """All headline numbers as one table."""
    stated = stated_beside(material.evaluation)
    rows = [
        (
            sentence(metric_words(each.name).long),
            decimal(each.value),
            interval(each.low, each.high),
            str(each.n),
            *([estimate(stated[each.name]) if each.name in stated else ""] if stated else []),
        )
        for each in material.metrics
    ]
    title = "Performance" if material.external else "Held-out performance"
    if not rows:
        return Section("performance", title, absent="the evaluation holds no number")
    table = Table(
        caption=f"Performance on the {judged_on(material)}.",
        columns=("Measure", "Value", "95 % interval", "n", *(["Stated by the package"] if stated else [])),
        rows=rows,
        note=f"Intervals by bootstrap over {patients(material)}. {at_the_ends(material.evaluation)} n counts those of whom a number is: of sensitivity, those with the "
        f"event. The event is: {material.evaluation.event}. NLL in nats.",
    )
    return Section("performance", title, (table,))


def discrimination(material: Material) -> Section:
    """ROC, precision-recall, confusion matrix."""
    judged = material.evaluation.discrimination
    if judged is None:
        return Section("discrimination", "Discrimination", absent="the evaluation holds no curves")
    confusion = _confusion(material, judged.confusion)
    if not judged.roc.x:
        words = f"No curves: the {judged_on(material)} all have the same outcome."
        return Section("discrimination", "Discrimination", (Paragraph(words, "missing"), confusion))
    figures = FigureRow(
        (
            Figure(
                curves.roc(judged, material.metrics),
                "Receiver operating characteristic. The grey diagonal is chance; the dot is the threshold of "
                f"{judged.threshold:.2f} {_fixed(material)}, where sensitivity and specificity are given.",
            ),
            Figure(
                curves.precision_recall(judged, material.metrics),
                "Precision and recall. The grey line is the share of events: a model that knows nothing lies on it.",
            ),
        )
    )
    return Section("discrimination", "Discrimination", (figures, confusion))


def _fixed(material: Material) -> str:
    return (
        "at which the event is as likely as not"
        if material.external
        else "that was fixed on the validation split"
    )


def _confusion(material: Material, confusion: tuple[tuple[int, ...], ...]) -> Table:
    titles = class_titles(material, len(confusion))
    rows: list[tuple[Cell | str, ...]] = []
    for title, counts in zip(titles, confusion, strict=True):
        total = sum(counts)
        cells = [Cell(str(count), shade=count / total if total else 0) for count in counts]
        rows.append((title, *cells, str(total)))
    return Table(
        caption="Confusion matrix: the true class (rows) and the most likely class (columns).",
        columns=("True class", *titles, "All"),
        rows=rows,
        note="Counts; the darker the ground, the larger the share of the row.",
    )


def class_titles(material: Material, count: int) -> tuple[str, ...]:
    """Titles of the classes, or their numbers where the evaluation does not name them."""
    titles = material.evaluation.classes
    return titles if len(titles) == count else tuple(f"Class {index + 1}" for index in range(count))


def calibration(material: Material) -> Section:
    """Curve, bins and histogram."""
    judged = material.evaluation.calibration
    if judged is None:
        return Section("calibration", "Calibration", absent="the evaluation holds no calibration curve")
    slope = find(material.metrics, "calibration_slope")
    caption = (
        "Calibration. Grey diagonal: the ideal; line and band: flexible curve with its 95 % interval; dots: mean prediction and observed frequency in "
        "bins of equal size; below: how the predictions are spread. On the diagonal, of those given 30 %, 30 % have the event."
    )
    blocks: list[Block] = [FigureRow((Figure(curves.calibration(judged, material.metrics), caption),))]
    if slope:
        blocks.append(Paragraph(f"By the slope, {slope_in_words(slope, material)}."))
    fitted = material.fitted
    if fitted:
        blocks.append(
            Paragraph(
                f"The logits were scaled by {decimal(fitted.slope)} and moved by {decimal(fitted.intercept)}, fitted on the "
                "validation split; the figure shows the scaled probabilities on the held-out split.",
                "note",
            )
        )
    return Section("calibration", "Calibration", blocks)


def utility(material: Material) -> Section:
    """Decision curve, and the gain at stated thresholds."""
    decision = material.evaluation.decision
    if decision is None or MODEL not in decision.strategies:
        return Section("utility", "Clinical utility", absent="the evaluation holds no decision curve")
    decision = decision.model_copy(
        update={
            "strategies": {_strategy(material, name): curve for name, curve in decision.strategies.items()}
        }
    )
    hidden = [name for name in decision.strategies if name not in curves.drawn_strategies(decision)]
    caption = (
        "Decision curve (Vickers and Elkin 2006). Net benefit counts true positives less false positives weighted by the odds "
        "of the threshold probability. The model helps where its line is above both grey ones, treating all and treating none."
    )
    if hidden:
        caption += f" Not drawn, to keep lines apart: {listed(hidden)}."
    blocks: list[Block] = [FigureRow((Figure(curves.decision_curve(decision), caption),))]
    if decision.gains:
        rows = [(sentence(metric_words(each.name).long), estimate(each)) for each in decision.gains]
        blocks.append(
            Table(
                caption="Gain in net benefit at stated thresholds.",
                columns=("Measure", "Gain (95 % interval)"),
                rows=rows,
                note="0.01 is one more true positive in 100 patients, with no false positive more. Where the model would act on everyone, or on no one, "
                "the gain is 0 without any spread. Where it treats few otherwise than the better of these two, and none or all of them have the event, "
                "the interval says what so few leave open.",
            )
        )
    return Section("utility", "Clinical utility", blocks)


def _strategy(material: Material, name: str) -> str:
    return name if name == MODEL or name in curves.DEFAULTS else row_title(material, name)


def selective(material: Material) -> Section:
    """What is gained when the least sure are left out."""
    judged = material.evaluation.selective
    if judged is None:
        return Section("selective", "Selective risk", absent="the evaluation holds no selective risk")
    caption = (
        "Selective risk. Patients are left out from the least sure on; the line is the Brier score of those who remain. A line "
        "that falls to the left means that the model knows when it does not know."
    )
    return Section(
        "selective", "Selective risk", (FigureRow((Figure(curves.selective_risk(judged), caption),)),)
    )
