"""training.onnx_graph: the file is written without a word about what is none of the user's business."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.torch

EXPORT = """
import sys
from pathlib import Path
from training.config import load_config
from training.features import unitless
from training.networks.model import FusionNet
from training.networks.serving_graph import ServingGraph
from training.onnx_graph import write_onnx

config = load_config(Path("training/configs/practice.toml"))
net = FusionNet(config.model, (unitless("age", 0, 100),)).eval()
write_onnx(ServingGraph(net).eval(), config.grid.shape, 1, Path(sys.argv[1]))
"""


def test_an_export_warns_of_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    """In a process of its own, since the exporter warns once a process."""
    path = tmp_path_factory.mktemp("graph") / "model.onnx"
    done = subprocess.run(  # noqa: S603 - this program
        [sys.executable, "-c", EXPORT, str(path)], capture_output=True, text=True, check=True
    )
    assert path.is_file()
    assert (done.stdout, done.stderr) == ("", "")
