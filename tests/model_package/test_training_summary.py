"""A summary of training: bins that hold many cases, and values that fall into the bin they were counted in."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from app.errors import PackageInvalidError
from app.model_package.package import Package, seal
from app.model_package.store import ModelStore
from app.model_package.training_summary import (
    TRAINING_SUMMARY,
    Distribution,
    TrainingSummary,
    distribution_of_categories,
    distribution_of_numbers,
    load_training_summary,
)


def test_numbers_are_cut_at_their_deciles() -> None:
    values = np.random.default_rng(1).normal(70, 12, 4000).astype(np.float32)
    found = distribution_of_numbers("record", "age", values)
    assert len(found.shares) == 10
    assert found.shares == pytest.approx([0.1] * 10, abs=0.01)


def test_a_value_is_found_in_the_bin_it_was_counted_in() -> None:
    # 0.1 is no float32: as float64 it lies below the edge that it was counted above.
    values = np.repeat(np.array([0.1, 0.2, 0.7], np.float32), 50)
    found = distribution_of_numbers("record", "x", values)
    counts = np.bincount(
        [found.bin_of(float(value)) or 0 for value in (0.1, 0.2, 0.7)], minlength=len(found.shares)
    )
    assert [share > 0 for share in found.shares] == [bool(count) for count in counts]


def test_ties_share_a_bin() -> None:
    found = distribution_of_numbers("record", "gcs", [15.0] * 150 + [3.0] * 50)
    assert len(found.shares) == len(found.edges) + 1 <= 3
    assert sum(found.shares) == pytest.approx(1)


@pytest.mark.parametrize(("cases", "bins"), [(1, 1), (39, 1), (60, 3), (1000, 10)])
def test_a_bin_holds_many_cases_so_that_it_tells_of_none(cases: int, bins: int) -> None:
    found = distribution_of_numbers("record", "x", np.random.default_rng(2).random(cases))
    assert len(found.shares) == bins


def test_categories_keep_their_order_and_an_unknown_one_has_no_bin() -> None:
    found = distribution_of_categories("record", "sex", [0, 1, 1, 1], ("female", "male"))
    assert found.shares == (0.25, 0.75)
    assert (found.bin_of("male"), found.bin_of("other")) == (1, None)


def test_edges_and_shares_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValidationError, match="a share for each"):
        Distribution(kind="record", name="x", n=10, edges=(1.0, 2.0), shares=(0.5, 0.5))
    with pytest.raises(ValidationError, match="ascend"):
        Distribution(kind="record", name="x", n=10, edges=(2.0, 1.0), shares=(0.5, 0.25, 0.25))
    with pytest.raises(ValidationError, match="add up"):
        Distribution(kind="record", name="x", n=10, edges=(1.0,), shares=(0.5, 0.1))


def test_a_number_beyond_its_limits_is_taken_as_the_nearer_one() -> None:
    inr = Distribution(kind="record", name="inr", n=10, edges=(1.0,), shares=(0.5, 0.5), limits=(0.0, 3.71))
    assert [inr.taken_as(value) for value in (0.5, 3.71, 8.0)] == [None, None, 3.71]
    assert inr.model_copy(update={"limits": None}).taken_as(8.0) is None


def test_a_number_that_was_the_same_in_all_of_training_is_taken_as_missing() -> None:
    sodium = Distribution(kind="record", name="sodium", n=10, shares=(1.0,), limits=(140.0, 140.0))
    assert [sodium.taken_as(value) for value in (140.0, 131.0)] == ["missing", "missing"]


def test_a_category_that_no_case_had_is_taken_as_missing() -> None:
    stroke = distribution_of_categories("record", "prior_stroke", [0, 0, 0], ("no", "yes"))
    assert (stroke.taken_as("no"), stroke.taken_as("yes")) == (None, "missing")


@pytest.mark.parametrize(
    "fields", [{"edges": (1.0,), "limits": (2.0, 1.0)}, {"categories": ("a", "b"), "limits": (0.0, 1.0)}]
)
def test_limits_that_make_no_sense_are_refused(fields: dict[str, tuple[float | str, ...]]) -> None:
    with pytest.raises(ValidationError, match="limits are of a number"):
        Distribution.model_validate({"kind": "record", "name": "x", "n": 10, "shares": (0.5, 0.5), **fields})


def test_a_package_without_a_summary_is_whole(tiny_store: Path) -> None:
    assert load_training_summary(ModelStore(tiny_store).load("gos", 1)) is None


def test_a_summary_is_pinned_by_the_manifest_and_a_broken_one_is_refused(
    tiny_store: Path, tmp_path: Path
) -> None:
    package = ModelStore(tiny_store).load("gos", 1)
    summary = TrainingSummary(
        schema_version=1,
        distributions=(distribution_of_categories("record", "sex", [0, 1], ("a", "b")),),
        shares=(),
    )
    (tmp_path / TRAINING_SUMMARY).write_text(summary.model_dump_json())
    sealed = seal(tmp_path, package.manifest)
    assert set(sealed.manifest.sha256) == {TRAINING_SUMMARY}
    assert load_training_summary(sealed) == summary
    (tmp_path / TRAINING_SUMMARY).write_text("{}")
    with pytest.raises(PackageInvalidError, match="training_summary"):
        load_training_summary(Package(tmp_path, package.manifest, package.sha256))
