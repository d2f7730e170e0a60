"""training.export: what cannot be served is refused before anything is written. The whole way is tested in tests/skew."""

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from torch import nn

from app.ehr.schema import EhrSchema, Feature
from app.errors import GoldenMismatchError
from app.imaging.volume import Modality
from app.inference.case import Analysis
from app.model_package.store import ModelStore
from tests.training.report.simulated import evaluation, material
from tests.training.test_train import AGE
from training.__main__ import main
from training.checkpoint import CHECKPOINT_FILE, Checkpoint, save_checkpoint
from training.cohort import CohortDescription, CohortError
from training.config import load_config
from training.export import Judged, _check_parity, _manifest, export_run, title_of
from training.networks.model import FusionNet
from training.networks.rows import row
from training.networks.serving_graph import ServingGraph
from training.runs import write_notes

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


def test_a_run_whose_name_no_package_can_have_is_refused_in_words(tmp_path: Path) -> None:
    """Names are looked at before training; a run of an earlier release may have any."""
    run = _checkpoint("mma+mhgmu")
    named = replace(run, config=replace(run.config, name="gos_ward"))
    with pytest.raises(CohortError, match="small letters, digits and hyphens"):
        export_run(named, _cohort("image"), tmp_path, ModelStore(tmp_path / "store"), version=1)


SEX = AGE.model_copy(
    update={"name": "sex", "kind": "categorical", "unit": None, "categories": ("female", "male")}
)


@pytest.mark.parametrize(
    "features",
    [(SEX, AGE), (AGE,), (AGE, SEX.model_copy(update={"categories": ("male", "female")}))],
    ids=["order", "one less", "categories"],
)
def test_a_description_with_other_features_than_the_trained_ones_is_refused(
    features: tuple[Feature, ...], tmp_path: Path
) -> None:
    """Else the service would read the age of a patient as the sex; the package's proof reads both the same way."""
    net = FusionNet(CONFIG.model, [AGE, SEX]).eval()
    cohort = _cohort("image").model_copy(update={"features": features})
    with pytest.raises(CohortError, match=r"expected the cohort.json that the run was trained by"):
        export_run(
            Checkpoint(net, CONFIG, (AGE, SEX), epoch=1), cohort, tmp_path, ModelStore(tmp_path / "store"), 1
        )


def test_the_cohort_may_have_moved_and_its_images_be_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, moved = tmp_path / "run", tmp_path / "moved"
    write_notes(run, tmp_path / "before", tmp_path / "before")
    save_checkpoint(run / CHECKPOINT_FILE, FusionNet(row(CONFIG.model, "mma+mhgmu"), [AGE]), CONFIG, [AGE], 1)
    moved.mkdir()
    (moved / "cohort.json").write_text(_cohort("image").model_dump_json())
    asked = ["export", str(run), "--store", str(tmp_path / "store")]
    assert main(asked) == 2
    assert "name the folder it is in now with --cohort" in capsys.readouterr().err
    assert main([*asked, "--cohort", str(moved)]) == 2
    assert "python -m training evaluate` first" in capsys.readouterr().err, "the cohort was found"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_network_that_answers_no_number_is_not_published(value: float) -> None:
    """NaN is neither more nor less than any difference that is allowed."""
    net = FusionNet(CONFIG.model, [AGE]).eval()
    for parameter in net.head.parameters():
        nn.init.constant_(parameter, value)
    array = np.zeros(CONFIG.grid.shape, dtype=np.float32)
    record = SimpleNamespace(values=np.zeros(1, dtype=np.float32), missing=np.ones(1, dtype=np.float32))
    outputs = SimpleNamespace(probabilities=dict.fromkeys("12345", 0.2))
    answer = SimpleNamespace(image=SimpleNamespace(array=array), record=record, outputs=outputs)
    with pytest.raises(GoldenMismatchError, match="differ by nan"):
        _check_parity(cast("Analysis", answer), ServingGraph(net).eval(), 1e-4)


@pytest.mark.parametrize(
    ("source", "use", "data"),
    [
        ("phantoms", "Demonstration only", "no patient was involved"),
        ("University hospital", "Research use on the population it was trained on", "University hospital"),
    ],
)
def test_a_package_says_whether_patients_or_phantoms_taught_it(source: str, use: str, data: str) -> None:
    fitted = material().fitted
    assert fitted is not None
    cohort = _cohort("image").model_copy(update={"source": source})
    manifest = _manifest(_checkpoint("mma+mhgmu"), cohort, Judged(fitted, evaluation()), version=1)
    assert manifest.intended_use.startswith(use)
    assert manifest.training_data.endswith(f"{data}." if source == "phantoms" else data)


def test_the_title_names_the_image_that_the_package_reads() -> None:
    """An outcome after a bleed may be learnt from MR; on the page its title would have asked for a CT."""
    assert title_of("gos", Modality.CT).endswith("haemorrhage, from head CT and admission record")
    assert title_of("gos", Modality.MR).endswith("haemorrhage, from brain MRI and admission record")
    assert title_of("ad", Modality.MR).endswith("normal, from T1 brain MRI and record")
    assert title_of("ad", Modality.CT).endswith("normal, from head CT and record")
