"""TRIPOD+AI (Collins et al., BMJ 2024;385:e078378): each item answered from the run's own facts, or named as missing.

Nothing is inferred that the run does not know. An item may be answered in part: what the run knows, and what the authors must add.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from app.ehr.unit_words import unit_words
from training.report.blocks import Cell, Paragraph, Section, Table
from training.report.headline import patients
from training.report.material import Material
from training.report.methods import reads_image, reads_record
from training.report.words import listed, percent

ITEMS_FILE = Path(__file__).with_name("tripod.toml")
Status = Literal["answered", "in part", "missing", "not applicable"]
NAMES = {"gos": "prognostic", "ad": "diagnostic"}
MISSING_NUMBER = {
    "mlp": "the mean of the training patients, with a flag beside it that says so",
    "tokens": "a learned token of its own",
}
SUBJECTS = {"gos": "intracerebral haemorrhage", "ad": "cognitive impairment or none"}


@dataclass(frozen=True)
class Item:
    """One part of the checklist.

    Attributes:
        number: As published, such as `12c`.
        section: Part of a paper.
        topic: Its name.
        asks: What is to be reported, in short.
        authors: What only the authors can supply; empty where the run knows all of it.
        phantoms: Why it does not apply where no patient was studied; empty where it does.
    """

    number: str
    section: str
    topic: str
    asks: str
    authors: str = ""
    phantoms: str = ""


@dataclass(frozen=True)
class Answer:
    """What the report says to an item."""

    status: Status
    text: str


@cache
def items() -> tuple[Item, ...]:
    """The checklist, in its order."""
    return tuple(Item(**each) for each in tomllib.loads(ITEMS_FILE.read_text(encoding="utf-8"))["item"])


def answer(item: Item, material: Material) -> Answer:
    """Answer one item by the rule in the module's docstring."""
    if material.phantoms and item.phantoms:
        return Answer("not applicable", item.phantoms)
    known = KNOWN[item.number](material) if item.number in KNOWN else ""
    missing = f"Missing: the authors must supply {item.authors}." if item.authors else ""
    if known and missing:
        return Answer("in part", f"{known} {missing}")
    if known:
        return Answer("answered", known)
    return Answer("missing", missing or "Missing: the run does not hold it, the authors must supply it.")


def checklist(material: Material) -> Section:
    """The whole checklist as a table."""
    if material.external:
        return Section(
            "tripod",
            "TRIPOD+AI checklist",
            absent="it is answered from the facts of a run, which a package does not hold",
        )
    answers = [(item, answer(item, material)) for item in items()]
    rows = [
        (
            Cell(item.number),
            f"{item.topic}: {item.asks}",
            Cell(found.status, strong=found.status == "missing"),
            found.text,
        )
        for item, found in answers
    ]
    counts = {status: sum(found.status == status for _, found in answers) for status in _order()}
    summary = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    table = Table(
        caption="TRIPOD+AI, answered from the run's own facts.",
        columns=("Item", "Asked", "Status", "Answer"),
        rows=rows,
        texts=frozenset({0, 1, 2, 3}),
        note="Items in short words; the published checklist decides (Collins et al., BMJ 2024;385:e078378).",
    )
    return Section(
        "tripod",
        "TRIPOD+AI checklist",
        (Paragraph(f"Of {len(answers)} parts of 27 items: {summary}."), table),
    )


def _order() -> tuple[Status, ...]:
    return ("answered", "in part", "missing", "not applicable")


def _title(m: Material) -> str:
    return (
        f"This report is titled as the development and internal evaluation of a {NAMES[m.evaluation.task]} model of: "
        f"{m.evaluation.event}."
    )


def _abstract(m: Material) -> str:
    return "Headline results with intervals stand at the top of this report." if m.metrics else ""


def _context(m: Material) -> str:
    model = m.config.model if m.config else None
    image = ["one image"] if model is None or reads_image(model) else []
    record = ["the record"] if model is None or reads_record(model) else []
    return f"A {NAMES[m.evaluation.task]} model for {SUBJECTS[m.evaluation.task]}, from {listed([*image, *record])}."


def _use(_: Material) -> str:
    return "For research; not for treatment or withdrawal decisions."


def _objective(_: Material) -> str:
    return (
        "Development, and internal evaluation on a held-out split of the same cohort; no external validation."
    )


def _source(m: Material) -> str:
    if m.phantoms:
        return "Phantoms: synthetic images, records and outcomes (docs/concepts/phantoms.md)."
    return f"The cohort's own words: {m.evaluation.source}." if m.evaluation.source else ""


def _preparation(m: Material) -> str:
    if m.config is None:
        return ""
    return "Every image took the same path: checked, oriented, resampled to one grid (see Methods)."


def _outcome(m: Material) -> str:
    return f"The event is: {m.evaluation.event}."


def _features(m: Material) -> str:
    return (
        f"All {len(m.features)} features that the cohort describes; none was selected by its outcome."
        if m.features
        else ""
    )


def _defined(m: Material) -> str:
    if not m.features:
        return ""
    each = [
        f"{feature.title} ({unit_words(feature.unit or '') or ', '.join(feature.categories) or 'score'})"
        for feature in m.features
    ]
    return f"{listed(each)}."


def _size(m: Material) -> str:
    return f"{_counts(m)}. No sample size was calculated by the software."


def _counts(m: Material) -> str:
    events = m.evaluation.events
    return ", ".join(
        f"{split} {count}" + (f" ({events[split]} events)" if split in events else "")
        for split, count in m.evaluation.counts.items()
    )


def _missing_data(m: Material) -> str:
    if m.config is None:
        return ""
    if not reads_record(m.config.model):
        return "No record is read."
    number = MISSING_NUMBER[m.config.model.ehr.kind]
    needed = f" An answer needs at least {m.fewest_features} known features." if m.fewest_features else ""
    return f"A missing number enters as {number}, a missing category as a level of its own.{needed}"


def _partition(m: Material) -> str:
    how = f" ({m.evaluation.split})" if m.evaluation.split else ""
    return f"One split by patient{how}: {_counts(m)}. The held-out split was opened once."


def _handling(m: Material) -> str:
    if m.config is None or not reads_record(m.config.model):
        return ""
    log = f"; as log(1 + value): {', '.join(m.config.model.ehr.log1p)}" if m.config.model.ehr.log1p else ""
    return f"Numbers standardised by the training split and clipped at 5 standard deviations{log}; categories embedded."


def _model(m: Material) -> str:
    return (
        f"Row {m.evaluation.row}; network, optimiser and early stopping in Methods, digest in The run."
        if m.config
        else ""
    )


def _measures(m: Material) -> str:
    parts = {
        "ROC, precision-recall": m.evaluation.discrimination,
        "calibration": m.evaluation.calibration,
        "decision curves": m.evaluation.decision,
        "prediction sets": m.evaluation.sets,
        "paired comparisons with Holm's correction": m.comparisons,
        "selective risk": m.evaluation.selective,
    }
    return f"{listed([name for name, part in parts.items() if part])}; see the sections of these names."


def _no_update(_: Material) -> str:
    return "None: the calibration was fitted before the held-out split was opened."


def _predictions(m: Material) -> str:
    if m.config is None:
        return f"By the fitted model of the row {m.evaluation.row}, which is no network and is not served."
    if not m.is_served:
        return "By the trained network in PyTorch, which is for comparison and not served."
    return (
        "By the trained network in PyTorch; the exported ONNX graph gives the same probabilities within 1e-4."
    )


def _imbalance(m: Material) -> str:
    return "No class was weighted or resampled." if m.config else ""


def _fairness(m: Material) -> str:
    if not m.evaluation.subgroups:
        return ""
    variables = listed(list(dict.fromkeys(group.variable for group in m.evaluation.subgroups)))
    return f"Performance is given by {variables} (Subgroups); no step was taken to equalise it."


def _output(m: Material) -> str:
    judged = m.evaluation.discrimination
    threshold = (
        f" The threshold of {judged.threshold:.2f} was fixed on the validation split." if judged else ""
    )
    return f"A probability of each class, and a prediction set.{threshold}"


def _same(_: Material) -> str:
    return "All splits are parts of one cohort, with one description of outcome and features."


def _code(_: Material) -> str:
    return (
        "NeuroFuse is open source under the Apache License 2.0; configuration digest and versions in The run."
    )


def _characteristics(m: Material) -> str:
    return "See Cohort, with missing values." if m.evaluation.cohort_table else ""


def _specification(m: Material) -> str:
    if not m.is_served:
        return ""
    return "The run exports to a sealed package (ONNX) that a service or a script can answer from."


def _performance(m: Material) -> str:
    area = next((each for each in m.metrics if each.name == "auroc"), None)
    groups = "; subgroups in their section" if m.evaluation.subgroups else ""
    return f"See Held-out performance, with 95 % intervals on {area.n} {patients(m)}{groups}." if area else ""


def _limits(_: Material) -> str:
    return "See Limits."


def _input(m: Material) -> str:
    if not m.is_served:
        return ""
    judged = m.evaluation.distance
    flagged = (
        f" Cases beyond {percent(judged.threshold)} of the calibration cases are flagged." if judged else ""
    )
    return (
        "The service refuses images that are damaged, of the wrong kind or no head, and values out of the plausible range; missing "
        f"values are allowed.{flagged}"
    )


def _interaction(m: Material) -> str:
    if not m.is_served:
        return ""
    return "A user gives the image and types or sends the record; no image needs preparing by hand."


KNOWN: dict[str, Callable[[Material], str]] = {
    "1": _title,
    "2": _abstract,
    "3a": _context,
    "3b": _use,
    "4": _objective,
    "5a": _source,
    "7": _preparation,
    "8a": _outcome,
    "9a": _features,
    "9b": _defined,
    "10": _size,
    "11": _missing_data,
    "12a": _partition,
    "12b": _handling,
    "12c": _model,
    "12e": _measures,
    "12f": _no_update,
    "12g": _predictions,
    "13": _imbalance,
    "14": _fairness,
    "15": _output,
    "16": _same,
    "18f": _code,
    "20a": _counts,
    "20b": _characteristics,
    "20c": _characteristics,
    "21": _counts,
    "22": _specification,
    "23a": _performance,
    "24": _no_update,
    "26": _limits,
    "27a": _input,
    "27b": _interaction,
}
"""What the run knows, by item; items that are not here belong to the authors."""
