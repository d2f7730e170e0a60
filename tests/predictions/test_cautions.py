"""Each limit of an answer is said with it, and only then."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.imaging.volume import Finding
from app.inference.calibration import OodResult
from app.inference.case import Analysis, analyse
from app.inference.predictor import Predictor
from app.model_package.training_summary import Taken
from app.predictions.answer import Caution
from app.predictions.cautions import cautions
from app.predictions.summary import record_used


@pytest.fixture(scope="module")
def analysis(gos_predictor: Predictor, head_ct: Path) -> Analysis:
    found = analyse([head_ct], {"age": 60, "gcs": 14}, gos_predictor, "none")
    ordinary = OodResult(score=0.1, threshold=0.95, flagged=False)
    return replace(found, outputs=replace(found.outputs, out_of_distribution=ordinary, abstained=False))


def said_of(analysis: Analysis, taken: dict[str, Taken] | None = None) -> list[Caution]:
    return cautions(analysis, record_used(analysis.record, analysis.outputs, taken or {}))


def codes(analysis: Analysis) -> list[str]:
    return [caution.code for caution in said_of(analysis)]


def test_an_ordinary_answer_says_what_the_model_was_trained_on(analysis: Analysis) -> None:
    assert codes(analysis) == ["training-data"]
    assert said_of(analysis)[0].detail == analysis.package.manifest.training_data


def test_an_unusual_case_is_flagged_with_its_score(analysis: Analysis) -> None:
    unusual = OodResult(score=0.987, threshold=0.95, flagged=True)
    flagged = replace(analysis, outputs=replace(analysis.outputs, out_of_distribution=unusual))
    assert codes(flagged) == ["training-data", "out-of-distribution"]
    assert "0.987" in said_of(flagged)[1].detail


def test_of_a_case_that_is_flagged_and_abstained_from_both_are_said(analysis: Analysis) -> None:
    unusual = OodResult(score=0.987, threshold=0.95, flagged=True)
    outputs = replace(analysis.outputs, out_of_distribution=unusual, abstained=True)
    assert codes(replace(analysis, outputs=outputs)) == ["training-data", "out-of-distribution", "abstained"]


def test_an_abstention_is_said(analysis: Analysis) -> None:
    assert "abstained" in codes(replace(analysis, outputs=replace(analysis.outputs, abstained=True)))


@pytest.mark.parametrize(
    ("code", "limits"),
    [("head-cut-off", True), ("weighting-doubtful", True), ("gantry-tilt-corrected", False)],
)
def test_findings_that_limit_an_answer_are_said_with_it_and_others_are_not(
    analysis: Analysis, code: str, limits: bool
) -> None:
    volume = replace(analysis.volume, findings=(Finding(code, "as found"),))
    assert (code in codes(replace(analysis, volume=volume))) is limits


def test_an_empty_record_is_said(gos_predictor: Predictor, head_ct: Path) -> None:
    assert "empty-record" in codes(analyse([head_ct], {}, gos_predictor, "none"))


def test_values_that_the_network_took_as_others_are_said_with_what_it_took_them_as(
    analysis: Analysis,
) -> None:
    said = said_of(analysis, {"age": 34.62, "gcs": "missing"})[-1]
    assert said.code == "beyond-training"
    assert "Age as 34.6 years; Glasgow Coma Scale, total as not known" in said.detail
