"""training.evaluation.grad_cam: the equation, and where it points in a world whose answer is in one place."""

from dataclasses import replace

import numpy as np
import torch
from scipy.ndimage import binary_dilation
from torch import nn

from training.evaluation.grad_cam import grad_cam, predicted_class_log_odds, watched
from training.evaluation.network_maps import GRAD_CAM_LAST, Cases, network_maps
from training.networks.heads import class_probabilities
from training.networks.rows import row
from training.networks.slices import fold
from training.worlds.planted import make_world
from training.worlds.trials import fit, tensors, world_config

SEEDS = (0, 1)
WIDENED = 4
"""Pixels: half a cell of the last stage."""


def test_of_a_score_that_is_a_weighted_mean_it_is_the_weighted_features() -> None:
    torch.manual_seed(0)
    features = torch.randn(2, 3, 4, 5, requires_grad=True)
    weights = torch.tensor([1.0, -2.0, 0.5])
    score = (features * weights.view(1, 3, 1, 1)).flatten(1).sum(1)
    expected = (features * weights.view(1, 3, 1, 1)).sum(1).clamp(min=0)
    assert torch.allclose(grad_cam(features, score), expected)


def test_slices_of_one_patient_share_their_weights() -> None:
    """As the volume [B, C, D, h, w] of the same features has it."""
    torch.manual_seed(0)
    volume = torch.randn(2, 3, 4, 5, 5, requires_grad=True)
    slices = fold(volume).detach().requires_grad_()
    weight = torch.rand(3, 4, 5, 5)
    of_volume = grad_cam(volume, (volume**2 * weight).flatten(1).sum(1))
    score = (slices.view(2, 4, 3, 5, 5).transpose(1, 2) ** 2 * weight).flatten(1).sum(1)
    assert torch.allclose(grad_cam(slices, score, depth=4), of_volume, atol=1e-6)


def test_the_score_of_a_binary_outcome_is_its_logit_up_to_sign() -> None:
    logits = torch.tensor([[-3.0], [-0.1], [0.2], [7.0]])
    assert torch.allclose(predicted_class_log_odds(logits).float(), logits[:, 0].abs(), atol=1e-5)


def test_the_score_of_grades_rises_with_the_most_likely_ones_probability() -> None:
    torch.manual_seed(0)
    logits = torch.randn(50, 4)
    highest = class_probabilities(logits).amax(1)
    assert torch.equal(predicted_class_log_odds(logits).argsort(), highest.argsort())


def test_watching_ends_with_the_context() -> None:
    layer = nn.Linear(2, 2)
    with watched(layer) as seen:
        layer(torch.zeros(1, 2))
    layer(torch.zeros(1, 2))
    assert len(seen) == 1


def test_it_finds_the_blob_that_decides() -> None:
    """The disc decides whatever the record says; where it is bright, its place holds most of the map. Chance is 0.16."""
    config = row(
        replace(
            world_config(),
            backbone=replace(world_config().backbone, widths=(8, 8, 16, 16), stem_stride=(1, 1)),
        ),
        "image",
    )
    world, held_out = make_world("silent", 600, seed=1), make_world("silent", 200, seed=2)
    bright = held_out.outcome == 1
    image, values, missing = tensors(held_out)
    cases = Cases(np.arange(200), image, values, missing)
    near = np.stack([binary_dilation(blob, iterations=WIDENED) for blob in held_out.blobs[:, 0]])[bright]
    shares = []
    for seed in SEEDS:
        _, maps = network_maps(fit(config, world, epochs=3, seed=seed), cases)
        cam = maps[GRAD_CAM_LAST].on_model_grid(image.shape[2:]).numpy()[bright, 0]
        total = cam.sum(axis=(1, 2))
        shares.append(((cam * near).sum(axis=(1, 2)) / np.maximum(total, 1e-9)).mean())
    assert np.mean(shares) > 1.5 * near.mean()
