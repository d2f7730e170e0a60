"""The report as one file: complete, self-contained, the same twice, and deaf to markup in a cohort's words."""

import re
from dataclasses import replace

import pytest

from tests.training.report.few import of_few
from tests.training.report.reading import Page
from tests.training.report.simulated import evaluation, external_material, material
from training.evaluation.document import Curve, Evaluation
from training.report.material import Material
from training.report.page import SECTIONS, render

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
DEPENDS_ON: dict[str, dict[str, object]] = {
    "discrimination": {"discrimination": None},
    "calibration": {"calibration": None},
    "utility": {"decision": None},
    "differences": {"comparisons": ()},
    "sets": {"sets": None},
    "subgroups": {"subgroups": ()},
    "selective": {"selective": None},
    "distance": {"distance": None},
    "gallery": {"examples": ()},
    "maps": {"heatmaps": None},
    "sanity": {"heatmaps": None},
    "robustness": {"robustness": ()},
    "performance": {"metrics": ()},
}


def _bare() -> Material:
    judged = Evaluation(
        row="prevalence",
        task="gos",
        event="favourable",
        counts={"train": 3, "test": 2},
        epochs={},
        metrics=(),
        source="a hospital",
    )
    return Material(name="bare", evaluation=judged)


@pytest.fixture(scope="module")
def bare() -> Page:
    return Page(render(_bare()))


def test_equal_material_gives_equal_bytes(report: str) -> None:
    assert render(material()) == report


def test_every_section_is_there_when_its_numbers_are(page: Page) -> None:
    names = {make(material()).name for make in SECTIONS[:3]} | set(DEPENDS_ON)
    assert names | {"models", "sizes", "learning", "run", "limits", "tripod", "summary"} <= set(page.ids())
    assert "absent" not in page.ids()


@pytest.mark.parametrize("name", DEPENDS_ON)
def test_a_section_without_its_numbers_says_why_in_one_line(name: str) -> None:
    without = replace(material(study=False), evaluation=evaluation().model_copy(update=DEPENDS_ON[name]))
    makers = {make(_bare()).name: make for make in SECTIONS}
    section = makers[name](without)
    assert not section.blocks
    assert section.absent
    assert not section.absent.endswith(".")


def test_what_is_left_out_is_named_once_and_nowhere_linked(bare: Page) -> None:
    links = [each.attributes["href"] for each in bare.all("a")]
    assert "#absent" in links
    assert "#calibration" not in links
    assert bare.text.count("Calibration : the evaluation holds no calibration curve.") == 1


def test_the_file_needs_nothing_else(page: Page, report: str) -> None:
    assert page.all("script") == page.all("link") == page.all("iframe") == []
    for element in page.elements:
        for name in ("src", "href", "xlink:href", "poster", "data"):
            assert element.attributes.get(name, "#").startswith(("#", "data:image/png;base64,"))
    style = report[report.index("<style>") : report.index("</style>")]
    assert re.findall(r"url\((?!data:font/ttf;base64,)", style) == []
    assert "@import" not in style


def test_links_within_the_page_lead_somewhere_and_ids_are_unique(page: Page) -> None:
    ids = page.ids()
    assert len(ids) == len(set(ids))
    targets = [each.attributes["href"][1:] for each in page.elements if "href" in each.attributes]
    clips = re.findall(
        r"url\(#([^)]+)\)", " ".join(each.attributes.get("clip-path", "") for each in page.elements)
    )
    assert targets
    assert clips
    assert set(targets) | set(clips) <= set(ids)


def test_headings_are_in_order_and_every_figure_and_table_is_told_in_words(page: Page) -> None:
    headings = [each.tag for each in page.elements if re.fullmatch(r"h[1-6]", each.tag)]
    assert headings[0] == "h1"
    assert set(headings[1:]) == {"h2"}
    assert len(page.all("figure")) == len(page.all("figcaption")) > 0
    assert len(page.all("table")) == len(page.all("caption")) > 0
    assert all(each.attributes.get("alt") for each in page.all("img"))
    drawings = [each.attributes for each in page.all("svg")]
    assert all(each.get("aria-label") or each.get("aria-hidden") == "true" for each in drawings)
    assert {each.attributes.get("scope") for each in page.all("th")} == {"col", "row"}


def test_phantoms_cannot_be_taken_for_patients(page: Page, report: str, bare: Page) -> None:
    assert "Phantoms, not patients" in page.text
    assert "Phantoms: no patient was studied" in page.text
    assert '@top-left { content: "Phantoms: no patient was studied"' in report
    assert "held-out patients" not in page.text
    assert "Phantoms, not patients" not in bare.text


def test_a_split_with_one_outcome_has_no_curves_and_says_so() -> None:
    given = material()
    judged = given.evaluation.discrimination
    assert judged is not None
    empty = judged.model_copy(update={"roc": Curve(x=(), y=()), "precision_recall": Curve(x=(), y=())})
    made = replace(given, evaluation=given.evaluation.model_copy(update={"discrimination": empty}))
    assert "No curves: the held-out phantoms all have the same outcome." in Page(render(made)).text


def test_numbers_of_few_held_out_cases_say_of_how_few_and_mark_no_auroc_that_there_is_not() -> None:
    """`--image-cases` says on how many of the held-out patients maps and disturbances are tried."""
    found = material(study=False)
    few = Page(render(replace(found, evaluation=of_few(found.evaluation, 2)))).text
    assert "Does the answer depend on where the maps point? With 95 % intervals; cases: 2." in few
    assert "Held-out cases disturbed on purpose, with 95 % intervals. Disturbance n Mean change" in few
    assert "40 HU 2 0.0" in few


@pytest.mark.parametrize(("row", "words"), [("mma+mhgmu", "this model higher"), ("concat", "first higher")])
def test_only_this_run_is_called_this_model_in_a_forest(row: str, words: str) -> None:
    given = material()
    assert given.study is not None
    table = given.study.table.model_copy(update={"comparisons": given.comparisons[:2]})
    study = replace(given.study, ablation=given.study.ablation.model_copy(update={"tables": (table,)}))
    made = replace(given, study=study, evaluation=given.evaluation.model_copy(update={"row": row}))
    assert words in render(made)


def test_an_unknown_source_is_said_aloud() -> None:
    unknown = _bare()
    unknown = replace(unknown, evaluation=unknown.evaluation.model_copy(update={"source": ""}))
    assert "Source of the patients not stated" in Page(render(unknown)).text


def test_a_cohorts_words_stay_words() -> None:
    judged = evaluation()
    assert judged.decision is not None
    strategies = {**judged.decision.strategies, EVIL: judged.decision.strategies["model"]}
    planted = judged.model_copy(
        update={
            "source": EVIL,
            "split": EVIL,
            "event": EVIL,
            "classes": (EVIL,) * 5,
            "decision": judged.decision.model_copy(update={"strategies": strategies}),
            "subgroups": tuple(each.model_copy(update={"level": EVIL}) for each in judged.subgroups),
            "robustness": tuple(each.model_copy(update={"kind": EVIL}) for each in judged.robustness),
            "examples": tuple(
                each.model_copy(update={"caption": EVIL, "outcome": EVIL}) for each in judged.examples
            ),
            "cohort_table": tuple(each.model_copy(update={"variable": EVIL}) for each in judged.cohort_table),
        }
    )
    features = tuple(each.model_copy(update={"title": EVIL}) for each in material().features)
    page = Page(render(replace(material(), name=EVIL, evaluation=planted, features=features)))
    assert page.all("script") == []
    assert {each.attributes["src"][:22] for each in page.all("img")} == {"data:image/png;base64,"}
    assert [name for each in page.elements for name in each.attributes if name.startswith("on")] == []
    assert not any("script" in comment for comment in page.comments)
    assert page.text.count("<script>alert(1)</script>") > len(judged.subgroups)


def test_a_package_on_another_cohort_is_called_neither_a_run_nor_held_out() -> None:
    page = Page(render(external_material()))
    assert "External validation of a prediction model" in page.text
    for word in ("held-out patients", "held-out split", "fixed on the validation split", "this run", "Run "):
        assert word not in page.text
    assert {"performance", "calibration", "sets", "subgroups", "limits"} <= set(page.ids())
    assert "TRIPOD+AI checklist" in page.text.rsplit("Left out", 1)[1]


def test_what_a_package_is_for_stands_above_its_numbers_whoever_the_patients_are() -> None:
    """A package of phantoms that is judged on patients is still one of phantoms."""
    page = Page(render(external_material(source="a hospital")))
    assert page.text.index("Demonstration only.") < page.text.rindex("Results in words")


def test_numbers_of_a_package_stand_beside_those_that_it_states() -> None:
    judged = external_material()
    stated = judged.metrics[0].model_copy(update={"value": 0.987})
    shown = external_material(stated=(stated,))
    assert "Stated by the package" in Page(render(shown)).text
    assert "0.987" in Page(render(shown)).text
