from dataclasses import replace

import pytest

from app.imaging.head.find import find_head
from app.imaging.head.silhouette import Silhouette, silhouette
from app.imaging.head.skull import has_shell_of_bone, is_outermost, is_stripped
from app.imaging.volume import Modality
from tests.imaging.bodies import MR_HEAD, after_hemicraniectomy, brain_alone, head, image_of
from tests.imaging.making import Field

CT, MR = Modality.CT, Modality.MR


def outline_of(field: Field, modality: Modality) -> Silhouette:
    volume = image_of(field, modality)
    return silhouette(volume, find_head(volume))


@pytest.mark.parametrize("field", [head(), after_hemicraniectomy, head(size=0.8)])
def test_a_head_has_a_shell_of_bone_after_surgery_too(field: Field) -> None:
    outline = outline_of(field, CT)
    assert has_shell_of_bone(outline)
    assert not is_stripped(CT, outline)


@pytest.mark.parametrize(("modality", "brain", "outside"), [(CT, 35.0, -1000.0), (MR, 300.0, 0.0)])
def test_a_brain_alone_is_stripped(modality: Modality, brain: float, outside: float) -> None:
    assert is_stripped(modality, outline_of(brain_alone(brain, outside), modality))


def test_a_receiver_s_noise_outside_is_no_stripping() -> None:
    assert not is_stripped(MR, outline_of(brain_alone(300.0, 4.0), MR))


@pytest.mark.parametrize("scalp_mm", [6.0, 10.0])
def test_a_zeroed_background_is_no_stripping_where_a_skull_is_seen(scalp_mm: float) -> None:
    _, scalp, skull, brain = MR_HEAD
    assert not is_stripped(MR, outline_of(head((0.0, scalp, skull, brain), scalp_mm=scalp_mm), MR))


@pytest.mark.parametrize("scalp_mm", [3.0, 6.0])
def test_a_scalp_parted_by_dark_skull_is_seen_around_the_body(scalp_mm: float) -> None:
    assert not is_outermost(MR, outline_of(head(MR_HEAD, scalp_mm=scalp_mm), MR))


@pytest.mark.parametrize(("around", "expected"), [(4.0, True), (70.0, True), (80.0, False)])
def test_what_is_less_than_a_quarter_as_bright_as_the_body_is_nothing_around_it(
    around: float, expected: bool
) -> None:
    assert is_outermost(MR, outline_of(brain_alone(300.0, around), MR)) is expected


def test_nothing_lies_around_a_body_with_which_the_image_ends() -> None:
    whole = outline_of(brain_alone(300.0, 4.0), MR)
    seen = whole.inward_mm >= 0
    assert is_outermost(
        MR,
        replace(
            whole,
            values=whole.values[seen],
            cell=whole.cell[seen],
            inward_mm=whole.inward_mm[seen],
            body=whole.body[seen],
        ),
    )
