import io
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from app.errors import PackageInvalidError
from app.inference.calibration import OutOfDistributionScorer, mahalanobis, set_members
from app.model_package.package import Package
from app.model_package.store import ModelStore

probabilities = hnp.arrays(np.float64, st.integers(2, 6), elements=st.floats(1e-6, 1)).map(
    lambda p: p / p.sum()
)
thresholds = st.floats(0, 1)


@given(p=probabilities, threshold=thresholds, ordinal=st.booleans())
def test_the_most_likely_class_is_always_in_the_set(p: np.ndarray, threshold: float, ordinal: bool) -> None:
    assert set_members(p, threshold, ordinal=ordinal)[p.argmax()]


@given(p=probabilities, threshold=thresholds, ordinal=st.booleans())
def test_every_class_at_the_threshold_is_in_the_set(p: np.ndarray, threshold: float, ordinal: bool) -> None:
    assert set_members(p, threshold, ordinal=ordinal)[p >= threshold].all()


@given(p=probabilities, threshold=thresholds)
def test_an_ordinal_set_has_no_holes(p: np.ndarray, threshold: float) -> None:
    inside = np.flatnonzero(set_members(p, threshold, ordinal=True))
    assert (np.diff(inside) == 1).all()


@given(p=probabilities, threshold=thresholds)
def test_an_ordinal_set_adds_nothing_outside_the_ends(p: np.ndarray, threshold: float) -> None:
    plain, filled = (np.flatnonzero(set_members(p, threshold, ordinal=ordinal)) for ordinal in (False, True))
    assert set(plain) <= set(filled)
    assert (plain[0], plain[-1]) == (filled[0], filled[-1])


@given(p=probabilities, ends=st.tuples(thresholds, thresholds), ordinal=st.booleans())
def test_a_lower_threshold_never_shrinks_the_set(
    p: np.ndarray, ends: tuple[float, float], ordinal: bool
) -> None:
    low, high = sorted(ends)
    assert (set_members(p, low, ordinal=ordinal) >= set_members(p, high, ordinal=ordinal)).all()


@given(p=probabilities, threshold=thresholds, data=st.data())
def test_a_nominal_set_does_not_depend_on_the_order_of_classes(
    p: np.ndarray, threshold: float, data: st.DataObject
) -> None:
    order = np.array(data.draw(st.permutations(range(len(p)))))
    if len(set(p)) == len(p):  # with equal maxima, the first is taken
        np.testing.assert_array_equal(
            set_members(p[order], threshold, ordinal=False), set_members(p, threshold, ordinal=False)[order]
        )


@given(p=probabilities, threshold=thresholds, ordinal=st.booleans())
def test_one_threshold_is_the_same_threshold_for_each_class(
    p: np.ndarray, threshold: float, ordinal: bool
) -> None:
    np.testing.assert_array_equal(
        set_members(p, np.full(len(p), threshold), ordinal=ordinal),
        set_members(p, threshold, ordinal=ordinal),
    )


def test_each_class_has_its_own_threshold() -> None:
    p = np.array([0.30, 0.25, 0.05, 0.40])
    own = np.array([0.35, 0.20, 0.50, 0.90])
    np.testing.assert_array_equal(set_members(p, own, ordinal=False), [False, True, False, True])
    np.testing.assert_array_equal(set_members(p, own, ordinal=True), [False, True, True, True])


@given(
    p=hnp.arrays(np.float64, (7, 4), elements=st.floats(1e-6, 1)),
    own=hnp.arrays(np.float64, 4, elements=thresholds),
    ordinal=st.booleans(),
)
def test_many_cases_are_answered_as_one_by_one(p: np.ndarray, own: np.ndarray, ordinal: bool) -> None:
    np.testing.assert_array_equal(
        set_members(p, own, ordinal=ordinal), [set_members(row, own, ordinal=ordinal) for row in p]
    )


def test_the_caller_keeps_its_probabilities() -> None:
    p = np.array([0.6, 0.1, 0.3])
    set_members(p, 0.2, ordinal=True)
    np.testing.assert_array_equal(p, [0.6, 0.1, 0.3])


def test_split_conformal_sets_cover_the_truth() -> None:
    """The guarantee itself: a threshold fitted on calibration cases covers fresh ones at the nominal rate."""
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(5), 6000)
    truth = np.array([rng.choice(5, p=row) for row in p])
    scores = 1 - p[np.arange(3000), truth[:3000]]
    threshold = 1 - float(np.quantile(scores, np.ceil(3001 * 0.9) / 3000))
    covered = [set_members(p[i], threshold, ordinal=False)[truth[i]] for i in range(3000, 6000)]
    assert 0.88 <= np.mean(covered) <= 0.92


def test_mahalanobis_is_the_length_in_standard_deviations() -> None:
    precision = np.diag([1 / 4, 1 / 9])
    assert mahalanobis(np.array([3.0, 4.0]), np.array([1.0, 1.0]), precision) == pytest.approx(np.sqrt(2))
    assert mahalanobis(np.array([1.0, 1.0]), np.array([1.0, 1.0]), precision) == 0


@given(x=hnp.arrays(np.float64, 3, elements=st.floats(-10, 10)), seed=st.integers(0, 99))
def test_mahalanobis_does_not_depend_on_the_units_of_the_embedding(x: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(3, 3)) + 3 * np.eye(3)
    covariance = np.diag([1.0, 2.0, 3.0])
    plain = mahalanobis(x, np.zeros(3), np.linalg.inv(covariance))
    mixed = mahalanobis(mix @ x, np.zeros(3), np.linalg.inv(mix @ covariance @ mix.T))
    assert mixed == pytest.approx(plain, rel=1e-6, abs=1e-6)


SCORER = OutOfDistributionScorer(np.zeros(2), np.eye(2), np.array([1.0, 2.0, 4.0]), 0.9)


@pytest.mark.parametrize(
    ("distance", "score"), [(0, 0), (1, 0), (1.5, 0.25), (2, 0.5), (3, 0.75), (4, 1), (99, 1)]
)
def test_the_score_is_the_share_of_nearer_calibration_cases(distance: float, score: float) -> None:
    assert SCORER(np.array([distance, 0.0])).score == pytest.approx(score)


@given(a=st.floats(0, 10), b=st.floats(0, 10))
def test_the_farther_case_never_scores_lower(a: float, b: float) -> None:
    near, far = sorted((a, b))
    assert SCORER(np.array([near, 0.0])).score <= SCORER(np.array([0.0, far])).score + 1e-12


def test_only_scores_above_the_threshold_are_flagged() -> None:
    assert [SCORER(np.array([d, 0.0])).flagged for d in (3.5, 3.7)] == [False, True]
    at_it = replace(SCORER, threshold=0.75)(np.array([3.0, 0.0]))
    assert (at_it.score, at_it.flagged) == (0.75, False)


@pytest.fixture
def package(tiny_store: Path, tmp_path: Path) -> Package:
    stored = ModelStore(tiny_store).load("gos", 1)
    shutil.copytree(stored.path, tmp_path, dirs_exist_ok=True)
    return Package(tmp_path, stored.manifest, stored.sha256)


GOOD: dict[str, Any] = {"mean": np.zeros(3), "precision": np.eye(3), "quantiles": np.arange(5.0)}


@pytest.mark.parametrize(
    "changes",
    [
        {"mean": np.zeros(4)},
        {"precision": np.eye(4)},
        {"precision": np.full((3, 3), np.nan)},
        {"quantiles": np.array([2.0, 1.0])},
        {"quantiles": np.array([1.0])},
        {"quantiles": np.zeros((2, 2))},
        {"mean": np.array(["a", "b", "c"])},
        {"mean": np.array([None, None, None])},
    ],
    ids=str,
)
def test_arrays_that_do_not_fit_are_refused(package: Package, changes: dict[str, Any]) -> None:
    np.savez(package.path / "embedding.npz", **(GOOD | changes))
    with pytest.raises(PackageInvalidError):
        OutOfDistributionScorer.from_package(package)


def _npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 broken", b"\x80\x04N.", _npy()], ids=["empty", "zip", "pickle", "npy"]
)
def test_a_file_that_is_no_npz_is_refused(package: Package, content: bytes) -> None:
    (package.path / "embedding.npz").write_bytes(content)
    with pytest.raises(PackageInvalidError, match="should be an npz"):
        OutOfDistributionScorer.from_package(package)


def test_an_array_that_is_missing_is_refused(package: Package) -> None:
    np.savez(package.path / "embedding.npz", mean=GOOD["mean"], precision=GOOD["precision"])
    with pytest.raises(PackageInvalidError, match="should be an npz"):
        OutOfDistributionScorer.from_package(package)


class Hostile:
    """An object whose unpickling makes a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self._folder,)


def test_a_program_hidden_among_the_arrays_does_not_run(package: Package, tmp_path: Path) -> None:
    trace = tmp_path / "it-ran"
    np.savez(package.path / "embedding.npz", **(GOOD | {"mean": np.array([Hostile(trace)], object)}))
    with pytest.raises(PackageInvalidError, match="should be an npz"):
        OutOfDistributionScorer.from_package(package)
    assert not trace.exists()
