"""Images to time on, made or unpacked once into a cache: real samples where NEUROFUSE_SAMPLES names their folder, phantoms."""

import os
import tomllib
import zipfile
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Final

from app.imaging.model_grid import ModelGrid
from app.imaging.volume import Modality
from benchmarks.making import CtSize, kept, make_ct, make_jpeg_ct, make_mr

ROOT: Final = Path(__file__).resolve().parents[1]
CONFIGS: Final = ROOT / "training" / "configs"
CACHE: Final = ROOT / "runs" / "bench"
SAMPLES: Final = "NEUROFUSE_SAMPLES"
JPEG_CT: Final = CtSize(matrix=512, slices=240, gap_mm=0.8)
THIN_CT: Final = CtSize(matrix=512, slices=400, gap_mm=0.5)
PLAIN_CT: Final = CtSize(matrix=512, slices=28, gap_mm=7.0)
MR_EDGE: Final = 256


@dataclass(frozen=True)
class Case:
    """One image as it lies on disk.

    Attributes:
        name: For the tables.
        paths: As a client sends it: the files of one DICOM series, one zip of them, or one NIfTI.
        unpacked: One NIfTI, or a folder that holds one series and nothing else.
        modality: What a voxel means.
    """

    name: str
    paths: tuple[Path, ...]
    unpacked: Path
    modality: Modality

    @property
    def model_grid(self) -> ModelGrid:
        """Grid of the reference package for this modality."""
        return _reference_grid("gos" if self.modality is Modality.CT else "ad")


def imaging_cases() -> list[Case]:
    """What can be timed here; the phantoms take a minute when the cache is new."""
    samples = os.environ.get(SAMPLES)
    return [*(_real(Path(samples)) if samples else []), *_phantoms()]


def head_ct() -> Case:
    """The one CT of ordinary size for timings of the whole service: the real one, or a phantom."""
    samples = os.environ.get(SAMPLES)
    if samples:
        return _ge_ct(Path(samples))
    folder = kept(CACHE / "plain-ct", partial(make_ct, PLAIN_CT))
    return _ct(f"phantom CT, {PLAIN_CT.slices} DICOM", folder)


def _real(samples: Path) -> list[Case]:
    archive = samples / "mr-t1" / "studyforrest-sub02-t1.zip"
    folder = kept(CACHE / "t1", partial(_unpack, archive))
    return [_ge_ct(samples), Case("T1 MRI, zip of 384 DICOM", (archive,), folder, Modality.MR)]


def _ge_ct(samples: Path) -> Case:
    return _ct("head CT, tilted, 28 DICOM", samples / "ct-head-ge")


def _phantoms() -> list[Case]:
    jpeg = kept(CACHE / "jpeg-ct", partial(make_jpeg_ct, JPEG_CT))
    thin = kept(CACHE / "thin-ct", partial(make_ct, THIN_CT))
    mr = kept(CACHE / "mr", partial(make_mr, MR_EDGE)) / "t1.nii.gz"
    return [
        _ct(f"CT, {JPEG_CT.slices} DICOM, JPEG Lossless", jpeg),
        _ct(f"thin CT, {THIN_CT.slices} DICOM", thin),
        Case(f"T1 MRI, {MR_EDGE}^3, .nii.gz", (mr,), mr, Modality.MR),
    ]


def _ct(name: str, folder: Path) -> Case:
    return Case(name, tuple(sorted(folder.iterdir())), folder, Modality.CT)


def _unpack(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)


@cache
def _reference_grid(task: str) -> ModelGrid:
    config = tomllib.loads((CONFIGS / f"{task}.toml").read_text(encoding="utf-8"))
    return ModelGrid.model_validate(config["grid"])
