"""The heatmap gallery: the best, the median and the worst test cases, chosen by the answer and never by the map."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int64
from rich.progress import track

from app.errors import NeuroFuseError
from app.imaging.model_grid import ModelGrid
from app.imaging.read import read_image, read_mask
from app.imaging.resample import as_volume, place_model_grid
from app.imaging.volume import Grid, Volume
from training.calibrate import Scaling
from training.checkpoint import Checkpoint
from training.cohort import Case, Cohort
from training.evaluation.answers import scaled_probabilities
from training.evaluation.document import Example
from training.evaluation.example_picture import Picture, draw_picture
from training.evaluation.map_overlap import Region
from training.evaluation.network_maps import batches, finest_lattice
from training.evaluation.pointing import peak_on_model_grid, region_of
from training.networks.attention import relative_heatmap
from training.networks.model import FusionNet
from training.outcomes import outcome_classes
from training.predict import collect
from training.prepare import PreparedSet

Kind = Literal["best", "median", "worst"]
EACH = 2
"""Cases of each kind."""
SMALLEST = 1e-12


def pick_examples(
    checkpoint: Checkpoint, cohort: Cohort, test: PreparedSet, scaling: Scaling, run: Path, each: int = EACH
) -> tuple[Example, ...]:
    """Choose cases by the log-likelihood of their true class and draw them.

    Args:
        checkpoint: The run.
        cohort: Its cohort, in the run's splits.
        test: The prepared test split, in the cohort's order.
        scaling: Of the logits, fitted after training.
        run: Folder for the pictures, `example-best-1.png` and so on.
        each: Cases of each kind; fewer where the split is small.

    Returns:
        Empty for a network without a heatmap.
    """
    net = checkpoint.net.eval()
    if net.config.fusion == "record" or not net.stage_lattices:
        return ()
    probabilities = scaled_probabilities(collect(net, test).logits, scaling)
    given = probabilities[np.arange(len(test)), test.labels]
    chosen = choose(np.log(np.maximum(given, SMALLEST)), each)
    titles = [each.title for each in outcome_classes(checkpoint.config.task, probabilities.shape[1])]
    examples = []
    for kind, number, i in track(chosen, "Drawing examples"):
        heatmap = _heatmap(net, test, i)
        picture = _picture(checkpoint, cohort.part("test")[i], test, i, heatmap)
        name = f"example-{kind}-{number}.png"
        draw_picture(picture, run / name)
        likely = int(probabilities[i].argmax())
        caption = f"Most likely in the model's view: {titles[likely]} ({probabilities[i, likely]:.2f}). "
        examples.append(
            Example(
                kind=kind,
                picture=name,
                outcome=titles[int(test.labels[i])],
                probability=float(given[i]),
                caption=caption + peak_in_words(heatmap, test, i, net),
            )
        )
    return tuple(examples)


def choose(likelihood: Float[np.ndarray, " N"], each: int) -> list[tuple[Kind, int, int]]:
    """(kind, number from 1, case) of the highest, the middle and the lowest likelihoods; no case twice."""
    order: list[int] = np.argsort(-likelihood, kind="stable").tolist()
    each = min(each, len(order) // 3) or 1
    middle = (len(order) - each) // 2
    parts: dict[Kind, list[int]] = {
        "best": order[:each],
        "median": order[middle : middle + each],
        "worst": order[::-1][:each],
    }
    seen: set[int] = set()
    chosen: list[tuple[Kind, int, int]] = []
    for kind, cases in parts.items():
        fresh = [case for case in cases if case not in seen]
        seen.update(fresh)
        chosen += [(kind, number, case) for number, case in enumerate(fresh, start=1)]
    return chosen


def peak_in_words(heatmap: Float32[np.ndarray, "D H W"], test: PreparedSet, i: int, net: FusionNet) -> str:
    """Where the attention's peak lies relative to the mask."""
    inside = region_of(test, i)
    if inside is None:
        return "The case has no mask."
    region = Region.of(inside, finest_lattice(net).stride)
    place = peak_on_model_grid(heatmap, _to_model_grid(net))
    index = tuple(np.clip(np.round(place).astype(int), 0, np.array(inside.shape) - 1).tolist())
    if region.inside[index]:
        return "The attention's peak lies in the mask."
    return (
        "The attention's peak lies within one cell of the mask."
        if region.near[index]
        else "The attention's peak lies outside the mask."
    )


@torch.no_grad()
def _heatmap(net: FusionNet, test: PreparedSet, i: int) -> Float32[np.ndarray, "D H W"]:
    case = next(batches(test, np.array([i]), 1, next(net.parameters()).device))
    heatmap: np.ndarray = (
        relative_heatmap(net(case.image, case.values, case.missing).attention)[0].cpu().numpy()
    )
    return heatmap


def _to_model_grid(net: FusionNet) -> Float64[np.ndarray, "4 4"]:
    """From heatmap index to model-grid index."""
    lattice = finest_lattice(net)
    affine = np.diag([*lattice.stride, 1.0])
    affine[:3, 3] = lattice.offset
    return affine


@dataclass(frozen=True)
class _Shown:
    """Image and mask to draw, and the model grid in their frame."""

    volume: Volume
    mask: Volume | None
    field: Grid


def _picture(
    checkpoint: Checkpoint, case: Case, test: PreparedSet, i: int, heatmap: Float32[np.ndarray, "D H W"]
) -> Picture:
    grid, to_model_grid = checkpoint.config.grid, _to_model_grid(checkpoint.net)
    shown = _acquired(case, checkpoint) or _on_model_grid(test, i, grid)
    heatmap_grid = Grid(
        (heatmap.shape[0], heatmap.shape[1], heatmap.shape[2]), shown.field.affine @ to_model_grid
    )
    inside = region_of(test, i)
    return Picture(
        volume=shown.volume,
        field=shown.field,
        heatmap=heatmap,
        heatmap_grid=heatmap_grid,
        mask=shown.mask,
        peak_mm=_mm(shown.field, peak_on_model_grid(heatmap, to_model_grid)),
        mask_mm=None if inside is None or shown.mask is None else _mm(shown.field, largest_slice(inside)),
        fill=grid.fill,
    )


def _acquired(case: Case, checkpoint: Checkpoint) -> _Shown | None:
    """As the scanner made it; None where the files are not one volume."""
    spec = checkpoint.config.grid
    if case.few_slices:
        return None
    try:
        volume = read_image(case.image, modality=spec.modality)
        mask = read_mask(case.masks[0]) if case.masks else None
    except NeuroFuseError:
        return None
    if mask is not None:
        inside = np.isin(mask.voxels, checkpoint.config.guidance.labels)
        mask = replace(mask, voxels=inside.astype(np.float32))
    return _Shown(volume, mask, place_model_grid(volume, spec))


def _on_model_grid(test: PreparedSet, i: int, spec: ModelGrid) -> _Shown:
    """As the network saw it, in a frame of the grid's own."""
    d, h, w = spec.spacing_mm
    affine = np.array([[0, 0, w, 0], [0, h, 0, 0], [d, 0, 0, 0], [0, 0, 0, 1]], dtype=np.float64)
    affine[:3, 3] = -(affine[:3, :3] @ (np.array(spec.shape) - 1)) / 2
    field = Grid(spec.shape, affine)
    share = test.mask(i)
    mask = None if share is None else as_volume(share.astype(np.float32) / 255, field)
    return _Shown(replace(as_volume(test.image(i), field), modality=spec.modality), mask, field)


def largest_slice(inside: np.ndarray) -> Float64[np.ndarray, "3"]:
    """Model-grid index of the middle of the axial slice that holds most of a region."""
    areas: Int64[np.ndarray, " D"] = inside.sum(axis=(1, 2))
    d = int(areas.argmax())
    middle: np.ndarray = np.argwhere(inside[d]).mean(axis=0)
    return np.array([d, *middle])


def _mm(field: Grid, index: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3"]:
    place: np.ndarray = field.affine[:3, :3] @ index + field.affine[:3, 3]
    return place
