"""training.export: what cannot be served is refused before anything is written. The whole way is tested in tests/skew."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.ehr.schema import EhrSchema
from app.model_package.store import ModelStore
from tests.training.test_train import AGE
from training.checkpoint import Checkpoint
from training.cohort import CohortDescription, CohortError
from training.config import load_config
from training.export import export_run
from training.networks.model import FusionNet
from training.networks.rows import row

pytestmark = pytest.mark.torch

CONFIG = load_config(Path(__file__).parents[2] / "training" / "configs" / "practice.toml")


def _checkpoint(name: str) -> Checkpoint:
    config = replace(CONFIG, model=row(CONFIG.model, name))
    return Checkpoint(FusionNet(config.model, [AGE]).eval(), config, (AGE,), epoch=1)


def _cohort(*images: str) -> CohortDescription:
    return CohortDescription(
        task="gos",
        modality="CT",
        source="phantoms",
        outcome="outcome",
        positive="favourable",
        seed=1,
        features=EhrSchema(features=(AGE,), minimum_features=0).features,
        minimum_features=0,
        images=images,
    )


@pytest.mark.parametrize("name", ["concat", "mma", "mhgmu", "image"])
def test_a_row_without_heatmap_or_gate_is_refused_by_what_it_lacks(name: str, tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="expected a row with a spatial gate and a gated fusion"):
        export_run(_checkpoint(name), _cohort("image"), tmp_path, ModelStore(tmp_path / "store"), version=1)
    assert not (tmp_path / "store").exists()


def test_a_cohort_of_single_slices_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="found 3 image columns"):
        export_run(
            _checkpoint("mma+mhgmu"),
            _cohort("low", "middle", "high"),
            tmp_path,
            ModelStore(tmp_path / "store"),
            version=1,
        )
    assert not (tmp_path / "store").exists()


def test_a_run_that_was_not_evaluated_is_sent_to_evaluate(tmp_path: Path) -> None:
    with pytest.raises(
        CohortError, match=r"found one or both missing; run `python -m training evaluate` first"
    ):
        export_run(
            _checkpoint("mma+mhgmu"), _cohort("image"), tmp_path, ModelStore(tmp_path / "store"), version=1
        )
    assert not (tmp_path / "store").exists()
