"""Our reading and our predictor, as a library."""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

from jaxtyping import Float32
from numpy import ndarray

from app.ehr.encode import EncodedRecord, encode
from app.imaging.load import load_case
from app.inference.onnx_runtime.session import OnnxSession
from app.inference.predictor import Predictor
from app.model_package.package import open_package

Prepared = tuple[Float32[ndarray, "D H W"], EncodedRecord]


class Reader:
    """Reads and answers by `app`.

    Args:
        package: Folder of the package.
        threads: Of one run of the graph.
    """

    def __init__(self, package: Path, threads: int) -> None:
        self._package = open_package(package)
        self._predictor = Predictor(self._package, OnnxSession(self._package, threads=threads))

    def prepare(self, image: bytes, ehr: str) -> Prepared:
        """The image on the model grid, and the record encoded."""
        manifest = self._package.manifest
        record = encode(json.loads(ehr), manifest.ehr)
        with NamedTemporaryFile() as file:
            file.write(image)
            file.flush()
            return load_case([Path(file.name)], manifest.image).image.array, record

    def infer(self, cases: Sequence[Prepared]) -> list[dict[str, float]]:
        """Probabilities by class."""
        images, records = zip(*cases, strict=True)
        return [outputs.probabilities for outputs in self._predictor.predict_batch(images, records)]
