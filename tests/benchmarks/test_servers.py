"""A contender answers what we answer."""

import shutil
import sys
from pathlib import Path

import pytest

from app.inference.case import analyse
from app.inference.predictor import Predictor
from benchmarks.load import case_body, zip_of
from benchmarks.service import MODEL, RECORD
from benchmarks.serving_peers import peer, probabilities


def test_a_contender_gives_the_probabilities_of_our_own_analysis(
    tiny_store: Path, gos_predictor: Predictor, head_ct: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    shutil.copytree(tiny_store / "gos" / "1", store / "gos" / "1")
    archive = zip_of([head_ct], tmp_path / "case.zip")
    body = case_body(tmp_path / "body", [archive], RECORD, model=MODEL)
    expected = analyse([head_ct], RECORD, gos_predictor, "none").outputs.probabilities
    with peer("fastapi_threads", "ours", store, Path(sys.executable)) as server:
        assert probabilities(f"{server.url}/predict", body) == pytest.approx(expected, abs=1e-6)
