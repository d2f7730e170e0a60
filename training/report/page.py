"""The sections set as one HTML file that needs nothing else: no network, no script, fonts and pictures inside."""

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from training.report.blocks import Section, kind_of
from training.report.headline import headline, patients
from training.report.material import Material
from training.report.methods import read_in_words
from training.report.sections import comparison, heatmaps, performance, run
from training.report.sections import patients as people
from training.report.style import FONTS
from training.report.tripod import checklist

HERE = Path(__file__).parent
FACES = (
    ("Inter", 400, "normal", "Inter-Regular.ttf"),
    ("Inter", 600, "normal", "Inter-SemiBold.ttf"),
    ("STIX Two Text", 400, "normal", "STIXTwoText-Regular.ttf"),
    ("STIX Two Text", 400, "italic", "STIXTwoText-Italic.ttf"),
    ("STIX Two Text", 600, "normal", "STIXTwoText-SemiBold.ttf"),
)
TITLES = {
    "gos": "Outcome after intracerebral haemorrhage",
    "ad": "Alzheimer's disease or normal cognition",
}
SECTIONS: tuple[Callable[[Material], Section], ...] = (
    people.cohort,
    run.method,
    performance.performance,
    performance.discrimination,
    performance.calibration,
    performance.utility,
    comparison.model_table,
    comparison.differences,
    comparison.sizes,
    people.sets,
    people.subgroups,
    performance.selective,
    people.distance,
    heatmaps.gallery,
    heatmaps.maps,
    heatmaps.sanity,
    heatmaps.robustness,
    comparison.learning,
    run.facts,
    run.limits,
    checklist,
)
"""In the order of a paper: who, how, how well, beside whom, for whom, where it looks, what it may not be used for."""


def render(material: Material) -> str:
    """The report as HTML; equal material gives equal bytes."""
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["kind"] = kind_of
    sections = [make(material) for make in SECTIONS]
    return environment.get_template("page.html").render(
        title=TITLES[material.evaluation.task] + read_in_words(material),
        material=material,
        subjects=patients(material),
        headline=headline(material),
        sections=[each for each in sections if each.blocks],
        absent=[each for each in sections if not each.blocks],
        style=_style(),
    )


def _style() -> Markup:
    """The style sheet with the fonts inside."""
    faces = "\n".join(
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-style: {slope}; '
        f"src: url(data:font/ttf;base64,{b64encode((FONTS / file).read_bytes()).decode()}); }}"
        for family, weight, slope, file in FACES
    )
    return Markup(faces + "\n" + (HERE / "page.css").read_text(encoding="utf-8"))  # noqa: S704 - files of this package  # nosec B704
