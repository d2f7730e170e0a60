"""A session answers as its manifest says, or says why not."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from app.errors import NotReadyError, OverloadedError, PackageInvalidError
from app.inference import lost_device
from app.inference.graph_contract import INPUTS, OUTPUTS
from app.inference.onnx_runtime.session import OnnxSession
from app.inference.ticket import RETRY_AFTER_S
from app.model_package.package import Package
from tests.inference.onnx_runtime.graphs import Spoil, ask_for_petabytes, batch


def test_a_batch_is_its_cases_one_by_one(package: Package) -> None:
    session, inputs = OnnxSession(package), batch(package, 3)
    together = session.run(*inputs)
    for index in range(3):
        alone = session.run(*(each[index : index + 1] for each in inputs))
        for name in OUTPUTS:
            np.testing.assert_allclose(getattr(together, name)[index], getattr(alone, name)[0], atol=1e-6)


def test_the_same_question_has_the_same_answer_to_the_bit(package: Package) -> None:
    inputs = batch(package, 2)
    first, again = OnnxSession(package, threads=1).run(*inputs), OnnxSession(package, threads=1).run(*inputs)
    for name in OUTPUTS:
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))


def test_a_value_under_a_missing_flag_has_no_effect(package: Package) -> None:
    image, values, missing = batch(package, 1)
    other = np.where(missing == 1, values + 7, values)
    session = OnnxSession(package)
    np.testing.assert_array_equal(
        session.run(image, values, missing).probabilities, session.run(image, other, missing).probabilities
    )


@pytest.mark.parametrize("content", [b"", b"not a graph", b"\x08\x09"])
def test_a_file_that_is_no_graph_is_refused(package: Package, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(PackageInvalidError, match=r"model\.onnx cannot be opened"):
        OnnxSession(Package(tmp_path, package.manifest, package.sha256))


@pytest.mark.parametrize("index", range(len(INPUTS)))
def test_an_input_of_another_shape_is_refused(spoil: Spoil, index: int) -> None:
    def widen(graph: onnx.ModelProto) -> None:
        graph.graph.input[index].type.tensor_type.shape.dim[-1].dim_value += 4
        del graph.graph.value_info[:]
        for output in graph.graph.output:  # leave it to the runtime to infer, so that the graph still loads
            for dim in output.type.tensor_type.shape.dim:
                dim.Clear()

    with pytest.raises(PackageInvalidError):
        OnnxSession(spoil(widen))


def test_a_fixed_batch_axis_is_refused(spoil: Spoil) -> None:
    def fix(graph: onnx.ModelProto) -> None:
        for value in (*graph.graph.input, *graph.graph.output):
            value.type.tensor_type.shape.dim[0].dim_value = 1

    with pytest.raises(PackageInvalidError, match="B free"):
        OnnxSession(spoil(fix))


def test_an_output_that_is_missing_is_named(spoil: Spoil) -> None:
    with pytest.raises(PackageInvalidError, match="embedding"):
        OnnxSession(spoil(lambda graph: graph.graph.output.pop()))


def test_an_answer_that_is_no_distribution_is_refused(spoil: Spoil) -> None:
    def double(graph: onnx.ModelProto) -> None:
        softmax = next(node for node in graph.graph.node if node.op_type == "Softmax")
        softmax.op_type = "Sigmoid"
        del softmax.attribute[:]

    package = spoil(double)
    with pytest.raises(PackageInvalidError, match="add up to 1"):
        OnnxSession(package).run(*batch(package, 1))


def test_an_answer_that_is_not_finite_is_refused(package: Package) -> None:
    image, values, missing = batch(package, 1)
    values[0, 0] = np.nan
    with pytest.raises(PackageInvalidError, match="not finite"):
        OnnxSession(package).run(image, values, np.zeros_like(missing))


def test_a_failure_of_the_runtime_has_a_name_and_no_values(package: Package) -> None:
    image, values, missing = batch(package, 1)
    with pytest.raises(NotReadyError, match="ONNX Runtime failed with InvalidArgument") as caught:
        OnnxSession(package).run(image[:, :, 1:], values, missing)
    assert caught.value.fields["retry_after_s"] == RETRY_AFTER_S


def test_a_gpu_that_is_lost_is_told_with_the_time_after_which_another_process_may_answer(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_how: object) -> None:
        raise RuntimeError("CUDA failure 700: an illegal memory access was encountered ; GPU=0")

    monkeypatch.setattr(lost_device, "DEVICE_LOST", threading.Event())
    monkeypatch.setattr(ort.InferenceSession, "run", lose)
    with pytest.raises(NotReadyError, match="lost to this process") as caught:
        OnnxSession(package).run(*batch(package, 1))
    assert caught.value.fields["retry_after_s"] == RETRY_AFTER_S


def test_a_failed_run_does_not_spoil_the_next(package: Package) -> None:
    session, (image, values, missing) = OnnxSession(package), batch(package, 1)
    before = session.run(image, values, missing)
    with pytest.raises(NotReadyError):
        session.run(image[:, :, 1:], values, missing)
    np.testing.assert_array_equal(session.run(image, values, missing).heatmap, before.heatmap)


def test_an_exhausted_device_is_overload_and_passes(spoil: Spoil) -> None:
    package = spoil(ask_for_petabytes)
    with pytest.raises(OverloadedError, match="no memory left") as caught:
        OnnxSession(package).run(*batch(package, 1))
    assert caught.value.fields["retry_after_s"] == RETRY_AFTER_S


def test_the_runtime_reports_to_nobody_and_keeps_no_id_of_this_machine(tmp_path: Path) -> None:
    quiet = {"ORT_DISABLE_TELEMETRY", "CI", "GITHUB_ACTIONS", "TF_BUILD", "XDG_CACHE_HOME"}
    inherited = {name: value for name, value in os.environ.items() if name not in quiet}
    loaded = subprocess.run(
        [sys.executable, "-c", "import app.inference.onnx_runtime.session"],
        env={**inherited, "HOME": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    assert loaded.stderr == b""
    assert list(tmp_path.iterdir()) == []
