"""What HTTP, upload, admission and the record of the prediction cost on top of the analysis itself."""

import json
import tempfile
from functools import partial
from pathlib import Path

import httpx
from rich.table import Table

from app.imaging.limits import DEFAULT_LIMITS
from app.inference.case import HeatmapChoice, analyse
from app.inference.predictor import Predictor
from app.inference.session import OnnxSession
from app.model_package.store import ModelStore
from app.predictions.explain import Case, explain
from app.settings import Settings
from benchmarks.cases import head_ct
from benchmarks.measure import in_turns
from benchmarks.service import running

TITLE = "POST /predict beside the same case in process"
NOTE = (
    "{case}; medians of {rounds}, one request at a time, upload included. "
    "analyse: no file written. explain: as the command line, heatmap written as NIfTI and PNG."
)
MODEL = "gos"
RECORD = {"age": 71, "sex": "female", "gcs": 13, "systolic_bp": 178}
HEATMAPS: tuple[HeatmapChoice, ...] = ("none", "native")


def run(rounds: int) -> Table:
    """Time one head CT by every way, one request at a time.

    Args:
        rounds: Rounds that count.
    """
    settings = Settings()
    package = ModelStore(settings.model_store).load(MODEL)
    predictor = Predictor(package, OnnxSession(package, provider="cpu"))
    table = Table("heatmap", "HTTP", "explain", "analyse", "HTTP - explain", "ratio", title=TITLE)
    with (
        tempfile.TemporaryDirectory() as scratch,
        running(settings.model_store.resolve(), Path(scratch) / "data") as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        image = head_ct()
        table.caption = NOTE.format(case=image.name, rounds=rounds)
        for heatmap in HEATMAPS:
            case = Case(image.paths, RECORD, heatmap)
            table.add_row(heatmap, *_row(case, predictor, client, Path(scratch), rounds))
    return table


def _row(case: Case, predictor: Predictor, client: httpx.Client, folder: Path, rounds: int) -> list[str]:
    times = in_turns(
        {
            "http": partial(_post, client, case),
            "explain": partial(explain, case, predictor, folder, DEFAULT_LIMITS),
            "analyse": partial(analyse, case.images, case.record, predictor, case.heatmap),
        },
        rounds,
    )
    http, explained, alone = (taken.p50_ms for taken in times.values())
    return [
        f"{http:.0f} ms",
        f"{explained:.0f} ms",
        f"{alone:.0f} ms",
        f"{http - explained:.0f} ms",
        f"{http / explained:.2f} x",
    ]


def _post(client: httpx.Client, case: Case) -> None:
    parts = [("image", (path.name, path.read_bytes())) for path in case.images]
    fields = {"task": MODEL, "ehr": json.dumps(case.record), "heatmap": case.heatmap}
    client.post("/predict", data=fields, files=parts).raise_for_status()
