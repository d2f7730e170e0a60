"""What goes to a contender and comes back."""

import json
from dataclasses import asdict

import numpy as np

from benchmarks.job import Job, from_xyz

GRID = {"shape": [2, 3, 4], "spacing_mm": [5.0, 2.5, 2.0], "fill": -1024.0}


def test_a_job_survives_the_way_to_another_process() -> None:
    job = Job(("a", "b"), "folder", GRID, ((1.0, 0.0, 0.0, 0.0),) * 4)
    back = Job(**json.loads(json.dumps(asdict(job))))
    assert back.shape == (2, 3, 4)
    assert back.spacing_xyz_mm == (2.0, 2.5, 5.0)
    np.testing.assert_array_equal(back.grid.affine, job.grid.affine)


def test_an_array_in_xyz_becomes_a_contiguous_tensor_at_the_same_places() -> None:
    affine = np.diag([2.0, 2.5, 5.0, 1.0])
    affine[:3, 3] = 7, 8, 9
    x, y, z = np.indices((4, 3, 2), dtype=np.float32)
    answer = from_xyz((2 * x + 7) + 100 * (2.5 * y + 8) + 10_000 * (5 * z + 9), affine)
    assert answer.tensor is not None
    assert answer.affine is not None
    assert answer.tensor.shape == (2, 3, 4)
    assert answer.tensor.flags.c_contiguous
    place = answer.affine @ [1, 2, 3, 1]
    assert answer.tensor[1, 2, 3] == place[0] + 100 * place[1] + 10_000 * place[2]
