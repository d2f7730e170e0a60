"""The images that are made to be timed on."""

from functools import partial
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import JPEGLosslessSV1

from benchmarks.making import CtSize, kept, make_ct, make_jpeg_ct, make_mr

SMALL = CtSize(matrix=48, slices=6, gap_mm=30.0)


def test_a_jpeg_lossless_series_decodes_to_the_uncompressed_one(tmp_path: Path) -> None:
    plain = kept(tmp_path / "plain", partial(make_ct, SMALL))
    packed = kept(tmp_path / "packed", partial(make_jpeg_ct, SMALL))
    names = sorted(path.name for path in plain.iterdir())
    assert names == sorted(path.name for path in packed.iterdir())
    assert len(names) == SMALL.slices
    for name in names:
        slice_ = dcmread(packed / name)
        assert slice_.file_meta.TransferSyntaxUID == JPEGLosslessSV1
        np.testing.assert_array_equal(slice_.pixel_array, dcmread(plain / name).pixel_array)


def test_the_t1_is_a_cube_of_int16_with_its_head_inside(tmp_path: Path) -> None:
    folder = kept(tmp_path / "mr", partial(make_mr, 64))
    image: Any = nib.load(folder / "t1.nii.gz")
    assert image.shape == (64, 64, 64)
    assert image.get_data_dtype() == np.int16
    voxels = np.asarray(image.dataobj)
    faces = [voxels.take(end, axis) for axis, end in ((0, 0), (0, -1), (1, 0), (1, -1), (2, -1))]
    assert max(float(np.median(face)) for face in faces) < voxels.mean() / 2


def test_what_exists_is_not_made_again_and_what_was_cut_off_is(tmp_path: Path) -> None:
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "image").touch()
        if len(made) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path / "case", make)
    assert not (tmp_path / "case").exists()
    for _ in range(2):
        assert [path.name for path in kept(tmp_path / "case", make).iterdir()] == ["image"]
    assert len(made) == 2
