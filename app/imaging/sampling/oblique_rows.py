"""Oblique resampling where stored rows run along the grid's last axis, as in a CT with a tilted gantry.

The places of all rows of the grid lie between the same stored columns, and each row of places between four stored rows. So
only these columns are smoothed and only these rows kept, and rows are read whole. The numbers are those of reading every place by
itself, to the last bit: the same products are added in the same order.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from jaxtyping import Bool, Float32, Int, Real
from scipy.sparse import csr_array

from app.imaging.sampling.axis_weights import RowWeights, single
from app.imaging.sampling.lattice import StoredLattice, inside
from app.imaging.sampling.oblique_ranges import Ranges, Summands, index_of
from app.imaging.sampling.trilinear import Cells, blend, cells
from app.imaging.threads import pieces, side_by_side

AT_ONCE: Final = 1 << 16
"""Places that are read at a time; few enough to stay in the cache, and enough that numpy's calls weigh little."""
RowNumbers = Int[np.ndarray, " m"]
RowValues = Float32[np.ndarray, "m C"]
"""Of functions that are made anew for every few rows: to put such a type together takes longer than to make them."""


def rows_run_along_last_axis(lattice: StoredLattice, summands: Summands) -> bool:
    """Whether i depends on the grid's last axis alone, and j and k not at all on it; exactly, not nearly."""
    first, second, last = summands
    across = (first[0], second[0], last[1], last[2], lattice.offsets[:, 0])
    return all(bool(np.ptp(coordinate) == 0) for coordinate in across)


def read_rows(
    source: Real[np.ndarray, "K J I"],
    lattice: StoredLattice,
    ranges: Ranges,
    summands: Summands,
    answer: Float32[np.ndarray, "A B C"],
) -> None:
    """Reads the rows of a grid that lie in the lattice; what lies outside keeps its value.

    Args:
        source: The part of the voxels that `ranges` names.
        lattice: Where they lie.
        ranges: Part and weights along each axis.
        summands: Of the grid.
        answer: On the grid.
    """
    first, second, last = summands
    i = index_of(lattice, [first[:, :1], second[:, :, :1], last])[0][0, 0]
    _, j, k = (at[..., 0] for at in index_of(lattice, [first, second, last[..., :1]]))
    held, columns = inside((j, k), lattice.shape[1:]), _span(inside((i,), lattice.shape[:1]))
    if not held.any() or columns.start == columns.stop:
        return
    at_i, at_j, at_k = (
        cells(at - part.start, part.stop - part.start)
        for at, part in zip((i[columns], j[held], k[held]), ranges.read, strict=True)
    )
    lines = _Lines.smoothed(source, ranges, at_i, (at_k, at_j))
    rows = np.flatnonzero(held)
    flat, together = answer.reshape(-1, answer.shape[-1]), max(AT_ONCE // len(at_i.share), 1)
    for start in range(0, len(rows), together):
        some = slice(start, start + together)
        flat[rows[some], columns] = lines.read(at_k.some(some), at_j.some(some))


def _span(wanted: Bool[np.ndarray, " n"]) -> slice:
    """From the first that is wanted to the last."""
    found = np.flatnonzero(wanted)
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)


@dataclass(frozen=True)
class _Lines:
    """Stored rows that are read, each at the columns of the places.

    All places of a column lie at the same share between two stored columns, so each stored row is blended along i once, however many rows of places it
    is read for.

    Attributes:
        samples: Smoothed along all axes, and blended along i.
        number: Of every stored row that may be read, its index in `samples`, if it is there.
    """

    samples: Float32[np.ndarray, "n C"]
    number: Int[np.ndarray, "K J"]

    @classmethod
    def smoothed(
        cls, source: Real[np.ndarray, "K J I"], ranges: Ranges, at_i: Cells, corners: tuple[Cells, Cells]
    ) -> Self:
        """Smooths what lies at the corners of the cells."""
        along_i, along_j, across = ranges.along
        columns = np.r_[at_i.lower, at_i.lower + at_i.step]
        if along_i is None:
            source = source[:, :, columns]
        else:
            along_i = along_i[columns]
        wanted = _at_corners(corners, ranges)
        needed = wanted if across is None else (abs(across).T @ wanted) > 0
        within = _within_slices(source, along_j, along_i, needed)
        samples = within if across is None else single(_line_weights(across, wanted, needed)) @ within
        below, above = np.split(samples, 2, axis=1)
        return cls(blend(below.copy(), above, at_i.share), _numbered(wanted))

    def read(self, k: Cells, j: Cells) -> Float32[np.ndarray, "m C"]:
        """Rows between lines, as `app.imaging.sampling.trilinear` reads: j first and k last."""

        def line(at_k: RowNumbers, at_j: RowNumbers) -> RowValues:
            return np.asarray(self.samples.take(self.number[at_k, at_j], axis=0))

        def face(at_k: RowNumbers) -> RowValues:
            return blend(line(at_k, j.lower), line(at_k, j.lower + j.step), j.share[:, None])

        return blend(face(k.lower), face(k.lower + k.step), k.share[:, None])


def _at_corners(corners: tuple[Cells, Cells], ranges: Ranges) -> Bool[np.ndarray, "K J"]:
    at_k, at_j = corners
    _, part_j, part_k = ranges.read
    wanted = np.zeros((part_k.stop - part_k.start, part_j.stop - part_j.start), np.bool_)
    for k in (at_k.lower, at_k.lower + at_k.step):
        for j in (at_j.lower, at_j.lower + at_j.step):
            wanted[k, j] = True
    return wanted


def _numbered(wanted: Bool[np.ndarray, "K J"]) -> Int[np.ndarray, "K J"]:
    """Counts what is wanted, in the order in which it is stored."""
    return np.asarray(wanted.cumsum().reshape(wanted.shape) - 1)


def _within_slices(
    source: Real[np.ndarray, "K J I"],
    along_j: csr_array | None,
    along_i: csr_array | None,
    needed: Bool[np.ndarray, "K j"],
) -> Float32[np.ndarray, "n i"]:
    """Smooths the needed rows of every slice within it, along i only those that these are made of."""
    along_i = along_i if along_i is None else single(along_i)
    ends = np.r_[0, needed.sum(axis=1).cumsum()]
    width = source.shape[2] if along_i is None else along_i.shape[0]
    lines = np.empty((int(ends[-1]), width), np.float32)

    some = pieces(len(source))
    longest = max(piece.stop - piece.start for piece in some)
    weights_j = None if along_j is None else _of_pieces(single(along_j), needed, some)
    made_of = needed if along_j is None else (abs(along_j).T @ needed.T).T > 0
    used = [_span(rows) for rows in made_of]

    def weigh(piece: slice) -> None:
        weights = RowWeights(along_i, source.shape[1:])
        slices = np.zeros((longest, source.shape[1], width), np.float32)
        for n, (plane, rows) in enumerate(zip(source[piece], used[piece], strict=True)):
            slices[n, rows] = weights.apply(plane[rows])
        of_piece = slice(ends[piece.start], ends[piece.stop])
        if weights_j is None:
            lines[of_piece] = slices[: len(source[piece])][needed[piece]]
        else:
            lines[of_piece] = weights_j[of_piece] @ slices.reshape(-1, width)

    side_by_side(weigh, some, sum(rows.stop - rows.start for rows in used) * source.shape[2])
    return lines


def _of_pieces(along_j: csr_array, needed: Bool[np.ndarray, "K j"], some: list[slice]) -> csr_array:
    """The weights of every needed row over all rows of its piece.

    Around each product threads wait for each other, so one does for a piece of slices; and most rows are not needed.
    """
    k, j = np.nonzero(needed)
    picked, size = along_j[j], along_j.shape[1]
    in_piece = [np.arange(piece.stop - piece.start) for piece in some]
    first = size * np.concatenate(in_piece)[k]
    indices = picked.indices + np.repeat(first, np.diff(picked.indptr))
    return csr_array((picked.data, indices, picked.indptr), shape=(len(j), size * max(map(len, in_piece))))


def _line_weights(
    across: csr_array, wanted: Bool[np.ndarray, "k j"], needed: Bool[np.ndarray, "K j"]
) -> csr_array:
    """The weights across slices, from every line that is needed to every line that is wanted."""
    weights = across.tocoo()
    entry, j = np.nonzero(wanted[weights.row])
    places = _numbered(wanted)[weights.row[entry], j], _numbered(needed)[weights.col[entry], j]
    return csr_array((weights.data[entry], places), shape=(int(wanted.sum()), int(needed.sum())))
