"""BentoML: a worker a core (`workers`), which is its documentation's advice to make use of several CPUs."""

import json
from pathlib import Path
from typing import Any, cast

import bentoml

from benchmarks.servers.work import CORES, make_work, port


@bentoml.service(workers=CORES, traffic={"timeout": 60})
class Answers:
    """One worker."""

    def __init__(self) -> None:
        self._work = make_work(threads=1)

    @bentoml.api(route="/predict")
    def predict(self, image: Path, ehr: dict[str, Any]) -> dict[str, dict[str, float]]:
        """BentoML has written the part `image` to a file and read the part `ehr` as JSON."""
        return {
            "probabilities": self._work.infer([self._work.prepare(image.read_bytes(), json.dumps(ehr))])[0]
        }


if __name__ == "__main__":
    from benchmarks.servers.bentoml import (
        Answers as Service,
    )  # BentoML wants it from where it can be imported

    cast("Any", Service).serve_http(host="127.0.0.1", port=port())
