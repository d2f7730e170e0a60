"""A package's graph, opened and run."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32

from app.cpus import usable_cpus
from app.inference.graph_contract import INPUTS, OUTPUTS, blank_inputs, check_answer, check_tensors
from app.inference.graph_session import Features, Images, RawOutputs
from app.inference.onnx_runtime.capturing import CAPTURES
from app.inference.onnx_runtime.device_tensors import DeviceTensors, Feed
from app.inference.onnx_runtime.faults import RUN_ERRORS, named
from app.inference.onnx_runtime.providers import CPU, Provider, open_graph
from app.model_package.package import Package


class OnnxSession:
    """A graph that is loaded and known to fit its manifest.

    Args:
        package: The package whose graph to load.
        provider: Execution provider to run on.
        threads: Threads within one operator; by default the CPUs this process may use.
        device: Number of the GPU; means nothing on the CPU.
        captured: Sizes of the batches whose kernels are captured now and launched together from then on (CUDA graphs); other sizes are
            run without. On a CPU there is nothing to capture. Where this is given, be it empty, and on a GPU in any case, the tensors of
            captured sizes and of the last other one stay on the device from run to run, which saves allocations and the copy of what does
            not change, and all runs have one thread.

    Attributes:
        provider: Name of the execution provider that ONNX Runtime really uses, such as `CPUExecutionProvider`.

    Raises:
        NotReadyError: The provider asked for is not the one in use, cannot be had, or failed to capture.
        OverloadedError: The device has no memory left for the graph, or for what is captured.
        PackageInvalidError: The file is no ONNX graph, or its tensors are not those of the manifest.
    """

    def __init__(
        self,
        package: Package,
        *,
        provider: Provider = "cpu",
        threads: int | None = None,
        device: int = 0,
        captured: Sequence[int] | None = None,
    ) -> None:
        self._manifest = package.manifest
        with CAPTURES.together():
            self._session = open_graph(
                package.model_path, provider, threads or usable_cpus(), device, captured=bool(captured)
            )
        self.provider: str = self._session.get_providers()[0]
        check_tensors(
            _signature(self._session.get_inputs()), _signature(self._session.get_outputs()), package.manifest
        )
        on_cpu = self.provider == CPU
        place = ("cpu", 0) if on_cpu else ("cuda", device)
        stays = captured is not None or not on_cpu
        self._on_device = DeviceTensors(self._session, *place, captured=bool(captured)) if stays else None
        self._capture(captured or ())

    def run(self, image: Images, values: Features, missing: Features) -> RawOutputs:
        """Answer a batch, as `GraphSession.run` does; where the device has no memory left for it, with `OverloadedError`."""
        feed = dict(zip(INPUTS, (image, values, missing), strict=True))
        try:
            run = self._run_anew if self._on_device is None else self._on_device.run
            probabilities, heatmap, image_share, embedding = run(feed)
        except RUN_ERRORS as error:
            raise named(error) from error
        answer = RawOutputs(probabilities, heatmap, image_share, embedding)
        check_answer(answer.tensors(), len(image), self._manifest)
        return answer

    def close(self) -> None:
        """End its thread, if it has one, and give back what it holds on a device; elsewhere memory goes with the object."""
        if self._on_device is not None:
            self._on_device.close()
            with CAPTURES.together():  # cudaFree
                self._on_device = self._session = None

    def _run_anew(self, feed: Feed) -> list[Float32[np.ndarray, "B ..."]]:
        answer: list[np.ndarray] = self._session.run(list(OUTPUTS), feed)
        return answer

    def _capture(self, sizes: Sequence[int]) -> None:
        if self._on_device is None:
            return
        try:
            for size in sizes:
                self._on_device.capture(dict(zip(INPUTS, blank_inputs(self._manifest, size), strict=True)))
        except RUN_ERRORS as error:
            self.close()
            raise named(error) from error


def _signature(nodes: Sequence[Any]) -> dict[str, tuple[str, list[int | str | None]]]:
    return {node.name: (node.type, node.shape) for node in nodes}
