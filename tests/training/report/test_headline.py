"""The results in words say what the numbers say, and no more."""

from dataclasses import replace

import pytest

from tests.training.report.answers import near
from tests.training.report.simulated import external_material, material
from training.evaluation.document import Comparison
from training.evaluation.network_maps import GRAD_CAM_LAST
from training.report.headline import headline, signed, slope_in_words
from training.report.sections.run import limits
from training.report.words import find


def _against(gain: float, p_holm: float) -> str:
    compared = Comparison(
        row="model",
        against="rival",
        metric="auroc",
        difference=near("auroc", gain),
        p=p_holm / 2,
        p_holm=p_holm,
    )
    judged = material(study=False)
    judged = replace(judged, evaluation=judged.evaluation.model_copy(update={"comparisons": (compared,)}))
    return next(each for each in headline(judged) if "rival" in each)


def test_a_gain_is_claimed_only_below_the_level_after_holms_correction() -> None:
    assert _against(0.05, 0.04).startswith("Its AUROC was higher than that of rival (+0.050")
    assert _against(0.05, 0.06).startswith("A difference in AUROC was not shown against rival")
    assert _against(-0.05, 0.04).startswith("Its AUROC was lower than that of rival (\N{MINUS SIGN}0.050")


@pytest.mark.parametrize(
    ("value", "half", "words"),
    [
        (1.02, 0.1, "close to the ideal of 1"),
        (1.3, 0.4, "not told apart from the ideal of 1, with a wide interval"),
        (0.7, 0.1, "probabilities were too extreme"),
        (1.4, 0.1, "probabilities were too timid"),
    ],
)
def test_a_slope_is_judged_by_its_interval(value: float, half: float, words: str) -> None:
    assert slope_in_words(near("calibration_slope", value, half), material(study=False)) == words


def test_of_very_few_events_the_slope_is_not_judged() -> None:
    few = external_material(events=9)
    assert slope_in_words(near("calibration_slope", 1.4, 0.1), few) == (
        "fewer than 10 patients had one of the outcomes, too few to judge it"
    )
    steep = near("calibration_slope", 1.4, 0.1)
    for judged, told in ((few, False), (external_material(), True)):
        evaluation = judged.evaluation.model_copy(update={"metrics": (steep,)})
        assert ("slope differs" in str(limits(replace(judged, evaluation=evaluation)))) == told


@pytest.mark.parametrize(
    ("value", "words"),
    [(-0.84, "happened less often than was foretold"), (0.84, "happened more often"), (0.1, "")],
)
def test_a_model_that_is_too_high_or_too_low_for_everyone_is_not_called_ideal_by_its_slope(
    value: float, words: str
) -> None:
    judged = material(study=False)
    metrics = (near("calibration_slope", 1.02, 0.1), near("calibration_in_the_large", value, 0.5))
    judged = replace(judged, evaluation=judged.evaluation.model_copy(update={"metrics": metrics}))
    said = next(each for each in headline(judged) if "slope" in each)
    assert said.startswith("The calibration slope was 1.02")
    assert words in said
    assert ("foretold" in said) == bool(words)


def test_nothing_is_said_of_what_was_not_measured() -> None:
    judged = material(study=False)
    empty = judged.evaluation.model_copy(
        update={"metrics": (), "comparisons": (), "sets": None, "heatmaps": None}
    )
    assert headline(replace(judged, evaluation=empty)) == []


def test_a_difference_carries_its_sign() -> None:
    assert [signed(0.1), signed(-0.1), signed(0.0)] == ["+0.100", "\N{MINUS SIGN}0.100", "0.000"]


def test_the_peak_is_held_against_the_chance_of_the_region_itself() -> None:
    """The pointing game counts a cell beside the region too, where a random point lies more often."""
    judged = material(study=False)
    assert judged.evaluation.heatmaps is not None
    words = next(each for each in headline(judged) if "peak of the heatmap" in each)
    strict = find(judged.evaluation.heatmaps.methods[0].metrics, "pointing_strict")
    assert strict is not None
    assert f"{strict.value:.1%}"[:4] in words


def test_of_a_row_without_gates_no_heatmap_is_spoken_of() -> None:
    """Its maps begin with Grad-CAM, which the service does not give."""
    judged = material(study=False)
    maps = judged.evaluation.heatmaps
    assert maps is not None
    reference = maps.methods[0].model_copy(update={"name": GRAD_CAM_LAST})
    maps = maps.model_copy(update={"methods": (reference, *maps.methods[1:])})
    judged = replace(judged, evaluation=judged.evaluation.model_copy(update={"heatmaps": maps}))
    (words,) = [each for each in headline(judged) if each.startswith("The peak of")]
    assert words.startswith("The peak of Grad-CAM, last stage, for the row has no heatmap of its own, lay in")


def test_of_a_package_it_is_said_who_got_no_answer_and_what_it_states_itself() -> None:
    said = headline(external_material())
    assert "patients of another cohort" in said[0]
    assert "of its own held-out cases the package states" in said[0]
    assert said[1].startswith("2 of ")
    assert not any("got no answer" in each for each in headline(external_material(refused={})))


@pytest.mark.parametrize(("events", "warned"), [(99, True), (100, False)])
def test_fewer_than_a_hundred_with_the_event_are_too_few_to_judge_a_package(
    events: int, warned: bool
) -> None:
    said = " ".join(headline(external_material(events=events)))
    assert ("takes at least 100 patients with the event" in said) == warned
