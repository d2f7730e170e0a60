import pytest

from training.networks.config import BackboneConfig, GmuConfig, MmaConfig, ModelConfig


def test_the_default_is_the_full_model_on_ct() -> None:
    config = ModelConfig()
    assert (config.fusion, config.mma.active, config.image_channels) == ("mhgmu", True, 3)


def test_an_mr_image_enters_the_backbone_as_one_channel() -> None:
    assert ModelConfig(intensity="mr-zscore").image_channels == 1


def test_an_even_stem_kernel_is_refused_because_it_would_shift_the_heatmap() -> None:
    with pytest.raises(ValueError, match="odd"):
        BackboneConfig(stem_kernel=(3, 4, 5))


def test_a_stem_must_have_one_number_per_axis() -> None:
    with pytest.raises(ValueError, match="need 2 numbers"):
        BackboneConfig(spatial_dims=2)


@pytest.mark.parametrize("stages", [(), (0, 1), (5,), (2, 1), (1, 1)])
def test_stages_must_rise_within_1_to_4(stages: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="rising"):
        MmaConfig(stages=stages)


def test_an_even_attention_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match="odd"):
        MmaConfig(kernel=(4, 4, 4))


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ValueError, match="multiple"):
        GmuConfig(width=10, heads=4)


def test_an_attention_kernel_must_have_the_images_axes() -> None:
    with pytest.raises(ValueError, match="kernel needs 3"):
        ModelConfig(mma=MmaConfig(kernel=(7, 7)))


def test_the_record_row_has_no_gates() -> None:
    with pytest.raises(ValueError, match="no image"):
        ModelConfig(fusion="record")


def test_the_image_row_must_not_see_the_record_through_its_gates() -> None:
    with pytest.raises(ValueError, match="must not see the record"):
        ModelConfig(fusion="image")
    assert ModelConfig(fusion="image", mma=MmaConfig(use_ehr=False)).mma.active
