"""The graph of a package as the exporter leaves it, beside the same graph plane by plane (`training.packaging.onnx_planes`), on the CPU."""

import shutil
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import onnxruntime as ort
import torch
from rich.table import Table

from app.cpus import usable_cpus
from app.inference.graph_contract import INPUTS
from app.model_package.manifest import Task
from benchmarks.measure import in_turns
from training.config import load_config
from training.networks.model import FusionNet
from training.networks.serving_graph import ServingGraph
from training.packaging.onnx_graph import write_onnx
from training.packaging.onnx_planes import convolve_by_planes
from training.tasks import SCHEMAS

ROUNDS: Final = 21
CONFIGS: Final = Path(__file__).parents[1] / "training" / "configs"
AS_EXPORTED, BY_PLANES = "as exported", "by planes"
NOTE: Final = (
    "One case of noise through the networks of training/configs, untrained; medians of {rounds} rounds in turns, ONNX Runtime "
    "{version}. Ratio: the median of the quotients within a round. Differs: the largest difference of any output."
)


class Network(NamedTuple):
    """A graph, and what it is asked.

    Attributes:
        name: In the table.
        exported: Its file, as the exporter leaves it.
        case: Inputs by name.
    """

    name: str
    exported: Path
    case: dict[str, np.ndarray]


def run(rounds: int) -> Table:
    """Time the networks of both reference models.

    Args:
        rounds: Rounds that count.
    """
    with tempfile.TemporaryDirectory() as folder:
        return compared([_network(name, Path(folder)) for name in SCHEMAS], rounds)


def compared(networks: Sequence[Network], rounds: int) -> Table:
    """Time networks, each graph on one thread and on every core.

    Args:
        networks: What is rewritten lies beside the exported file.
        rounds: Rounds that count.
    """
    table = Table(title="The network alone", caption=NOTE.format(rounds=rounds, version=ort.__version__))
    for column in ("network", "threads", f"{AS_EXPORTED}, ms", f"{BY_PLANES}, ms", "ratio", "differs"):
        table.add_column(column, justify="left" if column == "network" else "right")
    for network in networks:
        planes = network.exported.with_suffix(".planes.onnx")
        shutil.copyfile(network.exported, planes)
        convolve_by_planes(planes)
        graphs = {AS_EXPORTED: network.exported, BY_PLANES: planes}
        for threads in sorted({1, usable_cpus()}):
            sessions = {name: _session(file, threads) for name, file in graphs.items()}
            table.add_row(network.name, str(threads), *_row(sessions, network.case, rounds))
    return table


def _network(name: Task, folder: Path) -> Network:
    torch.manual_seed(0)
    config, features = load_config(CONFIGS / f"{name}.toml"), SCHEMAS[name].features
    exported = folder / f"{name}.onnx"
    net = FusionNet(config.model, features).eval()
    write_onnx(ServingGraph(net).eval(), config.grid.shape, len(features), exported)
    image = np.random.default_rng(0).normal(30, 30, (1, 1, *config.grid.shape)).astype(np.float32)
    record = np.zeros((1, len(features)), np.float32)
    return Network(name, exported, dict(zip(INPUTS, (image, record, record), strict=True)))


def _session(file: Path, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    # As in the service: threads that have nothing to do sleep, and take no core from the other graph's.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def _row(
    sessions: Mapping[str, ort.InferenceSession], case: Mapping[str, np.ndarray], rounds: int
) -> Sequence[str]:
    answers = [session.run(None, dict(case)) for session in sessions.values()]
    differs = max(float(np.abs(one - other).max()) for one, other in zip(*answers, strict=True))
    times = in_turns(
        {name: partial(session.run, None, dict(case)) for name, session in sessions.items()}, rounds
    )
    before, after = times[AS_EXPORTED], times[BY_PLANES]
    ratio = statistics.median(a / b for a, b in zip(before.seconds, after.seconds, strict=True))
    return f"{before.p50_ms:.0f}", f"{after.p50_ms:.0f}", f"{ratio:.2f} x", f"{differs:.0e}"
