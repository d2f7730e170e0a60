"""Byte mutations, as fuzzers of file formats do them: flips, boundary values, moved, lost, doubled and foreign pieces."""

import struct
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

Mutation = Callable[[bytearray, np.random.Generator], None]

BOUNDARIES: Final = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFE,
    0xFFFFFFFF,
)
WORDS: Final = (
    b"\xff\xff\xff\xff",
    b"SQ",
    b"UN",
    b"OW",
    b"\xfe\xff\x00\xe0",
    b"\xfe\xff\xdd\xe0",
    b"NaN",
    b"inf",
    b"-1",
    b"1e309",
)
"""Undefined length, value representations, item tags, and numbers as text."""
FLOATS: Final = (0.0, -1.0, 1e38, float("nan"), float("inf"), 1e-45)
HEAD_BYTES: Final = 2048
"""Headers lie at the start: half of all mutations go there."""


def mutated(data: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """One to six mutations of a file.

    Args:
        data: A valid file.
        others: Files to take foreign pieces from.
        rng: Source of chance.
    """
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 7))):
        if not changed:
            break
        mutation = MUTATIONS[int(rng.integers(len(MUTATIONS)))]
        if mutation is _splice:
            _insert(changed, _piece(others[int(rng.integers(len(others)))], rng), rng)
        else:
            mutation(changed, rng)
    return bytes(changed)


def _place(data: bytearray, rng: np.random.Generator) -> int:
    size = min(len(data), HEAD_BYTES) if rng.random() < 0.5 else len(data)
    return int(rng.integers(size))


def _flip_bit(data: bytearray, rng: np.random.Generator) -> None:
    data[_place(data, rng)] ^= 1 << int(rng.integers(8))


def _set_byte(data: bytearray, rng: np.random.Generator) -> None:
    data[_place(data, rng)] = int(rng.integers(256))


def _boundary(data: bytearray, rng: np.random.Generator) -> None:
    value, size = int(rng.choice(BOUNDARIES)), int(rng.choice([1, 2, 4]))
    order = "<" if rng.random() < 0.8 else ">"
    packed = struct.pack(order + {1: "B", 2: "H", 4: "I"}[size], value % (1 << (8 * size)))
    _overwrite(data, packed, rng)


def _float(data: bytearray, rng: np.random.Generator) -> None:
    _overwrite(data, struct.pack("<f", float(rng.choice(FLOATS))), rng)


def _word(data: bytearray, rng: np.random.Generator) -> None:
    _overwrite(data, WORDS[int(rng.integers(len(WORDS)))], rng)


def _lose(data: bytearray, rng: np.random.Generator) -> None:
    at = _place(data, rng)
    del data[at : at + int(rng.integers(1, 200))]


def _double(data: bytearray, rng: np.random.Generator) -> None:
    _insert(data, _piece(bytes(data), rng), rng)


def _truncate(data: bytearray, rng: np.random.Generator) -> None:
    del data[_place(data, rng) :]


def _zero(data: bytearray, rng: np.random.Generator) -> None:
    at = _place(data, rng)
    end = min(len(data), at + int(rng.integers(1, 64)))
    data[at:end] = bytes(end - at)


def _splice(data: bytearray, rng: np.random.Generator) -> None:
    """A piece of another file; `mutated` hands it over."""
    _double(data, rng)


def _overwrite(data: bytearray, piece: bytes, rng: np.random.Generator) -> None:
    at = _place(data, rng)
    data[at : at + len(piece)] = piece


def _insert(data: bytearray, piece: bytes, rng: np.random.Generator) -> None:
    at = _place(data, rng)
    data[at:at] = piece


def _piece(data: bytes, rng: np.random.Generator) -> bytes:
    at = int(rng.integers(max(len(data), 1)))
    return data[at : at + int(rng.integers(1, 300))]


MUTATIONS: Final[tuple[Mutation, ...]] = (
    _flip_bit,
    _flip_bit,
    _set_byte,
    _boundary,
    _boundary,
    _boundary,
    _float,
    _word,
    _lose,
    _double,
    _truncate,
    _zero,
    _splice,
)
