"""How the run was made, and what it may not be used for."""

from training.report.blocks import Bullets, Paragraph, Section, Table
from training.report.headline import has_too_few_for_slope, patients
from training.report.material import Material
from training.report.methods import methods
from training.report.words import find

TITLES = {
    "started": "Started",
    "python": "Python",
    "neurofuse": "NeuroFuse",
    "torch": "PyTorch",
    "monai": "MONAI",
    "lightning": "Lightning",
    "numpy": "NumPy",
    "scikit-learn": "scikit-learn",
    "onnx": "ONNX",
    "system": "System",
    "processor": "Processor",
    "accelerator": "Accelerator",
}
SECONDS_PER_MINUTE = 60


def method(material: Material) -> Section:
    """The methods paragraph."""
    return Section("methods", "Methods", [Paragraph(text) for text in methods(material)])


def facts(material: Material) -> Section:
    """Seed, digest, versions, time."""
    rows: list[tuple[str, str]] = [
        ("Package" if material.external else "Row of the model table", material.evaluation.row)
    ]
    if material.config:
        rows += [
            ("Seed", str(material.config.seed)),
            ("Configuration, SHA-256 (first half)", material.config_digest),
        ]
    if material.parameters is not None:
        rows.append(("Parameters", f"{material.parameters:,}".replace(",", "\N{THIN SPACE}")))
    if material.history:
        minutes = sum(each.seconds for each in material.history) / SECONDS_PER_MINUTE
        rows += [("Epochs run", str(len(material.history))), ("Training time", f"{minutes:.1f} min")]
    if material.kept_epoch:
        rows.append(("Epoch kept", str(material.kept_epoch)))
    if material.evaluation.epochs:
        given = ", ".join(f"{name} {count}" for name, count in material.evaluation.epochs.items())
        rows.append(("Most epochs given to each network", given))
    rows += [(TITLES.get(key, key), value) for key, value in material.environment.items()]
    table = Table(caption="Facts of the run.", columns=("Fact", "Value"), rows=rows, texts=frozenset({0, 1}))
    if material.environment:
        return Section("run", "The run", (table,))
    missing = Paragraph("Missing: this run noted no versions and no machine.", "missing")
    return Section("run", "The run", (table, missing))


def limits(material: Material) -> Section:
    """What follows from the design of every run, and from this one."""
    evaluation = material.evaluation
    items = [
        f"The numbers hold for {patients(material)} drawn like those of this cohort. They say nothing about patients of another "
        f"hospital{'' if material.external else '; that needs an external evaluation'}.",
        "Research use; not for decisions on treatment or its withdrawal. Outcome models of intracerebral haemorrhage are biased by "
        "care limitation: patients whose care was withdrawn could not recover."
        if evaluation.task == "gos"
        else "Research use; not for decisions on diagnosis or treatment.",
        "A heatmap is relative within one image and shows attention, not cause; the image share of a gate is a share of a mixture, "
        "not an importance.",
    ]
    if material.phantoms:
        items.insert(
            0,
            "Phantoms were drawn from a risk model of this project; a model of them has learnt that model, not medicine.",
        )
    slope = find(material.metrics, "calibration_slope")
    if slope and not has_too_few_for_slope(slope, material) and not slope.low <= 1 <= slope.high:
        items.append(
            "The calibration slope differs from 1: recalibrate (`python -m training recalibrate`) before any probability is read as a risk."
        )
    few = [f"{group.variable} {group.level}" for group in evaluation.subgroups if group.too_few]
    if few:
        items.append(f"Too few patients to judge: {', '.join(few)}.")
    return Section("limits", "Limits", (Bullets(items),))
