"""What is kept of an upload, and what a reader sees in it; words that must not be there."""

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.errors import NeuroFuseError, RequestError
from app.imaging.deidentify.upload import deidentify
from app.imaging.read import read_image
from app.imaging.volume import Modality, Volume

CANARY = "ZZCANARY"
DATE, UID = "19010203", "1.2.826.0.1.3680043.8.498.77190102777"
PLANTED = (CANARY.encode(), DATE.encode(), UID.encode())
KEY = b"of this test"


def kept(paths: Sequence[Path], folder: Path) -> list[Path]:
    folder.mkdir()
    deidentify(paths, folder, KEY)
    return sorted(folder.iterdir())


def seen(paths: Sequence[Path], modality: Modality = Modality.CT, series: str | None = None) -> Any:
    """A volume as plain values, or the code of its refusal."""
    try:
        return told(read_image(paths, modality=modality, series=series))
    except NeuroFuseError as error:
        return error.code


def refused(do: Callable[[], object]) -> tuple[str, str]:
    """Code and words of a refusal."""
    with pytest.raises(RequestError) as caught:
        do()
    return caught.value.code, str(caught.value)


def refused_alike(paths: Sequence[Path], folder: Path) -> str:
    """The code by which files are refused before they are kept, in the words of their reader."""
    code, words = refused(lambda: kept(paths, folder))
    assert (code, words) == refused(lambda: read_image(paths, modality=Modality.MR))
    return code


def told(volume: Volume) -> Any:
    geometry = (volume.grid.affine.tolist(), volume.slice_origins.tolist(), volume.step_i.tolist())
    return volume.voxels.tobytes(), volume.voxels.dtype, geometry, volume.findings, repr(volume.series)


def contents(paths: Sequence[Path]) -> bytes:
    every = [path.read_bytes() for path in paths]
    return b"".join(gzip.decompress(one) if one[:2] == b"\x1f\x8b" else one for one in every)
