import numpy as np
import pytest

from app.imaging.head.cut_off import missing_mm
from app.imaging.head.find import find_head
from app.imaging.head.not_a_head import fills_view, what_else
from app.imaging.head.silhouette import silhouette
from app.imaging.volume import Modality, Volume
from tests.imaging.bodies import (
    MR_HEAD,
    Points,
    Values,
    after_hemicraniectomy,
    bottle,
    brain_alone,
    head,
    image_of,
    limb,
    noise,
    trunk,
)
from tests.imaging.making import Field

CT, MR = Modality.CT, Modality.MR
CT_LIMB, MR_LIMB = (-1000.0, 40.0, 900.0), (4.0, 200.0, 300.0)
WIDE = ((-200.0, -160.0, -150.0), (200.0, 160.0, 110.0))


def shown(volume: Volume) -> str | None:
    found = find_head(volume)
    return what_else(volume.modality, silhouette(volume, found), frozenset(missing_mm(volume, found)))


def mr_trunk(points: Points) -> Values:
    return np.asarray(np.maximum(trunk(lungs=True)(points) + 1000, 10))


def head_above_lungs(points: Points) -> Values:
    """As in a CTA from the arch to the vertex: lung from 190 mm below the vertex on."""
    chest = points[..., 2] < -105
    return np.where(chest, trunk(lungs=True)(points), head()(points))


@pytest.mark.parametrize("scale", [1.0, 0.6])
def test_a_chest_is_known_by_its_lungs(scale: float) -> None:
    assert "lung" in (shown(image_of(trunk(lungs=True, scale=scale), CT, *WIDE)) or "")


def test_lungs_far_below_a_head_are_no_chest() -> None:
    assert shown(image_of(head_above_lungs, CT, (-180, -130, -250), (180, 130, 110))) is None


@pytest.mark.parametrize(("field", "modality"), [(trunk(lungs=False), CT), (mr_trunk, MR)])
def test_a_trunk_is_wider_than_any_head(field: Field, modality: Modality) -> None:
    assert "wider" in (shown(image_of(field, modality, *WIDE)) or "")


@pytest.mark.parametrize("size", [0.8, 1.0, 1.3])
@pytest.mark.parametrize(("layers", "modality"), [((-1000.0, 20.0, 900.0, 35.0), CT), (MR_HEAD, MR)])
def test_heads_of_every_size_may_be_heads(
    size: float, layers: tuple[float, float, float, float], modality: Modality
) -> None:
    assert shown(image_of(head(layers, size=size), modality, *WIDE)) is None


@pytest.mark.parametrize(("values", "modality"), [(CT_LIMB, CT), (MR_LIMB, MR)])
def test_a_knee_is_a_limb(values: tuple[float, float, float], modality: Modality) -> None:
    assert "limb" in (shown(image_of(limb(60.0, 35.0, values), modality)) or "")


def test_what_has_a_scalp_around_it_is_no_limb_however_even_it_is() -> None:
    inside = limb(60.0, 0.0, (4.0, 300.0, 300.0))

    def parted(points: Points) -> Values:
        across = np.hypot(points[..., 0], points[..., 1])
        return np.where((across >= 60) & (across < 80), np.where(across < 72, 20.0, 200.0), inside(points))

    assert shown(image_of(parted, MR)) is None


def test_a_thigh_has_its_bone_inside() -> None:
    assert "none around" in (shown(image_of(limb(85.0, 16.0, CT_LIMB), CT)) or "")


@pytest.mark.parametrize("top", [70.0, 45.0, 10.0])
def test_a_head_cut_at_the_top_is_no_limb(top: float) -> None:
    for layers, modality in (((-1000.0, 20.0, 900.0, 35.0), CT), (MR_HEAD, MR)):
        assert shown(image_of(head(layers), modality, high=(120, 130, top))) is None


@pytest.mark.parametrize(
    "field", [after_hemicraniectomy, brain_alone(35.0, -1000.0), bottle, lambda p: np.minimum(head()(p), 100)]
)
def test_surgery_stripping_water_and_clipping_are_not_refused(field: Field) -> None:
    assert shown(image_of(field, CT)) is None


def test_an_enlarged_part_of_a_head_is_not_refused() -> None:
    assert shown(image_of(head(), CT, (-45, -60, -60), (45, 60, 60))) is None


def test_noise_fills_the_view_and_says_nothing_of_width() -> None:
    assert shown(image_of(noise, MR, *WIDE)) is None
    assert fills_view(frozenset({"left", "right", "front", "top"}))
    assert not fills_view(frozenset({"left", "right", "top"}))
