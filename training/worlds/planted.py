"""Planted worlds: small images and records whose answer is known by construction.

Two blobs, a disc and the frame of a square, lie in noise; each is bright or dim. One field of the record, `named`, says which of
them decides; the other fields are distractors. What a model can reach is then arithmetic:

    graded   both bright independently, y = brightness of the named blob: the image alone knows the answer when the
             blobs agree and nothing otherwise (AUROC 0.875, accuracy 0.75), the record alone nothing (0.5)
    xor      exactly one is bright, y = [it is the named one]: image alone 0.5, record alone 0.5
    places   as graded, with two blobs of one look, left and right: only a gate that knows places can tell them apart
    silent   y = brightness of the disc whatever the record says: nothing to gain from the record
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Int64

from app.ehr.schema import Feature
from training.features import unitless
from training.names import WorldName

SIZE = 32
RADIUS = 4
FRAME = 2
BRIGHT, DIM, NOISE = 1.0, 0.5, 0.1
NAMED = "named"


FEATURES: Sequence[Feature] = (
    unitless("distractor_1", -10.0, 10.0),
    Feature(
        name=NAMED,
        title=NAMED,
        kind="categorical",
        loinc=None,
        unit=None,
        plausible_range=None,
        categories=("first", "second"),
        required=False,
    ),
    unitless("distractor_2", -10.0, 10.0),
)
NAMED_COLUMN = [feature.name for feature in FEATURES].index(NAMED)


@dataclass(frozen=True)
class World:
    """A cohort from a planted world.

    Attributes:
        image: [N, 1, H, W] intensities.
        values: [N, F] records in the order of `FEATURES`.
        outcome: [N] 0 or 1.
        blobs: [N, 2, H, W] true inside the outline of the first (disc, or left) and second blob (square, or right).
        named: [N] 0 or 1, the blob the record names; also a column of `values`.
    """

    image: Float32[np.ndarray, "N 1 H W"]
    values: Float32[np.ndarray, "N F"]
    outcome: Int64[np.ndarray, " N"]
    blobs: Bool[np.ndarray, "N 2 H W"]
    named: Int64[np.ndarray, " N"]


def make_world(name: WorldName, count: int, seed: int) -> World:
    """Draw a cohort of one world."""
    rng = np.random.default_rng(seed)
    named = rng.integers(0, 2, count)
    bright = rng.integers(0, 2, (count, 2))
    if name == "xor":
        bright[:, 1] = 1 - bright[:, 0]
    offsets = _places(rng, count, ordered=name == "places")
    blobs, paint = _outlines(*offsets, same_look=name == "places")
    decides = np.zeros_like(named) if name == "silent" else named
    values = rng.normal(size=(count, len(FEATURES)))
    values[:, NAMED_COLUMN] = named
    return World(
        image=_render(rng, paint, bright),
        values=values.astype(np.float32),
        outcome=bright[np.arange(count), decides],
        blobs=blobs,
        named=named,
    )


def with_random_labels(world: World, seed: int) -> World:
    """The same cohort with outcomes drawn anew: nothing can be learnt from it."""
    return replace(world, outcome=np.random.default_rng(seed).integers(0, 2, len(world.outcome)))


def with_other_blob_named(world: World) -> World:
    """The same images, with every record naming the other blob; outcomes are left as they were."""
    values = world.values.copy()
    values[:, NAMED_COLUMN] = 1 - values[:, NAMED_COLUMN]
    return replace(world, values=values, named=1 - world.named)


def _places(
    rng: np.random.Generator, count: int, *, ordered: bool
) -> tuple[Int64[np.ndarray, "N 2 H W"], Int64[np.ndarray, "N 2 H W"]]:
    """Offsets (down, across) of every pixel from the two centres: one blob in either half, so that they never touch.

    `ordered` keeps the first one left; otherwise chance decides.
    """
    margin, middle = RADIUS + 1, SIZE // 2
    rows = rng.integers(margin, SIZE - margin, (count, 2))
    columns = rng.integers(margin, middle - margin, (count, 2)) + np.array([0, middle])
    if not ordered:
        columns = rng.permuted(columns, axis=1)
    down, across = np.mgrid[:SIZE, :SIZE]
    return down - rows[..., None, None], across - columns[..., None, None]


def _outlines(
    down: Int64[np.ndarray, "N 2 H W"], across: Int64[np.ndarray, "N 2 H W"], *, same_look: bool
) -> tuple[Bool[np.ndarray, "N 2 H W"], Bool[np.ndarray, "N 2 H W"]]:
    """(region, paint): a full disc, and a square of which only the frame is painted; or two discs."""
    disc = np.hypot(down, across) <= RADIUS
    if same_look:
        return disc, disc
    edge = np.maximum(np.abs(down), np.abs(across))
    square, frame = edge <= RADIUS, (edge <= RADIUS) & (edge > RADIUS - FRAME)
    return np.stack([disc[:, 0], square[:, 1]], axis=1), np.stack([disc[:, 0], frame[:, 1]], axis=1)


def _render(
    rng: np.random.Generator, paint: Bool[np.ndarray, "N 2 H W"], bright: Int64[np.ndarray, "N 2"]
) -> Float32[np.ndarray, "N 1 H W"]:
    level = np.where(bright, BRIGHT, DIM)[..., None, None]
    image = (paint * level).sum(1) + rng.normal(0, NOISE, (len(paint), SIZE, SIZE))
    voxels: Float32[np.ndarray, "N 1 H W"] = image[:, None].astype(np.float32)
    return voxels
